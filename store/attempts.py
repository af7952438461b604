"""The rows of the create calls. `domain.attempts` decides; here it is made durable, under a lock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

import asyncpg

from domain import ids
from domain.admission import AdmissionLimits, window_wait_seconds
from domain.attempts import (
    NOTHING_SAID,
    AttemptEvent,
    AttemptPhase,
    AttemptRow,
    KieSaid,
    Outcome,
    Recorded,
    TaskState,
    advance,
)
from domain.clock import Clock
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import AS_IT_COMES, AttemptState, VideoOptions
from store.accounts import DEFAULT_LIMITS, lock_account
from store.counting import count_attempt, count_late_result
from store.database import Connection, Database, Row, load_queries
from store.videos import AlreadySettled, UnknownVideo, is_over

_ENDS: Final = frozenset({AttemptEvent.SUCCEED, AttemptEvent.FAIL})

_queries = load_queries("admission")


class UnknownAttempt(Exception):
    """There is no such attempt."""


class BeginCreate(StrEnum):
    STARTED = "STARTED"
    TOO_EARLY = "TOO_EARLY"  # the account's window is full for `wait_seconds`
    FOUND_SENDING = "FOUND_SENDING"  # an earlier try went out, and nobody knows what became of it
    ALREADY = "ALREADY"  # the attempt says what it has become


@dataclass(frozen=True, slots=True)
class BeginCreateResult:
    """`options` are what the user chose of the form of this video."""

    outcome: BeginCreate
    attempt: AttemptRow
    wait_seconds: float = 0.0
    options: VideoOptions = AS_IT_COMES


class Attempts:
    """Every `record_*` may be repeated; what an attempt can no longer become is answered REFUSED."""

    def __init__(self, database: Database, clock: Clock, limits: AdmissionLimits = DEFAULT_LIMITS) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits

    async def attempt(self, attempt_id: str) -> AttemptRow:
        """Raise UnknownAttempt."""
        async with self._database.connection() as connection:
            row = await _queries.read_attempt(connection, attempt_id=attempt_id)
        return _known(row, attempt_id)

    async def attempts_of(self, video_id: str) -> list[AttemptRow]:
        """The first one first."""
        async with self._database.connection() as connection:
            return await read_attempts(connection, video_id)

    async def left_alone(self, within: timedelta) -> list[AttemptRow]:
        """Sent within that time, and their videos were settled before their KIE tasks had ended."""
        since = self._clock() - within
        async with self._database.connection() as connection:
            return [attempt_row(row) async for row in _queries.left_alone(connection, since=since)]

    async def begin_create(self, attempt_id: str) -> BeginCreateResult:
        """`INTENT → SENDING`, committed before the call. Raise AlreadySettled for a closed video."""
        async with self._database.transaction() as connection:
            video = await lock_video(connection, ids.video_id_of_attempt(attempt_id))
            closed = is_over(video)
            result = await self._begin(connection, attempt_id, video["script"] or "", closed=closed)
        if closed:  # outside, so that a SENDING that was found stays AMBIGUOUS
            raise AlreadySettled(video["id"])
        return replace(result, options=options_of(video))

    async def record_accepted(self, attempt_id: str, kie_task_id: str) -> Recorded:
        """Also adopts, where the answer was lost. A KIE task of another attempt is refused."""
        said = KieSaid(kie_task_id=kie_task_id)
        try:
            return await self._record(attempt_id, AttemptEvent.ACCEPT, said)
        except asyncpg.UniqueViolationError:
            return Recorded(Outcome.REFUSED, await self.attempt(attempt_id))

    async def record_rejected(self, attempt_id: str, failure: Failure, raw_answer: str = "") -> Recorded:
        return await self._record(
            attempt_id, AttemptEvent.REJECT, KieSaid(failure=failure, raw_answer=raw_answer)
        )

    async def record_not_sent(self, attempt_id: str) -> Recorded:
        """Nobody was reached: the video may be admitted again, and no try is used up."""
        return await self._record(attempt_id, AttemptEvent.FAIL_TO_SEND)

    async def record_ambiguous(self, attempt_id: str, raw_answer: str = "") -> Recorded:
        return await self._record(attempt_id, AttemptEvent.LOSE_ANSWER, KieSaid(raw_answer=raw_answer))

    async def record_task_success(
        self, attempt_id: str, result_urls: Sequence[str], credits_consumed: float | None = None
    ) -> Recorded:
        said = KieSaid(result_urls=tuple(result_urls), credits_consumed=credits_consumed)
        return await self._record(attempt_id, AttemptEvent.SUCCEED, said)

    async def record_task_failed(
        self, attempt_id: str, failure: Failure, raw_answer: str = "", credits_consumed: float | None = None
    ) -> Recorded:
        said = KieSaid(failure=failure, raw_answer=raw_answer, credits_consumed=credits_consumed)
        return await self._record(attempt_id, AttemptEvent.FAIL, said)

    async def abandon(self, attempt_id: str) -> Recorded:
        """Nobody waits for it any more. Its slot stays held while KIE may still be working on it."""
        return await self._record(attempt_id, AttemptEvent.ABANDON)

    async def _begin(
        self, connection: Connection, attempt_id: str, prompt: str, *, closed: bool
    ) -> BeginCreateResult:
        attempt = await _lock_attempt(connection, attempt_id)
        if attempt.phase is AttemptPhase.SENDING:
            lost = await self._advance(connection, attempt, AttemptEvent.START)
            return BeginCreateResult(BeginCreate.FOUND_SENDING, lost.attempt)
        if closed or attempt.phase is not AttemptPhase.INTENT:
            return BeginCreateResult(BeginCreate.ALREADY, attempt)
        wait_seconds = await self._window_wait(connection, attempt.account)
        if wait_seconds > 0:
            return BeginCreateResult(BeginCreate.TOO_EARLY, attempt, wait_seconds)
        sending = await self._advance(connection, attempt, AttemptEvent.START, KieSaid(prompt=prompt))
        return BeginCreateResult(BeginCreate.STARTED, sending.attempt)

    async def _window_wait(self, connection: Connection, account: str) -> float:
        """Counted once more by what was really sent: uploads before a create differ in length."""
        await lock_account(connection, account)
        now = self._clock()
        window_since = now - timedelta(seconds=self._limits.window_seconds)
        rows = _queries.recently_sent(connection, account=account, window_since=window_since)
        return window_wait_seconds([row["sent_at"] async for row in rows], now, self._limits)

    async def _record(self, attempt_id: str, event: AttemptEvent, said: KieSaid = NOTHING_SAID) -> Recorded:
        async with self._database.transaction() as connection:
            attempt = await _lock_attempt(connection, attempt_id)
            return await self._advance(connection, attempt, event, said)

    async def _advance(
        self,
        connection: Connection,
        attempt: AttemptRow,
        event: AttemptEvent,
        said: KieSaid = NOTHING_SAID,
    ) -> Recorded:
        recorded = advance(attempt, event, self._clock(), said)
        if recorded.attempt != attempt:
            await _write_attempt(connection, recorded.attempt)
            count_attempt(attempt, recorded.attempt)
            if event in _ENDS and await _queries.is_settled(connection, video_id=attempt.video_id):
                count_late_result()
        return recorded


async def lock_video(connection: Connection, video_id: str) -> Row:
    row: Row | None = await _queries.lock_video(connection, video_id=video_id)
    if row is None:
        raise UnknownVideo(video_id)
    return row


def options_of(video: Row) -> VideoOptions:
    """Of a row that `lock_video` gave."""
    return VideoOptions(video["aspect_ratio"], video["video_seconds"])


async def read_attempts(connection: Connection, video_id: str) -> list[AttemptRow]:
    return [attempt_row(row) async for row in _queries.attempts_of(connection, video_id=video_id)]


def attempt_row(row: Row) -> AttemptRow:
    return AttemptRow(
        id=row["id"],
        video_id=row["video_id"],
        user_id=row["user_id"],
        number=row["number"],
        video_model=row["video_model"],
        account=row["account"],
        key_id=row["key_id"],
        state=AttemptState(row["state"]),
        admitted_at=row["admitted_at"],
        kie_task_id=row["kie_task_id"],
        prompt=row["prompt"],
        task_state=TaskState(row["task_state"]) if row["task_state"] else None,
        result_urls=tuple(row["result_urls"]),
        failure=_failure(row),
        raw_answer=row["raw_answer"],
        credits_consumed=row["credits_consumed"],
        sent_at=row["sent_at"],
        accepted_at=row["accepted_at"],
        ended_at=row["ended_at"],
    )


def _failure(row: Row) -> Failure | None:
    if row["failure_class"] is None:
        return None
    return Failure(
        FailureClass(row["failure_class"]), FailureReason(row["failure_reason"]), row["failure_code"]
    )


def _known(row: Row | None, attempt_id: str) -> AttemptRow:
    if row is None:
        raise UnknownAttempt(attempt_id)
    return attempt_row(row)


async def _lock_attempt(connection: Connection, attempt_id: str) -> AttemptRow:
    return _known(await _queries.lock_attempt(connection, attempt_id=attempt_id), attempt_id)


async def _write_attempt(connection: Connection, attempt: AttemptRow) -> None:
    failure = attempt.failure
    await _queries.write_attempt(
        connection,
        attempt_id=attempt.id,
        state=attempt.state.value,
        task_state=attempt.task_state,
        kie_task_id=attempt.kie_task_id,
        prompt=attempt.prompt,
        result_urls=list(attempt.result_urls),
        failure_class=failure.failure_class.value if failure else None,
        failure_reason=(failure.reason if failure else FailureReason.NONE).value,
        failure_code=failure.code if failure else "",
        raw_answer=attempt.raw_answer,
        credits_consumed=attempt.credits_consumed,
        sent_at=attempt.sent_at,
        accepted_at=attempt.accepted_at,
        ended_at=attempt.ended_at,
    )
