"""The auditor finds nothing in a system that kept its promises, and each planted lie by its name."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from local.postgres import PostgresServer
from tests.chaos.auditor import PROMISES, AuditReport, audit_with_counts
from tests.chaos.small_system import OLGA_1, OLGA_2, VERA_1, VERA_2, SmallSystem, play, small_system
from tests.fixtures.postgres import TEMPLATE

VIDEO = f"{VERA_1}-v1"
FAILED = f"{VERA_2}-v2"
LOST = f"{OLGA_1}-v1"
WAITING = f"{OLGA_2}-v1"


_SUBJECTS = {
    "video": f"'{VIDEO}'",
    "failed": f"'{FAILED}'",
    "lost": f"'{LOST}'",
    "waiting": f"'{WAITING}'",
    "order": f"'{OLGA_2}'",
    "vera": "1",
    "olga": "2",
}


@dataclass(frozen=True)
class Finished:
    """`database` is only copied: each fault is planted in a copy of its own."""

    system: SmallSystem
    server: PostgresServer
    database: str


@pytest_asyncio.fixture(scope="module")
async def finished(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Finished]:
    name = f"small_{uuid4().hex[:12]}"
    await postgres_server.create_database(name, TEMPLATE)
    async with small_system(postgres_server.url(name), tmp_path_factory.mktemp("telegram")) as system:
        await play(system)
        await system.connection.close()
        yield Finished(system, postgres_server, name)
    await postgres_server.drop_database(name)


async def _audit_after(finished: Finished, *statements: str, secrets: tuple[str, ...] = ()) -> AuditReport:
    """Of a copy of the rows, with these faults in it."""
    name = f"planted_{uuid4().hex[:12]}"
    await finished.server.create_database(name, finished.database)
    url = finished.server.url(name)
    connection = await asyncpg.connect(url)
    await connection.execute("alter table credit_entries disable trigger all")
    for statement in statements:
        await connection.execute(_with_ids(statement))
    await connection.close()
    try:
        return await audit_with_counts(replace(finished.system.places, database_url=url), secrets)
    finally:
        await finished.server.drop_database(name)


def _with_ids(statement: str) -> str:
    for name, subject in _SUBJECTS.items():
        statement = statement.replace(f":{name}", subject)
    return statement


def _named(report: AuditReport) -> dict[str, set[str]]:
    """Each broken promise with the ids that are named."""
    named: dict[str, set[str]] = {}
    for violation in report.violations:
        named.setdefault(violation.promise, set()).update(violation.ids)
    return named


async def test_nothing_is_found_where_all_promises_were_kept(finished: Finished) -> None:
    report = await _audit_after(finished, secrets=("canary",))
    assert report.violations == []
    assert set(report.checked) == set(PROMISES)
    assert [promise for promise, count in report.checked.items() if not count] == []
    assert report.excused == {
        "captured is seen once: waits for a user who has blocked the bot": 1,
        "lost answers found: lost, counted, refunded": 1,
    }


_TWICE_CREDITED = """
    update wallets set available = available + 20 where user_id = :vera;
    insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, charge_id,
                                available_after, reserved_after, created_at)
    select user_id, 'purchase', 20, 0, 'planted', (select min(charge_id) from payments where state = 'PAID'),
           available, reserved, now() from wallets where user_id = :vera"""
_TWICE_SETTLED = """
    insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, video_id,
                                available_after, reserved_after, created_at)
    select user_id, 'capture', 0, 0, 'planted', :video, available, reserved, now()
    from wallets where user_id = :vera"""
_SENT_AGAIN = """
    insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state, admitted_at,
                          sent_at)
    select 'again', video_id, user_id, 2, video_model, account, key_id, 'REJECTED', now(), now()
    from attempts where video_id = :video"""
_SAME_TASK = """
    alter table attempts drop constraint attempts_kie_task_id_key;
    update attempts set kie_task_id = (select kie_task_id from attempts where video_id = :video)
    where video_id = :waiting"""
_VANISHED = """
    delete from messages where order_id = :order;
    delete from attempts where video_id = :waiting;
    delete from videos where id = :waiting;
    delete from orders where id = :order"""
_GIVEN_AWAY = """
    update videos set state = 'FAILED' where id = :video;
    update credit_entries set kind = 'refund', available_delta = 2 where video_id = :video"""
_BOUGHT_AGAIN = """
    drop index attempts_standing;
    update attempts set video_id = :video, number = 9 where video_id = :waiting"""
_OVERDUE = """
    update videos set state = 'OPEN', deadline_at = now() - interval '1 minute' where id = :video"""


@dataclass(frozen=True)
class Planted:
    """A fault in the rows, the promise it breaks and whom it names; `also` breaks with it, by its nature."""

    statement: str
    promise: str
    subject: str
    also: tuple[str, ...] = ()


PLANTED = {
    "an order that does not end": Planted(
        "update orders set state = 'OPEN' where id = :order", "accepted orders ended", OLGA_2
    ),
    "an order that vanished": Planted(
        _VANISHED, "accepted orders ended", OLGA_2, ("lost answers found", "sums")
    ),
    "captured, and not seen": Planted(
        "update videos set state = 'DELIVERED' where id = :waiting", "captured is seen once", WAITING
    ),
    "refunded, and seen": Planted(
        _GIVEN_AWAY, "nothing given away", VIDEO, ("I1", "sums", "refunded and told")
    ),
    "somebody else's film": Planted(
        "update videos set user_id = :olga where id = :video",
        "films belong",
        VIDEO,
        ("captured is seen once", "sums"),
    ),
    "a wallet of its own mind": Planted("update wallets set available = available + 1", "I1", "1", ("sums",)),
    "an entry that says another balance": Planted(
        "update credit_entries set available_after = 100 where kind = 'reserve'", "I1", "1"
    ),
    "settled twice": Planted(_TWICE_SETTLED, "I2", VIDEO),
    "never settled": Planted(
        "delete from credit_entries where video_id = :failed", "I2", FAILED, ("I1", "refunded and told")
    ),
    "failed, and captured": Planted(
        "update videos set state = 'FAILED' where id = :waiting", "I3", WAITING, ("refunded and told", "sums")
    ),
    "delivered, and refunded": Planted(
        "update videos set state = 'DELIVERED' where id = :failed",
        "I3",
        FAILED,
        ("captured is seen once", "sums"),
    ),
    "sent beside what bought": Planted(_SENT_AGAIN, "I4", "again"),
    "one KIE task of two attempts": Planted(_SAME_TASK, "I4", f"{WAITING}-a1", ("lost answers found",)),
    "a task of another attempt": Planted(_SAME_TASK, "lost answers found", f"{VIDEO}-a1", ("I4",)),
    "credited twice": Planted(_TWICE_CREDITED, "I5", "charge", ("Stars once", "sums")),
    "open past its deadline": Planted(_OVERDUE, "I6", VIDEO, ("accepted orders ended",)),
    "bought again after what was bought": Planted(_BOUGHT_AGAIN, "bought once", VIDEO, ("I4",)),
    "a lost answer nobody counted": Planted(
        "drop index attempts_standing; update attempts set task_state = null where video_id = :lost",
        "lost answers found",
        f"{LOST}-a1",
    ),
    "sold, and not credited": Planted(
        "update payments set credits = credits + 5", "sums", "all users", ("I5",)
    ),
    "a secret in a row": Planted("update videos set script = 'my canary key'", "I7", "videos"),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED.keys())
async def test_what_is_wrong_in_the_rows_is_named(finished: Finished, planted: Planted) -> None:
    named = _named(await _audit_after(finished, planted.statement, secrets=("canary",)))
    subject = await _charge(finished, "PAID") if planted.subject == "charge" else planted.subject
    assert named.keys() == {planted.promise, *planted.also}, named
    assert subject in named[planted.promise], named


async def test_a_payment_that_telegram_knows_is_in_the_rows(finished: Finished) -> None:
    unbooked = "delete from credit_entries where kind like 'purchase%'"
    named = _named(await _audit_after(finished, unbooked, "delete from payments"))
    assert named["Stars once"] == {each["charge_id"] for each in await _charges(finished)}


async def test_stars_that_went_back_took_the_credits_with_them(finished: Finished) -> None:
    gone = "delete from credit_entries where kind = 'purchase_refund'"
    named = _named(await _audit_after(finished, gone))
    assert named["Stars once"] == {await _charge(finished, "REFUNDED")}


async def test_stars_that_never_went_back_are_missed(finished: Finished) -> None:
    named = _named(await _audit_after(finished, "update payments set state = 'REFUNDED'"))
    assert named["Stars once"] == {await _charge(finished, "PAID")}


async def _charges(finished: Finished) -> list[dict[str, Any]]:
    told = await finished.system.telegram.http.get("/control/stars")
    return list(told.json()["transactions"])


async def _charge(finished: Finished, state: str) -> str:
    is_refunded = state == "REFUNDED"
    (charge,) = [each for each in await _charges(finished) if each["refunded"] is is_refunded]
    return str(charge["charge_id"])


async def test_an_unanswered_sending_is_excused_when_its_user_had_blocked_the_bot(finished: Finished) -> None:
    delivered = "update videos set state = 'DELIVERED' where id = :waiting"
    sent = """
        insert into messages (order_id, video_number, purpose, state, chat_id, updated_at)
        values (:order, 1, 'delivery', 'UNKNOWN', 1, now())"""
    report = await _audit_after(finished, delivered, sent)
    assert report.violations == []
    why = "captured is seen once: sent, unanswered, and then its user had blocked the bot"
    assert report.excused[why] == 1
