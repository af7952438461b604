"""Where the answer goes: a full disk, a pipe, a closed output, a narrow terminal."""

import asyncio
import subprocess
import sys

import pytest

from domain.clock import utc_now
from tests.admin.operator import USER, Operator, Shop
from tests.admin.terminal import code_of, terminal
from tests.run.programs import ROOT, START_SECONDS_MAX, surroundings

pytestmark = pytest.mark.timeout(600)  # three times as long as a program may take to start, and more

GRANT = ("grant", "--yes", "--by", "olga", str(USER), "5", "'a present'")
HISTORY = "tests/histories/delivered_by_callback.v1.json"
CHARGE = "stxc8" + "A1b2C3d4" * 14


async def shell(operator: Operator, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`admin` is the command line."""
    return await asyncio.to_thread(
        subprocess.run,  # our own words
        ["bash", "-c", f'admin() {{ "{sys.executable}" admin_main.py "$@"; }}; {command}'],
        cwd=ROOT,
        env={**surroundings(operator.settings), **environment},
        capture_output=True,
        text=True,
        timeout=START_SECONDS_MAX,
        check=False,
    )


@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    ("target", "said"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")]
)
async def test_a_deed_whose_answer_cannot_be_written_is_done(
    shop: Shop, operator: Operator, environment: dict[str, str], target: str, said: str
) -> None:
    told = await shell(operator, f"admin {' '.join(GRANT)} {target}", **environment)
    assert told.stderr == f"done, but it could not be written to the output: {said}\n"
    assert told.returncode == 1
    assert await shop.balance() == (5, 0)


async def test_what_is_said_before_a_deed_does_not_stop_it(shop: Shop, operator: Operator) -> None:
    await paid(shop)
    told = await shell(operator, "admin refund-payment c1 --yes --by olga >/dev/full", PYTHONUNBUFFERED="1")
    assert "done, but it could not be written" in told.stderr
    assert await shop.deeds() == [("refund", str(USER), "olga")]


async def test_who_has_read_enough_hears_no_complaint(shop: Shop, operator: Operator) -> None:
    await shop.order()
    told = await shell(operator, f"admin user {USER} --by olga | head -c1; exit ${{PIPESTATUS[0]}}")
    assert (told.returncode, told.stderr) == (0, "")


async def test_nobody_to_tell_and_nobody_to_ask(shop: Shop, operator: Operator) -> None:
    silent = await shell(operator, "admin order nonsense >&- 2>&-")
    unasked = await shell(operator, f"admin grant {USER} 5 x <&-")
    assert (silent.returncode, silent.stderr) == (1, "")
    assert (unasked.returncode, "say --yes" in unasked.stderr) == (1, True)
    assert "Traceback" not in unasked.stderr
    assert await shop.deeds() == []


async def test_a_full_disk_of_replay_is_said(operator: Operator) -> None:
    told = await shell(operator, f"admin replay --file {HISTORY} >/dev/full")
    assert told.stderr == "done, but it could not be written to the output: No space left on device\n"
    assert told.returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ("grant", b"5", b"1", b"caf\xe9"),
        ("grant", b"5", b"1", b"x", b"--by", b"\xff"),
        ("refund-payment", b"\xe9"),
        ("order", b"\xe9"),
        ("keys", b"unblock", b"\xe9"),
        ("broadcast", b"progress", b"\xe9"),
        ("replay", b"--id", b"\xe9"),
    ],
)
async def test_bytes_that_are_no_text_are_named(operator: Operator, words: tuple[str | bytes, ...]) -> None:
    told = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "admin_main.py", *words],
        cwd=ROOT,
        env=surroundings(operator.settings),
        capture_output=True,
        timeout=START_SECONDS_MAX,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr.count(b"\n") == 1
    assert b"is no text in UTF-8" in told.stderr
    assert rb"\x" in told.stderr


async def test_ids_are_whole_in_a_pipe_and_on_a_narrow_terminal(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order()
    await paid(shop, CHARGE)
    piped = await operator.says("user", str(USER), "--by", "olga")
    assert CHARGE in piped.out
    with terminal(columns=40) as at:
        process = await at.runs("user", str(USER), "--by", "olga", settings=operator.settings)
        seen = await at.shows(CHARGE)
        assert await code_of(process) == 0
    assert order_id in seen


async def paid(shop: Shop, charge_id: str = "c1") -> None:
    await shop.rows.ledger.grant(USER, 5, "what it brought", "g1")
    await shop.run(
        "insert into payments"
        " (charge_id, provider, user_id, package_id, amount, currency, credits, state, paid_at)"
        " select $1, 'stars', id, 'p', 1, 'XTR', 5, 'PAID', $2 from users",
        charge_id,
        utc_now(),
    )
