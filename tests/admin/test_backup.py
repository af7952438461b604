"""backup, backups, restore-test and restore, as an operator types them."""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from domain.clock import utc_now
from store.chores import Chores
from store.ledger import Ledger
from tests.backups.servers import DATABASE, USER, Shop, shop
from tests.run.programs import Ended, started

pytestmark = pytest.mark.timeout(600)

_RESTORE_SECONDS_MAX = 200.0
_INTERRUPTIONS_MAX = 5


@pytest_asyncio.fixture(scope="module")
async def sold() -> AsyncIterator[Shop]:
    async with shop() as opened:
        await opened.grant("one")
        yield opened


def settings_of(sold: Shop, **others: str) -> dict[str, str]:
    return {
        "BACKUP_URL": f"file://{sold.folder}/kept",
        "BACKUP_FOLDER": str(sold.folder / "work"),
        "BACKUP_DATABASE_URL": sold.owner_url,
        "DATABASE_URL": sold.server.program_url(DATABASE),
        "DATABASE_OWNER_URL": sold.owner_url,
        **others,
    }


async def admin(sold: Shop, *words: str, **others: str) -> Ended:
    process = await started("admin_main.py", *words, settings=settings_of(sold, **others))
    out, err = await asyncio.wait_for(process.communicate(), _RESTORE_SECONDS_MAX)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def without_its_files_or_its_login(sold: Shop, *words: str) -> None:
    (path,) = (sold.folder / "kept").glob("*/base/*/base.tar.gz")
    path.rename(path.with_name("gone"))
    missing = await admin(sold, *words)
    path.with_name("gone").rename(path)
    assert (missing.code, "nothing was changed: BACKUP_URL holds no" in missing.err) == (1, True)
    password = (sold.server.folder / "password").read_text()
    stranger = await admin(sold, *words, DATABASE_OWNER_URL=sold.owner_url.replace(password, "wrong"))
    assert stranger.code == 1
    assert "nothing was changed: " in stranger.err
    assert "Traceback" not in missing.err + stranger.err


async def test_backed_up_tried_and_restored(sold: Shop) -> None:
    assert "base backup 2" in (await admin(sold, "backup")).out
    listing = json.loads((await admin(sold, "backups", "--json")).out)
    (listed,) = listing["base_backups"]
    assert list(listing["wal_reaches"]) == [listed["system_id"]]
    assert f"instance {listed['system_id']}" in (await admin(sold, "backups")).out
    assert listed["bytes"] > 1_000_000
    assert "nothing broken" in (await admin(sold, "restore-test")).out
    assert await Chores(sold.database).last("restore-test") is not None

    into = ("restore", "--into", str(sold.data))
    running = await admin(sold, *into, "--yes")
    assert (running.code, "stop it first" in running.err) == (1, True)
    await sold.stop()
    unasked = await admin(sold, *into)
    assert (unasked.code, "say --yes" in unasked.err) == (1, True)
    unknown = await admin(sold, *into, "--system", "5", "--yes")
    assert (unknown.code, "no base backup of instance 5" in unknown.err) == (1, True)
    await without_its_files_or_its_login(sold, *into, "--yes")
    restored = await admin(sold, *into, "--system", listed["system_id"], "--yes")
    assert f"base backup of {listed['ended_at'][:10]}" in restored.out
    assert "epoch 1: 0 orders ended" in restored.out, restored.err
    assert "Next: start PostgreSQL" in restored.out

    await sold.start_again()
    assert (await Ledger(sold.database, utc_now).balance(USER)).available == 1
    again = await admin(sold, "restore", "--finish", "--yes")
    assert (again.code, "was not restored since" in again.err) == (1, True)
    forced = json.loads((await admin(sold, "restore", "--finish", "--forced", "--yes", "--json")).out)
    assert forced["epoch"]["epoch"] == 2


@pytest.mark.parametrize(
    ("words", "others", "said"),
    [
        (("backup",), {"BACKUP_URL": ""}, "BACKUP_URL is not set"),
        (("backup",), {"BACKUP_URL": "file:///proc/backups"}, "BACKUP_URL cannot be used"),
        (("backup",), {"BACKUP_FOLDER": "/proc/work"}, "BACKUP_FOLDER: /proc/work cannot be written"),
        (("backup",), {"BACKUP_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "no backup was taken"),
        (("backup",), {"BACKUP_DATABASE_URL": "postgresql://x@127.0.0.1:1/x?sslpassword=y"}, "client key"),
        (("restore", "--into", "x", "--timeline", "9"), {}, "nothing was changed: "),
        (("restore", "--finish", "--timeline", "9"), {}, "--finish restores nothing"),
        (("restore", "--yes"), {}, "either --into FOLDER"),
        (("restore", "--finish", "--into", "/tmp/x"), {}, "either --into FOLDER"),  # noqa: S108 - never used
        (("restore", "--into", "x", "--to", "yesterday"), {}, "yesterday is no moment"),
        (("restore", "--into", "x", "--to", "2026-11-21T20:15:00"), {}, "of which zone"),
        (("restore", "--into", "x", "--to", "0001-01-01T00:00:00+03:00"), {}, "is no moment"),
        (("restore", "--into", "admin_main.py", "--yes"), {}, "nothing was changed: "),
        (("restore", "--into", "x", "--to", "2999-01-01T00:00:00Z"), {}, "still to come"),
        (("restore", "--into", "x", "--to", "2001-01-01T00:00:00Z"), {}, "nothing was changed: "),
    ],
)
async def test_a_mistake_is_one_sentence(
    sold: Shop, words: tuple[str, ...], others: dict[str, str], said: str
) -> None:
    answer = await admin(sold, *words, **others)
    assert answer.code != 0
    assert said in " ".join(answer.err.replace("│", " ").split()), answer.err
    assert "Traceback" not in answer.err


@pytest.mark.timeout(2 * _RESTORE_SECONDS_MAX * (_INTERRUPTIONS_MAX + 1))
async def test_a_restore_that_is_interrupted_leaves_nothing(sold: Shop, tmp_path: Path) -> None:
    assert (await admin(sold, "backup")).code == 0
    place = sold.folder / "elsewhere" / "data"
    for number in range(_INTERRUPTIONS_MAX):
        told = await interrupted(sold, place, tmp_path / str(number))
        if told.code != 0:
            break
        shutil.rmtree(place)  # it had come to its good end before it was told to stop
    assert (told.code, told.err) == (130, "interrupted: nothing was changed\n")
    assert list(place.parent.iterdir()) == []


async def interrupted(sold: Shop, place: Path, kept: Path) -> Ended:
    """In the middle of a restore, unless this test is not let run for as long as that takes.

    From a copy of what is kept: a restore that comes to its end adds the beginning of its timeline.
    """
    shutil.copytree(sold.folder / "kept", kept)
    words = ("restore", "--into", str(place), "--yes")
    process = await started("admin_main.py", *words, settings=settings_of(sold, BACKUP_URL=f"file://{kept}"))
    async with asyncio.timeout(_RESTORE_SECONDS_MAX):
        while process.returncode is None and not is_unpacking(place):  # noqa: ASYNC110 - a program's
            await asyncio.sleep(0.01)
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), _RESTORE_SECONDS_MAX)
    return Ended(process.returncode or 0, out.decode(), err.decode())


def is_unpacking(place: Path) -> bool:
    return bool(list(place.parent.glob("data.restoring-*/data/base")))


async def test_a_folder_without_room_is_left_alone(sold: Shop, tmp_path: Path) -> None:
    """Nothing fits on /proc, nor may anything be written there."""
    answer = await admin(sold, "restore", "--into", "/proc/postgres", "--yes")
    assert answer.code == 1
    assert "nothing was changed: " in answer.err
    assert not list(tmp_path.iterdir())
