"""retry, refund and cancel of one order, by the same transactions as bot and workflows."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer

from admin.console import AsJson, By, Refused, Yes, actor, confirm, say, show_json
from admin.naming import OrderName, find_order
from admin.orders import read_story
from admin.telling import tell_cancelled, tell_refunded
from admin.timeline import counted
from admin.tools import Tools, run
from admin.workflow_facts import pauses_of
from domain import ids
from domain.clock import utc_now
from domain.failures import Failure, FailureClass
from domain.orders import VideoState
from store.audit import AuditLog
from store.order_story import OrderStories, OrderStory, VideoFacts
from store.stores import Stores, build_stores
from workflows.start import TemporalUnavailable, WorkflowStarter

app = typer.Typer()

_FAILURE = Failure(FailureClass.UNKNOWN)
_DISPUTED = "what was delivered is never refunded here; where it is disputed: grant"
_ONLY_NEW = "what failed is tried again only as a new order, which its user makes in his chat"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a deed changed; `untold` says whom it could not tell."""

    order_id: str
    deed: str
    video_ids: tuple[str, ...] = ()
    credits_back: int = 0
    left: tuple[str, ...] = ()
    untold: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Case:
    """One order, read a moment ago, and what is needed to mend it."""

    tools: Tools
    by: str
    story: OrderStory
    stores: Stores
    audit: AuditLog

    @property
    def order_id(self) -> str:
        return self.story.order.id

    async def starter(self) -> WorkflowStarter:
        policy = self.tools.settings.order_policy
        return WorkflowStarter(await self.tools.temporal(), self.stores.orders, policy)

    async def write_down(self, deed: str, video_ids: Sequence[str], credits_back: int = 0) -> None:
        """Where credits move before it is done: one that is interrupted then is no deed of nobody."""
        details = {"video_ids": list(video_ids), "credits": credits_back}
        await self.audit.write_down(self.by, f"{deed}-order", self.order_id, details)


@app.command()
def retry(name: OrderName, *, by: By = "", as_json: AsJson = False) -> None:
    """Set an order that waits going again: start it, end its waits, send what waits for its user."""
    run(lambda tools: _retry(tools, name, actor(by), as_json=as_json))


@app.command()
def refund(
    name: OrderName,
    *,
    bought: Annotated[bool, typer.Option("--bought", help="also what KIE may be making just now")] = False,
    yes: Yes = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Close the open videos of an order as failed, and give their credits back."""
    run(lambda tools: _refund(tools, name, actor(by), bought=bought, yes=yes, as_json=as_json))


@app.command()
def cancel(name: OrderName, *, yes: Yes = False, by: By = "", as_json: AsJson = False) -> None:
    """Stop what is not bought yet and give its credits back, as Cancel in the chat does."""
    run(lambda tools: _cancel(tools, name, actor(by), yes=yes, as_json=as_json))


async def open_case(tools: Tools, name: str, by: str) -> Case:
    database = await tools.database()
    stories = OrderStories(database)
    story = await read_story(stories, await find_order(stories, name))
    stores = build_stores(database, utc_now, tools.settings.order_policy)
    return Case(tools, by, story, stores, AuditLog(database, utc_now))


# -- retry ----------------------------------------------------------------------------------------


async def _retry(tools: Tools, name: str, by: str, *, as_json: bool) -> None:
    case = await open_case(tools, name, by)
    videos = case.story.videos
    waiting = [video.id for video in videos if video.state == VideoState.WAITING]
    unfinished = [video.id for video in videos if video.is_open]
    if not waiting and not case.story.is_open:
        raise Refused(f"order {case.order_id} is over, {_standing(case.story)}: {_ONLY_NEW}")
    starter = await case.starter()
    try:
        done, woken = await _set_going(case, starter, unfinished, waiting)
    except TemporalUnavailable as away:
        raise Refused(f"Temporal did not take it ({away}): ask doctor, and try again") from None
    stopped = await _stopped(case) if unfinished else []
    if not done:
        why = "; ".join(stopped) or "no video of it has a workflow now; order shows what it waits for"
        raise Refused(f"nothing was woken in order {case.order_id}: {why}")
    repaired = Repaired(case.order_id, "retry", (*woken, *waiting))
    await case.write_down(repaired.deed, repaired.video_ids)
    _tell(repaired, [*done, *stopped], as_json=as_json)


async def _set_going(
    case: Case, starter: WorkflowStarter, unfinished: Sequence[str], waiting: Sequence[str]
) -> tuple[list[str], list[str]]:
    """In words, empty where nothing could be done; and the videos that go on."""
    done: list[str] = []
    woken: list[str] = []
    if case.story.order.workflow_started_at is None and case.story.order.state == "OPEN":
        await starter.start_order(case.order_id)
        await case.stores.orders.mark_started(case.order_id)
        woken = list(unfinished)
        done.append("its workflow is started")
    elif woken := await starter.look_at_rows(unfinished):
        done.append(f"{counted(len(woken), 'video')} woken: a wait for KIE or for an account ends now")
    for video_id in waiting:
        await case.stores.videos.ask_resend(video_id)
        await starter.resend(video_id)
    if waiting:
        done.append(f"{counted(len(waiting), 'video')} sent again, if the user has not blocked the bot")
    if not unfinished and not done:
        done.append("its videos are over; its workflow closes it, else housekeeping does")
    return done, woken


async def _stopped(case: Case) -> list[str]:
    """A paused activity goes on with nothing but its unpause."""
    names = [ids.order_workflow_id(case.order_id)]
    names += [ids.video_workflow_id(video.id) for video in case.story.videos if video.is_open]
    pauses = await pauses_of(await case.tools.temporal(), names)
    return [f"{each.activity} is paused{f' by {each.by}' if each.by else ''}: {each.undo}" for each in pauses]


# -- refund ---------------------------------------------------------------------------------------


async def _refund(tools: Tools, name: str, by: str, *, bought: bool, yes: bool, as_json: bool) -> None:
    case = await open_case(tools, name, by)
    chosen, left = _refundable(case.story, bought=bought)
    if not chosen:
        raise Refused(f"nothing to refund in order {case.order_id}: {_why_not(case.story, left)}")
    confirm(_refund_question(case.story, chosen), yes=yes)
    await case.write_down("refund", [video.id for video in chosen], _price_of(chosen))
    repaired = await _refunded(case, chosen, left, bought=bought)
    if not repaired.video_ids:
        raise Refused(f"nothing was changed in order {case.order_id}: {'; '.join(repaired.left)}")
    if not await tell_refunded(case.tools, case.stores, case.story, repaired.video_ids):
        repaired.untold.append("Telegram: housekeeping tells the user within minutes, if it reaches him")
    await _tell_workflows(case, repaired, VideoState.FAILED)
    said = f"{counted(len(repaired.video_ids), 'video')} refunded, {_credits(repaired.credits_back)} back"
    _tell(repaired, [said, *repaired.left], as_json=as_json)


def _refundable(story: OrderStory, *, bought: bool) -> tuple[list[VideoFacts], list[str]]:
    """And in words what is left as it is."""
    chosen: list[VideoFacts] = []
    left: list[str] = []
    for video in story.videos:
        if video.state == VideoState.DELIVERING:
            left.append(f"video {video.number} is being sent: it ends delivered, or refunded by itself")
        elif video.state == VideoState.OPEN and _is_bought(story, video) and not bought:
            left.append(f"video {video.number} may be bought at KIE: --bought refunds it, too, and loses it")
        elif video.state == VideoState.OPEN:
            chosen.append(video)
    return chosen, left


async def _refunded(case: Case, chosen: Sequence[VideoFacts], left: list[str], *, bought: bool) -> Repaired:
    """Whether it may be bought is asked once more under the lock."""
    videos = case.stores.videos
    settle = videos.refund_open if bought else videos.give_up
    won = [video for video in chosen if (await settle(video.id, _FAILURE)).won]
    missed = [f"video {video.number} went on meanwhile: look again" for video in chosen if video not in won]
    return Repaired(
        case.order_id,
        "refund",
        tuple(video.id for video in won),
        _price_of(won),
        (*left, *missed),
    )


def _refund_question(story: OrderStory, chosen: Sequence[VideoFacts]) -> str:
    back = _credits(_price_of(chosen))
    lost = sum(_is_bought(story, video) for video in chosen)
    paid = f" {counted(lost, 'video')} may be paid for at KIE in vain." if lost else ""
    return f"Close {counted(len(chosen), 'open video')} of {_whose(story)} as failed, {back} back?{paid}"


def _why_not(story: OrderStory, left: Sequence[str]) -> str:
    return "; ".join(left) if left else f"{_standing(story)}; {_DISPUTED}"


# -- cancel ---------------------------------------------------------------------------------------


async def _cancel(tools: Tools, name: str, by: str, *, yes: bool, as_json: bool) -> None:
    case = await open_case(tools, name, by)
    tg_user_id = case.story.order.tg_user_id or 0
    found = await case.stores.orders.cancellable(case.order_id, tg_user_id)
    if found is None or not found.stopped_video_ids:
        raise Refused(f"nothing to cancel in order {case.order_id}: {_why_not_cancelled(case.story)}")
    question = f"Stop {counted(len(found.stopped_video_ids), 'video')} of {_whose(case.story)}"
    confirm(f"{question}, {_credits(found.credits_back)} back?", yes=yes)
    await case.write_down("cancel", found.stopped_video_ids, found.credits_back)
    done = await case.stores.orders.cancel(case.order_id, tg_user_id)
    if done is None or done.repeated or not done.stopped_video_ids:
        raise Refused(f"order {case.order_id} went on meanwhile: look again")
    going_on = f"{counted(done.going_on, 'video')} may be bought already, and go on" if done.going_on else ""
    left = (going_on,) if going_on else ()
    repaired = Repaired(case.order_id, "cancel", done.stopped_video_ids, done.credits_back, left)
    if not await tell_cancelled(tools, case.stores, case.story, done):
        repaired.untold.append("Telegram: the user's cards still show it on its way")
    await _tell_workflows(case, repaired, VideoState.CANCELLED)
    said = f"{counted(len(done.stopped_video_ids), 'video')} cancelled, {_credits(done.credits_back)} back"
    _tell(repaired, [said, *left], as_json=as_json)


def _why_not_cancelled(story: OrderStory) -> str:
    if not any(video.is_open for video in story.videos):
        return f"{_standing(story)}; {_DISPUTED}"
    if story.order.tg_user_id is None:
        return "its user is forgotten; refund closes what is open"
    return "all of it may be bought already, and goes on; refund --bought gives the credits back all the same"


# -- leaves ---------------------------------------------------------------------------------------


async def _tell_workflows(case: Case, repaired: Repaired, state: VideoState) -> None:
    """The rows are committed and decide; a workflow that is not told finds them later."""
    try:
        starter = await case.starter()
        async with asyncio.timeout(10):
            await starter.videos_closed(case.order_id, repaired.video_ids, state)
    except (Refused, TemporalUnavailable, TimeoutError):
        repaired.untold.append("Temporal: the workflows find it out by themselves")


def _tell(repaired: Repaired, said: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        show_json({"result": repaired, "said": said})
        return
    for line in said:
        say(line)
    for whom in repaired.untold:
        say(f"not told: {whom}")


def _is_bought(story: OrderStory, video: VideoFacts) -> bool:
    """As `bought_attempts` has it."""
    return any(
        attempt.state in {"SENDING", "ACCEPTED", "AMBIGUOUS"}
        and attempt.task_state in {None, "RUNNING", "SUCCESS"}
        for attempt in story.attempts_of(video.number)
    )


def _standing(story: OrderStory) -> str:
    """2 DELIVERED, 1 FAILED."""
    states = [video.state for video in story.videos]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def _whose(story: OrderStory) -> str:
    user = story.order.tg_user_id
    return f"order {story.order.id} ({f'user {user}' if user else 'a forgotten user'})"


def _price_of(videos: Iterable[VideoFacts]) -> int:
    return sum(video.price_credits for video in videos)


def _credits(number: int) -> str:
    return counted(number, "credit")
