"""Who may create a KIE task, where, and with which video model: the rules, without any I/O.

A queue is handed over in its order (videos this user has in flight, then time), and `assign` walks it.
Room that belongs to somebody further ahead is never given to somebody behind.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.failures import Failure, FailureClass
from domain.orders import AS_IT_COMES, VideoOptions
from domain.video_models import VideoModel

KEY_REFUSED_CODE: Final = "401"
"""Of a BILLING failure: this key is out, the others of its account are not."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Of one KIE account. It takes 20 creates per 10 s; two are left for clocks that differ."""

    creates_per_window: int = 18
    window_seconds: float = 10.0
    in_flight_max: int = 100
    slot_hold_seconds: float = 1_800.0  # a KIE task nobody asks about any more is not in flight for ever
    wait_max_seconds: float = 1_800.0  # an account that serves again within this time is worth waiting for
    queue_rows_max: int = 1_000  # how far one grant looks down the queue


@dataclass(frozen=True, slots=True)
class BlockSpans:
    """How long what failed is left alone."""

    key_seconds: float = 86_400.0
    account_seconds: float = 86_400.0
    rate_limit_seconds: float = 3_600.0
    back_off_seconds: float = 60.0  # of the last serving account: somebody has to serve
    video_model_seconds: float = 3_600.0

    def scaled(self, time_scale: float) -> "BlockSpans":
        return BlockSpans(
            key_seconds=self.key_seconds * time_scale,
            account_seconds=self.account_seconds * time_scale,
            rate_limit_seconds=self.rate_limit_seconds * time_scale,
            back_off_seconds=self.back_off_seconds * time_scale,
            video_model_seconds=self.video_model_seconds * time_scale,
        )


@dataclass(frozen=True, slots=True)
class AccountLoad:
    """An account at one moment. `serves_from` is None while it serves."""

    account: str
    in_flight: int = 0
    creates_in_window: int = 0
    serves_from: datetime | None = None
    failure_class: FailureClass = FailureClass.BILLING  # why it does not serve


@dataclass(frozen=True, slots=True)
class Wish:
    """What a video can be made with. `video_models` are acceptable, the preferred first."""

    video_id: str
    video_models: tuple[str, ...]
    excluded_accounts: frozenset[str] = frozenset()
    avoided_accounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assignment:
    video_id: str
    account: str
    video_model: str


@dataclass(frozen=True, slots=True)
class Script:
    """What the video models are asked whether they can take it."""

    prompt: str
    photo_width: int
    photo_height: int
    photo_format: str = "jpeg"
    options: VideoOptions = AS_IT_COMES


@dataclass(frozen=True, slots=True)
class Outlook:
    """Queue and accounts at one moment: how long one more order would take."""

    waiting: int
    in_flight: int
    in_flight_max: int  # of the accounts that serve now or soon
    typical_seconds: float  # of the video model that is preferred now
    serves_in_seconds: float = 0.0

    def expected_wait_seconds(self, video_count: int) -> float:
        """Until the last of so many more videos is made; infinite where no account serves."""
        if self.in_flight_max == 0:
            return math.inf
        rounds = (self.waiting + self.in_flight + video_count) / self.in_flight_max
        return self.serves_in_seconds + self.typical_seconds * max(1.0, rounds)

    def room_within(self, seconds: float) -> int:
        """How many more videos can be expected within that time."""
        rounds = max(0.0, seconds - self.serves_in_seconds) / self.typical_seconds
        if rounds < 1.0:
            return 0
        return max(0, math.floor(rounds * self.in_flight_max) - self.waiting - self.in_flight)


def outlook_of(
    loads: Sequence[AccountLoad],
    waiting: int,
    in_flight: int,
    typical_seconds: float,
    now: datetime,
    limits: AdmissionLimits,
) -> Outlook:
    """A short pause of an account only delays. Who knows of no account at all supposes one."""
    starts = [_serves_in_seconds(load, now) for load in loads] or [0.0]
    soon = [seconds for seconds in starts if seconds <= limits.wait_max_seconds]
    return Outlook(
        waiting, in_flight, len(soon) * limits.in_flight_max, typical_seconds, min(soon, default=0.0)
    )


def _serves_in_seconds(load: AccountLoad, now: datetime) -> float:
    return 0.0 if load.serves_from is None else max(0.0, (load.serves_from - now).total_seconds())


def rooms(loads: Iterable[AccountLoad], limits: AdmissionLimits) -> dict[str, int]:
    """How many creates each serving account takes now."""
    return {
        load.account: max(0, min(limits.in_flight_max - load.in_flight,
                                 limits.creates_per_window - load.creates_in_window))
        for load in loads
        if load.serves_from is None
    }  # fmt: skip


def assign(
    queue: Sequence[Wish], room: Mapping[str, int], resting_models: frozenset[str]
) -> dict[str, Assignment]:
    """Give the room away in the order of the queue."""
    left = dict(room)
    assigned: dict[str, Assignment] = {}
    for wish in queue:
        if not any(left.values()):
            break
        given = _assignment(wish, left, resting_models)
        if given is not None:
            left[given.account] -= 1
            assigned[wish.video_id] = given
    return assigned


def _assignment(wish: Wish, left: Mapping[str, int], resting_models: frozenset[str]) -> Assignment | None:
    video_model = next((slug for slug in wish.video_models if slug not in resting_models), None)
    accounts = [name for name, room in left.items() if room > 0 and name not in wish.excluded_accounts]
    if video_model is None or not accounts:
        return None
    account = min(accounts, key=lambda name: (name in wish.avoided_accounts, -left[name], name))
    return Assignment(wish.video_id, account, video_model)


def acceptable_models(
    preferred: Sequence[str],
    excluded: Iterable[str],
    script: Script,
    catalogue: Mapping[str, VideoModel],
) -> tuple[str, ...] | Failure:
    """The live video models that can take this, or why there is none: those who can may only rest."""
    refusals = {slug: _refusal(catalogue[slug], script) for slug in preferred}
    capable = [slug for slug, refusal in refusals.items() if refusal is None]
    left_out = set(excluded)
    taking = tuple(slug for slug in capable if catalogue[slug].live and slug not in left_out)
    if taking:
        return taking
    if capable or not refusals:
        return Failure(FailureClass.MODEL_UNAVAILABLE)
    return Failure(FailureClass.BAD_REQUEST, code=next(iter(refusals.values())) or "")


def _refusal(video_model: VideoModel, script: Script) -> str | None:
    wrong_input = video_model.rejects(
        script.prompt, script.photo_width, script.photo_height, photo_format=script.photo_format
    )
    return wrong_input or video_model.rejects_options(script.options)


def none_serves(
    wish: Wish,
    loads: Iterable[AccountLoad],
    resting_models: frozenset[str],
    now: datetime,
    wait_max_seconds: float,
) -> Failure | None:
    """Why waiting in the queue has no sense; None when somebody serves, or soon will."""
    if resting_models.issuperset(wish.video_models):
        return Failure(FailureClass.MODEL_UNAVAILABLE)
    left = [load for load in loads if load.account not in wish.excluded_accounts]
    worth_waiting_until = now + timedelta(seconds=wait_max_seconds)
    if any(load.serves_from is None or load.serves_from <= worth_waiting_until for load in left):
        return None
    busy = any(load.failure_class is FailureClass.RATE_LIMIT for load in left)
    return Failure(FailureClass.RATE_LIMIT if busy else FailureClass.BILLING)


def rate_limit_span(account: str, loads: Iterable[AccountLoad], spans: BlockSpans) -> float:
    """The last serving account is only given a pause."""
    others_serve = any(load.serves_from is None for load in loads if load.account != account)
    return spans.rate_limit_seconds if others_serve else spans.back_off_seconds


def window_wait_seconds(sent_at: Iterable[datetime], now: datetime, limits: AdmissionLimits) -> float:
    """How long one more create of this account has to wait for the window of the real sendings."""
    opens_at = now - timedelta(seconds=limits.window_seconds)
    newest_first = sorted((each for each in sent_at if each > opens_at), reverse=True)
    if len(newest_first) < limits.creates_per_window:
        return 0.0
    return (newest_first[limits.creates_per_window - 1] - opens_at).total_seconds()
