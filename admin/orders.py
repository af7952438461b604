"""order: the whole story of one order on one screen."""

from datetime import datetime

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from temporalio.service import RPCError

from admin.console import AsJson, Refused, section, show, show_json, table
from admin.naming import OrderName, find_order
from admin.timeline import Event, clock, counted, events, failure_words
from admin.tools import Tools, run
from admin.workflow_facts import MISSING, PendingActivity, WorkflowFacts, describe_all
from domain import ids
from domain.clock import utc_now
from store.order_story import OrderFacts, OrderStories, OrderStory, VideoFacts
from store.orders import UnknownOrder

app = typer.Typer()


@app.command(name="order")
def order_command(name: OrderName, *, as_json: AsJson = False) -> None:
    """Tell the whole story of one order: ledger, videos, attempts, messages, workflows."""
    run(lambda tools: _tell(tools, name, as_json=as_json), only_reads=True)


async def _tell(tools: Tools, name: str, *, as_json: bool) -> None:
    stories = OrderStories(await tools.database())
    order_id = await find_order(stories, name)
    story = await read_story(stories, order_id)
    workflows, silence = await _workflows(tools, story)
    if as_json:
        show_json({"story": story, "events": events(story), "workflows": workflows, "temporal": silence})
    else:
        show(*screen(story, workflows, silence, utc_now()))


async def read_story(stories: OrderStories, order_id: str) -> OrderStory:
    """Raise Refused."""
    try:
        return await stories.read(order_id)
    except UnknownOrder:
        raise Refused(f"there is no order {order_id} in this database") from None


async def _workflows(tools: Tools, story: OrderStory) -> tuple[list[WorkflowFacts], str]:
    """The rows are told also where Temporal is away; then the sentence says so."""
    names = [
        ids.order_workflow_id(story.order.id),
        *(ids.video_workflow_id(each.id) for each in story.videos),
    ]
    try:
        return await describe_all(await tools.temporal_server(), names), ""
    except (Refused, RPCError) as away:
        return [], f"Temporal was not asked: {away}"


def screen(
    story: OrderStory, workflows: list[WorkflowFacts], silence: str, now: datetime
) -> list[RenderableType]:
    parts: list[RenderableType] = [_head(story.order, now), section("videos"), _videos(story)]
    if story.attempts:
        parts += [section("attempts"), _attempts(story)]
    parts += [section("what happened, after the tap"), _timeline(events(story), story.order.created_at)]
    parts += [section("workflows"), Text(silence) if silence else _workflow_table(story, workflows, now)]
    return parts


def _head(order: OrderFacts, now: datetime) -> Group:
    lasted = clock((order.closed_at or now) - order.created_at)
    state = f"CLOSED after {lasted}" if order.closed_at else f"{order.state} for {lasted}"
    what = (
        f"{order.template}, {counted(order.video_count, 'video')}, {counted(order.price_credits, 'credit')}"
    )
    lines = [
        f"{what}{_form(order)}{_origin(order)}",
        f"{_user(order)}: {order.available} available, {order.reserved} reserved",
        f"tapped {order.created_at:%Y-%m-%d %H:%M:%S} UTC, deadline {_deadline(order, now)}",
    ]
    if order.failure_class:
        lines.append(f"ended by {failure_words(order.failure_class, order.failure_reason)}")
    if order.epoch != order.epoch_now:
        lines.append(f"of epoch {order.epoch}, before the database was restored (now {order.epoch_now})")
    return Group(Text(f"order {order.id}   {state}", style="bold"), *(Text(f"  {line}") for line in lines))


def _form(order: OrderFacts) -> str:
    chosen = [order.aspect_ratio, f"{order.video_seconds} s" if order.video_seconds else ""]
    return "".join(f", {part}" for part in chosen if part)


def _origin(order: OrderFacts) -> str:
    return f", {order.origin} of {order.source_order_id}" if order.source_order_id else ""


def _user(order: OrderFacts) -> str:
    if order.user_forgotten or order.tg_user_id is None:
        return "a forgotten user"
    return f"user {order.tg_user_id}{' (has blocked the bot)' if order.user_blocked else ''}"


def _deadline(order: OrderFacts, now: datetime) -> str:
    after = clock(order.deadline_at - order.created_at)
    if order.closed_at:
        return f"after {after}"
    left = order.deadline_at - now
    return f"in {clock(left)}" if left.total_seconds() > 0 else f"PASSED {clock(-left)} ago"


def _videos(story: OrderStory) -> RenderableType:
    shown = table("video", "state", "credits", "failure", "script", "result", "sends refused")
    for video in story.videos:
        shown.add_row(
            str(video.number),
            Text(video.state, style=_style(video.state)),
            _settled(story, video),
            failure_words(video.failure_class, video.failure_reason),
            "yes" if video.has_script else "no",
            "at Telegram" if video.is_at_telegram else "kept" if video.result_media_key else "",
            str(video.sends_refused or ""),
        )
    return shown


def _settled(story: OrderStory, video: VideoFacts) -> str:
    cause = ids.settle_cause(video.id)
    kinds = [entry.kind for entry in story.entries if entry.cause == cause]
    return f"{video.price_credits} {'captured' if 'capture' in kinds else 'refunded' if kinds else 'held'}"


def _attempts(story: OrderStory) -> RenderableType:
    shown = table("attempt", "state", "KIE task", "video model", "account")
    for attempt in story.attempts:
        state = attempt.task_state or attempt.state
        shown.add_row(
            f"{attempt.video_number}.{attempt.number}",
            Text(state, style=_style(state)),
            attempt.kie_task_id or "",
            attempt.video_model,
            attempt.account,
        )
    return shown


def _timeline(told: list[Event], tap: datetime) -> RenderableType:
    shown = table("time", "about", "what")
    shown.columns[0].justify = "right"
    for event in told:
        shown.add_row(clock(event.at - tap), event.about, event.said)
    return shown


def _workflow_table(story: OrderStory, workflows: list[WorkflowFacts], now: datetime) -> RenderableType:
    shown = table("workflow", "status", "stage", "now")
    unbegun = _unbegun(story)
    for workflow in workflows:
        is_unbegun = workflow.status == MISSING and workflow.id in unbegun
        status = "not begun" if is_unbegun else workflow.status
        said = "\n".join(_says(workflow, now))
        shown.add_row(workflow.id, Text(status, style=_style(status)), workflow.stage, said)
    return shown


def _unbegun(story: OrderStory) -> set[str]:
    """Workflows that nobody misses: the rows do not say that they ever began."""
    order = story.order
    videos = {ids.video_workflow_id(video.id) for video in story.videos if video.opened_at is None}
    return videos if order.workflow_started_at else videos | {ids.order_workflow_id(order.id)}


def _says(workflow: WorkflowFacts, now: datetime) -> list[str]:
    said = [workflow.doing, workflow.failure, *workflow.problems]
    return [*filter(None, said), *(_pending(each, now) for each in workflow.pending)]


def _pending(activity: PendingActivity, now: datetime) -> str:
    if pause := activity.pause:
        return f"{activity.name} PAUSED{f' by {pause.by}' if pause.by else ''}; to go on: {pause.undo}"
    next_at = activity.next_try_at
    again = f", again in {clock(next_at - now)}" if next_at and next_at > now else ""
    failed = f": {activity.last_failure}" if activity.last_failure else ""
    return f"{activity.name} {activity.state}, try {activity.attempt}{again}{failed}"


def _style(state: str) -> str:
    if state in {"DELIVERED", "SUCCESS", "COMPLETED"}:
        return "green"
    if state in {"FAILED", "FAIL", "REJECTED", "AMBIGUOUS", "TERMINATED", "MISSING", "TIMED_OUT"}:
        return "red"
    return "yellow" if state in {"OPEN", "DELIVERING", "RUNNING", "WAITING", "SENDING", "INTENT"} else ""
