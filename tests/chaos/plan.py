"""What will be broken when, and who wants what: made of the seed alone, before anything is started.

The same seed and length give the same plan. What it meets when its moment comes is up to the machine.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

DrawnT = TypeVar("DrawnT")

BOTS: Final = ("bot-1", "bot-2")
WORKERS: Final = ("worker-1", "worker-2", "worker-3")
SERVICES: Final = ("telegram", "kie", "openai")
SELLERS: Final = 36
WEATHER_SHARE: Final = 0.2  # of all calls, each in one of the ways it can go wrong
EVENT_SHARES: Final[Mapping[str, Mapping[str, float]]] = {
    "kie": {"lose_callbacks": 0.2, "repeat_callbacks": 0.1, "forge_callbacks": 0.1},
    "telegram": {"repeat_updates": 0.05},
}
_SECONDS_BETWEEN_ORDERS: Final = 2.0  # two cores that are being broken keep up with it
_FIRST_FAULT_SECONDS: Final = 2.0


class FaultKind(StrEnum):
    KILL = "kill -9"
    FREEZE = "freeze"  # SIGSTOP, and SIGCONT after a while
    REFUSE = "refuse connections"
    DUPLICATE = "duplicate updates"  # each is sent twice at the same time, for a while
    REPEAT = "repeat old updates"
    FORGE = "forge callbacks"


@dataclass(frozen=True, slots=True)
class Fault:
    """`seconds` is how long it lasts; of a kill, how long until somebody starts it again."""

    at_seconds: float
    kind: FaultKind
    target: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Habit:
    """How often a minute, of whom, and for how long."""

    kind: FaultKind
    targets: Sequence[str]
    per_minute: float
    seconds: tuple[float, float] = (0.0, 0.0)


_RESTART_SECONDS: Final = (0.5, 2.0)
_HABITS: Final = (
    _Habit(FaultKind.KILL, WORKERS, 4, _RESTART_SECONDS),
    _Habit(FaultKind.KILL, BOTS, 2, _RESTART_SECONDS),
    _Habit(FaultKind.KILL, ("postgres",), 1, (0.5, 4.0)),
    _Habit(FaultKind.KILL, ("temporal",), 1, (0.5, 4.0)),
    _Habit(FaultKind.FREEZE, WORKERS, 2, (2.0, 8.0)),
    _Habit(FaultKind.FREEZE, BOTS, 2, (2.0, 8.0)),
    _Habit(FaultKind.REFUSE, SERVICES, 3, (1.0, 6.0)),
    _Habit(FaultKind.DUPLICATE, ("telegram",), 1.5, (5.0, 10.0)),
    _Habit(FaultKind.REPEAT, ("telegram",), 3),
    _Habit(FaultKind.FORGE, ("bots",), 6),
)


def plan_faults(seed: int, minutes: float) -> list[Fault]:
    """Each habit at least once, spread over the whole time."""
    chance = _chance(seed, "faults")
    faults = [fault for habit in _HABITS for fault in _spread(habit, minutes, chance)]
    return sorted(faults, key=lambda fault: fault.at_seconds)


def _spread(habit: _Habit, minutes: float, chance: random.Random) -> list[Fault]:
    count = max(1, round(habit.per_minute * minutes))
    span = (minutes * 60 - _FIRST_FAULT_SECONDS) / count
    targets = list(habit.targets)
    chance.shuffle(targets)
    return [
        Fault(
            round(_FIRST_FAULT_SECONDS + (number + chance.random()) * span, 2),
            habit.kind,
            targets[number % len(targets)],
            round(chance.uniform(*habit.seconds), 2),
        )
        for number in range(count)
    ]


class Fate(StrEnum):
    """What KIE does with the tasks of an order, beside the weather."""

    NORMAL = "normal"
    FAILS_ONCE = "fails once"
    FAILS_ALWAYS = "fails always"
    FORBIDDEN = "forbidden"


class Whim(StrEnum):
    """What the seller does beside ordering."""

    NONE = "none"
    DOUBLE_TAP = "double tap"
    CANCEL = "cancel"
    MORE = "more of this"
    BLOCK = "block the bot for a while"


@dataclass(frozen=True, slots=True)
class Errand:
    """One order somebody wants. The words `take n` are in its brief, so that its fate is its own."""

    at_seconds: float
    number: int
    seller: int
    template: str
    count: int
    fate: Fate
    whim: Whim

    @property
    def words(self) -> str:
        return f"take {self.number:04d}"


_TEMPLATES: Final = {"Own prompt": 4, "UGC": 3, "Ad": 3}
_COUNTS: Final = {1: 14, 3: 4, 5: 2}
_FATES: Final = {
    Fate.NORMAL: 84,
    Fate.FAILS_ONCE: 8,
    Fate.FAILS_ALWAYS: 4,
    Fate.FORBIDDEN: 4,
}
_WHIMS: Final = {Whim.NONE: 45, Whim.DOUBLE_TAP: 20, Whim.CANCEL: 12, Whim.MORE: 13, Whim.BLOCK: 10}


def plan_errands(seed: int, minutes: float) -> list[Errand]:
    """In the order of their moments; sellers take turns, so that nobody has two at once for long."""
    chance = _chance(seed, "errands")
    count = max(1, int(minutes * 60 / _SECONDS_BETWEEN_ORDERS))
    sellers = list(range(SELLERS))
    chance.shuffle(sellers)
    return [
        Errand(
            at_seconds=round((number + chance.random()) * _SECONDS_BETWEEN_ORDERS, 2),
            number=number,
            seller=sellers[number % SELLERS],
            template=_drawn(_TEMPLATES, chance),
            count=_drawn(_COUNTS, chance),
            fate=_drawn(_FATES, chance),
            whim=_drawn(_WHIMS, chance),
        )
        for number in range(count)
    ]


def _drawn(weights: Mapping[DrawnT, int], chance: random.Random) -> DrawnT:
    return chance.choices(list(weights), list(weights.values()))[0]


def weather_seed(seed: int, service: str) -> int:
    return _chance(seed, f"weather {service}").randrange(2**31)


def _chance(seed: int, purpose: str) -> random.Random:
    return random.Random(f"{seed} {purpose}")  # noqa: S311 - a plan that can be repeated, no secret
