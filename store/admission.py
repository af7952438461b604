"""Admission of videos to KIE accounts: who gets a slot and a create, and who waits.

Locks are always taken in this order: the video, its attempt, the accounts by name. The one exception never
waits: videos out of the queue are locked after the accounts, and skipped where somebody holds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Final

from domain import ids
from domain.admission import (
    AccountLoad,
    AdmissionLimits,
    Assignment,
    Outlook,
    Script,
    Wish,
    acceptable_models,
    assign,
    none_serves,
    outlook_of,
    rooms,
)
from domain.attempts import AttemptEvent, AttemptPhase, AttemptRow, standing_attempt
from domain.clock import Clock
from domain.failures import Failure
from domain.keys import KeyRef
from domain.video_models import CATALOGUE, VideoModel
from store.accounts import DEFAULT_LIMITS, AccountRows, count_creates, resting_models
from store.attempts import Attempts, attempt_row, lock_video, options_of, read_attempts
from store.counting import count_admission
from store.database import Connection, Database, Row, load_queries
from store.videos import AlreadySettled, is_over

_queries = load_queries("admission")

_PHOTO_FORMATS: Final = {"jpg": "jpeg", "": "jpeg"}


@dataclass(frozen=True, slots=True)
class Granted:
    """An attempt in state INTENT: its slot and its create are held for it."""

    attempt: AttemptRow


@dataclass(frozen=True, slots=True)
class Queued:
    """`place` 1 is next. Where `others_can_go`, the caller should call `grant_waiting`."""

    place: int
    others_can_go: bool = False


@dataclass(frozen=True, slots=True)
class NoneServes:
    failure: Failure


@dataclass(frozen=True, slots=True)
class Forbidden:
    """An earlier attempt may have bought a KIE task: go on with that one, or give up."""

    attempt: AttemptRow


Answer = Granted | Queued | NoneServes | Forbidden


@dataclass(frozen=True, slots=True)
class GrantedVideo:
    video_id: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class _Scene:
    """The accounts at one moment, locked."""

    now: datetime
    loads: list[AccountLoad]
    resting_models: frozenset[str]


class Admission(Attempts):
    """`keys` are the configured ones, `video_models` the order of preference."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keys: Sequence[KeyRef],
        video_models: Sequence[str],
        limits: AdmissionLimits = DEFAULT_LIMITS,
        catalogue: Mapping[str, VideoModel] = CATALOGUE,
    ) -> None:
        super().__init__(database, clock, limits)
        self._rows = AccountRows(database, keys)
        self._video_models = tuple(video_models)
        self._catalogue = catalogue

    async def request(
        self,
        video_id: str,
        excluded_accounts: Sequence[str] = (),
        avoided_accounts: Sequence[str] = (),
        excluded_models: Sequence[str] = (),
    ) -> Answer:
        """Ask for an account. Asked again, gives the same attempt, or keeps the place in the queue.

        Raise AlreadySettled for a closed video.
        """
        await self._rows.make()
        async with self._database.transaction() as connection:
            video = await lock_video(connection, video_id)
            if is_over(video):
                raise AlreadySettled(video_id)
            standing = standing_attempt(await read_attempts(connection, video_id))
            if standing is not None and _is_unfit(standing, excluded_accounts, excluded_models):
                await self._advance(connection, standing, AttemptEvent.ABANDON)
            elif standing is not None:
                await _queries.leave_queue(connection, video_id=video_id)
                return _answer_with(standing)
            models = acceptable_models(self._video_models, excluded_models, _script(video), self._catalogue)
            if isinstance(models, Failure):
                await _queries.leave_queue(connection, video_id=video_id)
                return NoneServes(models)
            wish = Wish(video_id, models, frozenset(excluded_accounts), frozenset(avoided_accounts))
            return await self._queue_up(connection, video["user_id"], wish)

    async def _queue_up(self, connection: Connection, user_id: int, wish: Wish) -> Answer:
        """Into the queue, and straight out again where there is room for all ahead and this one."""
        scene = await self._lock_scene(connection)
        failure = none_serves(
            wish, scene.loads, scene.resting_models, scene.now, self._limits.wait_max_seconds
        )
        if failure is not None:
            await _queries.leave_queue(connection, video_id=wish.video_id)
            return NoneServes(failure)
        await _enqueue(connection, wish, user_id, scene.now)
        queue, assigned = await self._assign(connection, scene)
        own = assigned.get(wish.video_id)
        if own is None:
            return Queued(_place(queue, wish.video_id), others_can_go=bool(assigned))
        return Granted(await self._grant(connection, own, user_id, scene.now))

    async def grant_waiting(self) -> list[GrantedVideo]:
        """Give all the room there is to those who wait. The caller signals their workflows."""
        await self._rows.make()
        async with self._database.transaction() as connection:
            scene = await self._lock_scene(connection)
            await _queries.forget_closed(connection)
            _, assigned = await self._assign(connection, scene)
            free = _queries.lock_waiting_videos(connection, video_ids=list(assigned))
            users = {row["id"]: row["user_id"] async for row in free}
            granted = [
                await self._grant(connection, assignment, users[video_id], scene.now)
                for video_id, assignment in assigned.items()
                if video_id in users
            ]
        return [GrantedVideo(attempt.video_id, attempt.id) for attempt in granted]

    async def leave(self, video_id: str) -> None:
        async with self._database.connection() as connection:
            await _queries.leave_queue(connection, video_id=video_id)

    async def outlook(self) -> Outlook:
        """For the expected wait of one more order."""
        await self._rows.make()
        now = self._clock()
        async with self._database.connection() as connection:
            loads = await self._rows.read(connection, now)
            row = await _queries.outlook(connection, held_since=self._held_since(now))
            resting = await resting_models(connection, now)
        live = [slug for slug in self._video_models if self._catalogue[slug].live]
        preferred = next((slug for slug in live if slug not in resting), self._video_models[0])
        typical_seconds = self._catalogue[preferred].typical_seconds
        return outlook_of(loads, row["waiting"], row["in_flight"], typical_seconds, now, self._limits)

    async def places(self, video_ids: Sequence[str]) -> dict[str, int]:
        """Where each of these stands in the whole queue, 1 being next; without those that do not wait."""
        now = self._clock()
        async with self._database.connection() as connection:
            rows = _queries.places(
                connection, now=now, held_since=self._held_since(now), video_ids=list(video_ids)
            )
            return {row["video_id"]: row["place"] async for row in rows}

    async def _lock_scene(self, connection: Connection) -> _Scene:
        loads = await self._rows.lock(connection, self._clock)
        now = self._clock()
        counted = await count_creates(connection, loads, now, self._limits)
        return _Scene(now, counted, await resting_models(connection, now))

    async def _assign(
        self, connection: Connection, scene: _Scene
    ) -> tuple[list[Wish], dict[str, Assignment]]:
        rows = _queries.queue_in_order(
            connection,
            now=scene.now,
            held_since=self._held_since(scene.now),
            rows_max=self._limits.queue_rows_max,
        )
        queue = [_wish(row) async for row in rows]
        return queue, assign(queue, rooms(scene.loads, self._limits), scene.resting_models)

    def _held_since(self, now: datetime) -> datetime:
        return now - timedelta(seconds=self._limits.slot_hold_seconds)

    async def _grant(
        self, connection: Connection, assignment: Assignment, user_id: int, now: datetime
    ) -> AttemptRow:
        video_id = assignment.video_id
        number = 1 + await _queries.last_number(connection, video_id=video_id)
        key_id = await _queries.take_key(
            connection, account=assignment.account, key_ids=self._rows.key_ids, now=now
        )
        row = await _queries.insert_attempt(
            connection,
            attempt_id=ids.attempt_id(video_id, number),
            video_id=video_id,
            user_id=user_id,
            number=number,
            video_model=assignment.video_model,
            account=assignment.account,
            key_id=key_id,
            now=now,
        )
        count_admission(await _queries.take_from_queue(connection, video_id=video_id, now=now))
        return attempt_row(row)


async def _enqueue(connection: Connection, wish: Wish, user_id: int, now: datetime) -> None:
    await _queries.enqueue(
        connection,
        video_id=wish.video_id,
        user_id=user_id,
        video_models=list(wish.video_models),
        excluded_accounts=sorted(wish.excluded_accounts),
        avoided_accounts=sorted(wish.avoided_accounts),
        now=now,
    )


def _is_unfit(standing: AttemptRow, excluded_accounts: Sequence[str], excluded_models: Sequence[str]) -> bool:
    """Nothing was sent yet, and it would go where the video must not go: its upload was refused there."""
    excluded = standing.account in excluded_accounts or standing.video_model in excluded_models
    return excluded and standing.phase is AttemptPhase.INTENT


def _answer_with(standing: AttemptRow) -> Answer:
    return Granted(standing) if standing.phase is AttemptPhase.INTENT else Forbidden(standing)


def _place(queue: Sequence[Wish], video_id: str) -> int:
    """One past the end where so many wait that the queue was not read to its end."""
    places = (place for place, wish in enumerate(queue, start=1) if wish.video_id == video_id)
    return next(places, len(queue) + 1)


def _script(video: Row) -> Script:
    suffix = PurePosixPath(video["photo_media_key"] or "").suffix.lstrip(".").lower()
    return Script(
        prompt=video["script"] or "",
        photo_width=video["photo_width"] or 0,
        photo_height=video["photo_height"] or 0,
        photo_format=_PHOTO_FORMATS.get(suffix, suffix),
        options=options_of(video),
    )


def _wish(row: Row) -> Wish:
    return Wish(
        row["video_id"],
        tuple(row["video_models"]),
        frozenset(row["excluded_accounts"]),
        frozenset(row["avoided_accounts"]),
    )
