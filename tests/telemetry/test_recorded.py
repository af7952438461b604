"""Orders of each ending on real servers: what is on the wire says the same as the rows, once per fact."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from domain.credits import EntryKind
from local.stack import Stack
from local.standins import Service
from store.counting import CREDIT_KINDS
from telemetry import metrics
from telemetry.instruments import Counter, Gauge, Histogram
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.seller import Seller, soon
from tests.stories.shelf import BOOK
from tests.stories.world import ADMIN_ID, World
from tests.telemetry.wire import EVERYWHERE, Sample, read, total

pytestmark = pytest.mark.timeout(900)

PLAYED = (
    "one video",
    "five videos arriving one by one",
    "a forbidden photo",
    "KIE refuses twice, then works",
    "a create answered by silence",
    "the user blocks the bot and comes back",
    "a payment that is told twice",
    "a payment given back",
    "cancelled before anything is bought",
)
# Nothing of these happens here: no backup, no create that is forgotten, no KIE task that nobody waits for.
SILENT = {metrics.BACKUP_AT, metrics.WAL_ARCHIVED_AT, metrics.RESTORE_TESTED_AT}

VALUES = {
    "template": {"ugc", "ad", "own"},
    "outcome": None,
    "kind": None,
    "state": {"ACCEPTED", "REJECTED", "NOT_SENT", "AMBIGUOUS", "serving", "blocked"},
    "code": re.compile(r"[1-5][0-9]{2}|none|timeout|connect|other"),
    "account": {"alpha", "beta"},
    "operation": {
        "createTask",
        "recordInfo",
        "file-stream-upload",
        "download-url",
        "credit",
        "moderation",
        "scripts",
    },
}


@dataclass
class Measured:
    stack: Stack
    before: list[Sample]
    after: list[Sample]
    world: World

    async def rows(self, sql: str) -> dict[str, Any]:
        connection = await asyncpg.connect(self.stack.owner_database_url)
        found = {row[0]: row[1] for row in await connection.fetch(sql)}
        await connection.close()
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def measured() -> AsyncIterator[Measured]:
    with throw_away_folder() as folder:
        plan = replace(plan_for(folder / "data"), metrics=True)
        async with Stack(plan) as stack:
            world = World(
                stack.chat_url,
                stack.standins[Service.KIE].url,
                stack.standins[Service.OPENAI].url,
                stack.database_url,
                LocalSystem(stack),
                draw_product(folder / "product.jpg"),
            )
            await world.telegram.post("/control/users", json={"id": ADMIN_ID, "first_name": "Admin"})
            await Seller(world.telegram, ADMIN_ID, "Admin").start()
            before = await pages(stack)
            played = [each for each in BOOK if each.name in PLAYED]
            assert len(played) == len(PLAYED)
            seen = await asyncio.gather(*(each.play(world, each.marker) for each in played))
            assert seen == [each.expected for each in played]
            await forge_a_callback(stack)
            await soon(lambda: nothing_is_open(stack), "that all orders are closed")
            yield Measured(stack, before, await pages(stack), world)
            await world.close()


async def nothing_is_open(stack: Stack) -> bool:
    """And the gauges have had the time to see it."""
    connection = await asyncpg.connect(stack.owner_database_url)
    open_orders: int = await connection.fetchval("select count(*) from orders where state = 'OPEN'")
    await connection.close()
    shown = await pages(stack)
    is_probed = any(one.name == metrics.KIE_BALANCE.name for one in shown)  # KIE is asked on a schedule
    return is_probed and open_orders == 0 and total(shown, "neurocards_open_videos") == 0


async def forge_a_callback(stack: Stack) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        answer = await http.post(f"http://127.0.0.1:{stack.web_port}/kie/nobody-v1-a1/{'0' * 64}", json={})
        assert answer.status_code == httpx.codes.NOT_FOUND


async def pages(stack: Stack) -> list[Sample]:
    read_pages = await asyncio.gather(*(read(program.metrics_url) for program in stack.programs))
    return [sample for page in read_pages for sample in page]


def wire_name(each: Counter | Histogram | Gauge) -> str:
    return {Counter: f"{each.name}_total", Histogram: f"{each.name}_seconds_count"}.get(type(each), each.name)


@pytest.mark.parametrize("each", [one for one in metrics.ALL if one not in SILENT], ids=lambda one: one.name)
async def test_every_metric_is_there(each: Counter | Histogram | Gauge, measured: Measured) -> None:
    found = [one for one in measured.after if one.name == wire_name(each)]
    assert found, each.name
    assert all(set(one.labels) - EVERYWHERE == set(each.labels) for one in found)


async def test_nothing_else_is_named_as_ours(measured: Measured) -> None:
    known = re.compile("|".join(rf"{each.name}(_total|_seconds_(bucket|count|sum))?" for each in metrics.ALL))
    ours = {one.name for one in measured.after if one.name.startswith("neurocards_")}
    assert [name for name in ours if not known.fullmatch(name)] == []


async def test_labels_have_few_values_and_name_nobody(measured: Measured) -> None:
    ours = [one for one in measured.after if one.name.startswith("neurocards_")]
    for one in ours:
        for label, value in one.labels.items():
            allowed = VALUES.get(label)
            if isinstance(allowed, set):
                assert value in allowed, (one.name, label, value)
            elif allowed is not None:
                assert allowed.fullmatch(value), (one.name, label, value)
    ids = await measured.rows("select id, 1 from orders union select tg_user_id::text, 1 from users")
    text = "\n".join(str(one.labels) for one in ours)
    assert [each for each in (*ids, *measured.world.system.secrets) if each and each in text] == []


async def test_videos_are_counted_once(measured: Measured) -> None:
    """One that waited for its user was settled as waiting."""
    rows = await measured.rows(
        "select case when m.waited then 'WAITING' else v.state end, count(*) from videos v"
        " left join lateral (select true as waited from messages m where m.order_id = v.order_id"
        " and m.video_number = v.number and m.purpose = 'delivery' and m.step > 0 limit 1) m"
        " on true group by 1"
    )
    name = "neurocards_videos_total"
    counted = {state: total(measured.after, name, outcome=state) for state in rows}
    assert counted == rows
    assert {"DELIVERED", "WAITING", "FAILED", "CANCELLED"} <= set(rows)
    assert total(measured.after, "neurocards_video_duration_seconds_count") == sum(rows.values())


async def test_a_failure_has_its_class(measured: Measured) -> None:
    rows = await measured.rows(
        "select failure_class, count(*) from videos where failure_class is not null group by 1"
    )
    name = "neurocards_videos_total"
    assert {each: total(measured.after, name, failure_class=each) for each in rows} == rows


async def test_orders_are_counted_once(measured: Measured) -> None:
    rows = await measured.rows(
        "select d.template, count(*) from orders o join drafts d on d.id = o.id group by 1"
    )
    name = "neurocards_orders_accepted_total"
    assert {each: total(measured.after, name, template=each) for each in rows} == rows
    assert total(measured.after, "neurocards_orders_total") == sum(rows.values())
    assert total(measured.after, "neurocards_orders_total", outcome="UNFINISHED") == 0


async def test_credits_are_the_ledger(measured: Measured) -> None:
    rows = await measured.rows(
        "select kind, sum(greatest(abs(available_delta), abs(reserved_delta))) from credit_entries"
        " where kind <> 'void' group by 1"
    )
    wanted = {CREDIT_KINDS[EntryKind(kind)]: amount for kind, amount in rows.items()}
    for by_command_line in ("granted", "returned"):  # a process that nobody reads
        del wanted[by_command_line]
    assert {kind: total(measured.after, "neurocards_credits_total", kind=kind) for kind in wanted} == wanted
    assert set(wanted) == {"welcome", "reserved", "captured", "refunded", "bought"}


async def test_stars_are_the_payments(measured: Measured) -> None:
    (paid,) = (await measured.rows("select 1, sum(amount) from payments")).values()
    (back,) = (await measured.rows("select 1, sum(amount) from payments where state = 'REFUNDED'")).values()
    assert total(measured.after, "neurocards_stars_total", outcome="paid") == paid
    assert total(measured.after, "neurocards_stars_total", outcome="refunded") == back > 0


async def test_attempts_are_counted_as_they_were_answered(measured: Measured) -> None:
    rows = await measured.rows("select state, count(*) from attempts group by 1")
    name = "neurocards_attempts_total"
    assert total(measured.after, name, state="ACCEPTED") == rows["ACCEPTED"]
    assert total(measured.after, name, state="REJECTED") == rows["REJECTED"] > 0
    assert total(measured.after, name, state="AMBIGUOUS") >= 1, "the adopted one was ambiguous before"
    creates = total(measured.after, "neurocards_kie_request_duration_seconds_count", operation="createTask")
    assert creates == sum(rows.values())
    admitted = total(measured.after, "neurocards_admission_wait_seconds_count")
    assert admitted == sum(rows.values())


async def test_a_delivery_is_measured_once_per_video_that_went_out_at_once(measured: Measured) -> None:
    rows = await measured.rows("select state, count(*) from videos where delivered_at is not null group by 1")
    waited = total(measured.after, "neurocards_videos_total", outcome="WAITING")
    assert total(measured.after, "neurocards_delivery_duration_seconds_count") == sum(rows.values()) - waited


async def test_callbacks_are_told_apart(measured: Measured) -> None:
    name = "neurocards_kie_callbacks_total"
    assert total(measured.after, name, outcome="forged") == 1
    assert total(measured.after, name, outcome="accepted") > 0
    assert total(measured.before, name) == 0
    assert {one.labels["outcome"] for one in measured.before if one.name == name} >= {
        "accepted",
        "unavailable",
    }


async def test_answers_are_measured_per_update(measured: Measured) -> None:
    updates = total(measured.after, "neurocards_update_duration_seconds_count", kind="callback_query")
    answers = total(measured.after, "neurocards_answer_duration_seconds_count", kind="callback_query")
    assert 0 < answers <= updates
    assert total(measured.after, "neurocards_answer_duration_seconds_count", kind="message") > 0


async def test_gauges_show_the_system(measured: Measured) -> None:
    shown = measured.after
    assert total(shown, "neurocards_kie_keys", state="serving") == 2
    assert total(shown, "neurocards_kie_keys", state="blocked") == 0
    queues = {
        one.labels["task_queue"] for one in shown if one.name == "neurocards_task_queue_pollers" and one.value
    }
    assert queues == {"orders", "prompts", "kie", "kie-create", "media", "telegram"}
    assert total(shown, "neurocards_unstarted_orders") == 0
    assert total(shown, "neurocards_reservation_age_seconds") == 0
    assert total(shown, "neurocards_problem_workflows") == 0
    sources = {one.labels["source"] for one in shown if one.name == "neurocards_measured_timestamp_seconds"}
    assert sources == {
        *("work", "services", "invariants", "chores"),
        *("task queues", "problems", "accounts", "disks"),
    }
