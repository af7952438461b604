"""A whole system makes one order of three: its trace at a collector, and its lines in the logs."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest_asyncio

from activities.log_context import _LOOK_SECONDS_MAX as LOOK_SECONDS_MAX
from local.stack import Stack
from local.standins import Service
from local.temporal import connect
from telemetry.tracing import tap_span_id_of, trace_id_of
from tests.resets.orders import Bought, Place, bought_with, confirm_card
from tests.resets.points import until_ended
from tests.stories.book import TEMPORARY_REFUSAL
from tests.stories.player import KIE_KEYS, LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.world import World
from tests.telemetry.collector import Collector, Span, collecting

MARKER = "traced9"
ROLES = ("orders,prompts", "kie,kie-create", "media,telegram")
PROMPT_WORDS = "A mug"


@dataclass(frozen=True)
class Seen:
    bought: Bought
    collector: Collector
    lines: list[dict[str, Any]]
    user_id: int
    secrets: tuple[str, ...]

    @property
    def trace(self) -> dict[str, Span]:
        return self.collector.trace(trace_id_of(self.bought.order_id))


@pytest_asyncio.fixture(scope="module")
async def seen() -> AsyncIterator[Seen]:
    """One of the three videos fails for now and is made again; the system has ended when this returns."""
    with throw_away_folder() as folder, collecting() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "LOG_FORMAT": "json", "TIME_SCALE": "0.1"}
        plan = plan_for(folder / "data", **settings)
        async with Stack(replace(plan, worker_roles=ROLES)) as stack:
            bought = await order_of_three(stack, draw_product(folder / "product.jpg"))
            rows = await bought.place.world.rows("select user_id from orders where id = $1", bought.order_id)
            await bought.place.world.close()
        secrets = (stack.environment["BOT_TOKEN"], *KIE_KEYS.values())
        yield Seen(bought, collector, lines_in(folder / "data" / "logs"), rows[0]["user_id"], secrets)


async def order_of_three(stack: Stack, photo: Path) -> Bought:
    kie, openai = stack.standins[Service.KIE].url, stack.standins[Service.OPENAI].url
    world = World(stack.chat_url, kie, openai, stack.database_url, LocalSystem(stack), photo)
    place = Place(await connect(stack.temporal.address), world)
    await world.kie_fault("createTask", MARKER, times=1, status=200, body=TEMPORARY_REFUSAL)
    seller = await world.seller(MARKER)
    card = await confirm_card(place, seller, MARKER, 3, written=True)
    bought = bought_with(place, seller, MARKER, card, 3)
    await seller.press("Generate", card)
    await until_ended(place.client, bought.workflows)
    return bought


# In colours, whatever it writes to.
CORE_WARNING = re.compile(r"[^{\s]\S* \S* *WARN\S* \S*temporalio_")


def lines_in(logs: Path) -> list[dict[str, Any]]:
    """Of our programs; what a library prints past the logger would break it.

    But for warnings of Temporal's core: a machine that stood still for a moment has some.
    """
    written = [
        path.read_text() for path in sorted(logs.glob("*.log")) if path.stem.startswith(("bot", "worker"))
    ]
    lines = [line for text in written for line in text.splitlines()]
    return [json.loads(line) for line in lines if not CORE_WARNING.match(line)]


def test_an_order_is_one_trace_that_begins_with_the_tap(seen: Seen) -> None:
    trace = seen.trace
    (tap,) = [span for span in trace.values() if not span.parent_id]
    assert (tap.name, tap.id) == ("tap", tap_span_id_of(seen.bought.order_id))
    assert tap.service == "neurocards-bot"
    orphans = [span for span in trace.values() if span.parent_id and span.parent_id not in trace]
    assert not orphans
    mine = [span for span in seen.collector.spans if seen.bought.order_id in str(span.attributes)]
    assert {span.trace_id for span in mine} == {tap.trace_id}
    assert len(seen.collector.spans) == len(trace), "nothing but orders is traced"


def test_it_leads_through_every_step_of_every_video(seen: Seen) -> None:
    for once in ("StartWorkflow:VideoOrder", "RunActivity:fetch_photo", "RunActivity:write_scripts"):
        assert steps(seen, once) == 1
    for thrice in ("RunWorkflow:Video", "RunActivity:send_video", "RunActivity:ring"):
        assert steps(seen, thrice) == 3
    assert steps(seen, "RunActivity:create_kie_task") == 4


def steps(seen: Seen, name: str) -> int:
    """Temporal may hand the same step out again, to a worker that was not let run for seconds."""
    ids = ("temporalWorkflowID", "temporalRunID", "temporalActivityID")
    spans = [span for span in seen.trace.values() if span.name == name]
    return len({tuple(span.attributes.get(each) for each in ids) for span in spans})


def test_calls_are_parts_of_the_activity_that_made_them(seen: Seen) -> None:
    def made(name: str) -> set[str]:
        return {seen.trace[span.parent_id].name for span in seen.trace.values() if span.name == name}

    assert made("GPT responses") == {"RunActivity:write_scripts"}
    assert made("KIE createTask") == {"RunActivity:create_kie_task"}
    assert made("KIE result") == {"RunActivity:fetch_result"}
    assert "RunActivity:send_video" in made("Telegram editMessageMedia")
    assert made("Telegram answerCallbackQuery") == {"tap"}


def test_an_activity_says_whom_it_is_about_and_how_it_failed(seen: Seen) -> None:
    creates = [span for span in seen.trace.values() if span.name == "RunActivity:create_kie_task"]
    for span in creates:
        assert span.attributes["attempt_id"].startswith(span.attributes["video_id"])
        assert span.attributes["queue"] == "kie-create"
    assert [span.attributes["failure_class"] for span in creates if "failure_class" in span.attributes] == [
        "TEMPORARY"
    ]


def test_no_secret_and_no_text_of_a_person_leaves_with_a_span(seen: Seen) -> None:
    sent = b"".join(seen.collector.bodies).decode("utf-8", "replace")
    for word in (*seen.secrets, MARKER, PROMPT_WORDS, "stacktrace"):
        assert word not in sent


def test_every_line_of_the_order_has_its_ids(seen: Seen) -> None:
    order_id = seen.bought.order_id
    about_it = [line for line in seen.lines if order_id in json.dumps(line)]
    assert {line.get("order_id") for line in about_it} == {order_id}
    known = [line for line in about_it if line["logger"] != "web.kie_callback"]
    assert {line.get("user_id") for line in known} - {None} == {seen.user_id}
    without = {line.get("activity") for line in known if "user_id" not in line}
    assert without <= slow_activities(seen), "only KIE knows no user"
    assert {line["event"] for line in about_it} >= {"order accepted", "order started", "activity done"}
    for line in about_it:
        if line.get("activity") in {"send_video", "create_kie_task", "ring"}:
            assert line["video_id"].startswith(order_id)


def slow_activities(seen: Seen) -> set[str | None]:
    """Those that may have given up looking for the user: their lines matter more than he does."""
    return {
        span.name.removeprefix("RunActivity:")
        for span in seen.trace.values()
        if span.name.startswith("RunActivity:") and span.seconds >= LOOK_SECONDS_MAX
    }


def test_a_failure_class_is_one_line_without_a_stack_trace(seen: Seen) -> None:
    (failed,) = [line for line in seen.lines if line.get("failure_class") == "TEMPORARY"]
    assert (failed["event"], failed["activity"]) == ("activity failed", "create_kie_task")
    assert failed["attempt_id"].startswith(seen.bought.order_id)
    assert "exception" not in failed


def test_no_activity_line_is_without_a_subject(seen: Seen) -> None:
    """But for those of the schedules, which are about nobody in particular."""
    nobody = {
        "list_overdue",
        "list_lost",
        "check_invariants",
        "probe_kie",
        "delete_old_media",
        "tell_invariants",
        "send_daily_report",
    }
    without = {line["activity"] for line in seen.lines if "activity" in line and "order_id" not in line}
    assert without <= nobody
