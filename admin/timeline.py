"""One order as a list of what happened, each with its time after the tap."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.order_story import AttemptFacts, EntryFacts, MessageFacts, OrderFacts, OrderStory, VideoFacts

_SAID_CHARS_MAX: Final = 160
_FAIL_MESSAGE: Final = re.compile(r'"failMsg":\s*"((?:[^"\\]|\\.)+)"')
_MESSAGE: Final = re.compile(r'"msg":\s*"((?:[^"\\]|\\.)+)"')


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    about: str
    said: str


def events(story: OrderStory) -> list[Event]:
    """The tap, and then the earliest first."""
    found = [
        *_of_order(story.order),
        *(_of_entry(entry) for entry in story.entries),
        *(event for video in story.videos for event in _of_video(video)),
        *(event for attempt in story.attempts for event in _of_attempt(attempt)),
        *(_of_message(message) for message in story.messages),
        *(Event(deed.created_at, "operator", f"{deed.action} by {deed.by}") for deed in story.deeds),
    ]
    tap = Event(story.order.created_at, "order", f"tapped: {counted(story.order.video_count, 'video')}")
    return [tap, *sorted(found, key=lambda event: event.at)]


def _of_order(order: OrderFacts) -> Iterator[Event]:
    if order.workflow_started_at:
        yield Event(order.workflow_started_at, "order", "workflow started")
    if order.closed_at:
        why = f" ({failure_words(order.failure_class, order.failure_reason)})" if order.failure_class else ""
        yield Event(order.closed_at, "order", f"closed{why}")


def _of_entry(entry: EntryFacts) -> Event:
    of_video = f" of video {entry.video_id.rpartition('-v')[2]}" if entry.video_id else ""
    moved = counted(abs(entry.reserved_delta), "credit")
    now = f"then {entry.available_after} available, {entry.reserved_after} reserved"
    return Event(entry.created_at, "ledger", f"{entry.kind}{of_video}: {moved}; {now}")


def _of_video(video: VideoFacts) -> Iterator[Event]:
    about = f"video {video.number}"
    told = (
        (video.opened_at, "workflow began"),
        (video.enqueued_at if video.is_open else None, "waits for an account since then"),
        (video.ready_at, "result kept"),
        (video.closed_at, _end_of(video)),
    )
    for at, said in told:
        if at is not None:
            yield Event(at, about, said)


def _end_of(video: VideoFacts) -> str:
    if not video.failure_class:
        return video.state
    return f"{video.state}: {failure_words(video.failure_class, video.failure_reason)}"


def _of_attempt(attempt: AttemptFacts) -> Iterator[Event]:
    about = f"attempt {attempt.video_number}.{attempt.number}"
    of_account = f"{attempt.account}, " if attempt.account != attempt.key_id else ""
    yield Event(attempt.admitted_at, about, f"{attempt.video_model} on {of_account}{attempt.key_id}")
    if attempt.sent_at and not attempt.accepted_at and not attempt.ended_at:
        yield Event(attempt.sent_at, about, f"create sent, and no answer yet: {attempt.state}")
    if attempt.accepted_at:
        yield Event(attempt.accepted_at, about, f"KIE task {attempt.kie_task_id}")
    if attempt.ended_at:
        yield Event(attempt.ended_at, about, _outcome(attempt))


def _outcome(attempt: AttemptFacts) -> str:
    state = attempt.task_state or attempt.state
    failed = failure_words(attempt.failure_class, attempt.failure_reason, attempt.failure_code)
    cost = f", {attempt.credits_consumed:g} KIE credits" if attempt.credits_consumed else ""
    said = f"; KIE: {_said(attempt.raw_answer)}" if failed and attempt.raw_answer else ""
    return f"{state}{': ' if failed else ''}{failed}{cost}{said}"


def _said(raw_answer: str) -> str:
    """What an answer says in words, or as much of it as there is room for."""
    words = _FAIL_MESSAGE.search(raw_answer) or _MESSAGE.search(raw_answer)
    return (words[1] if words else raw_answer)[:_SAID_CHARS_MAX]


def _of_message(message: MessageFacts) -> Event:
    of_video = f"video {message.video_number}" if message.video_number else "order"
    again = f" #{message.step}" if message.step else ""
    return Event(message.updated_at, of_video, f"message {message.purpose}{again} {message.state}")


def failure_words(failure_class: str | None, reason: str, code: str = "") -> str:
    if not failure_class:
        return ""
    inside = ", ".join(part for part in (reason if reason != "none" else "", code) if part)
    return f"{failure_class} ({inside})" if inside else failure_class


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def clock(span: timedelta) -> str:
    """4:07, 1:02:03; before the tap with a minus."""
    seconds = round(abs(span.total_seconds()))
    sign = "-" if span < timedelta() and seconds else ""
    hours, rest = divmod(seconds, 3600)
    return f"{sign}{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{sign}{rest // 60}:{rest % 60:02}"
