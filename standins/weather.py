"""Bad weather: a share of all calls goes wrong, by chance, and the same seed draws the same chances."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from standins.server import Dropped, HalfAnswer

Effect = Callable[[], Awaitable[Response]]
WeatherKind = Literal[
    "answer_429", "answer_5xx", "drop_request", "drop_answer", "half_answer", "delay", "delay_answer"
]
# How this service says 429 or 5xx to the named call; chance may choose among several ways.
BadAnswer = Callable[[str, str, Random], Response]

_KINDS: Final[tuple[WeatherKind, ...]] = (
    "answer_429",
    "answer_5xx",
    "drop_request",
    "drop_answer",
    "half_answer",
    "delay",
    "delay_answer",
)


class WeatherOrder(BaseModel):
    """`where` names calls; "*" is every call but those that carry the service itself.

    The shares of events are drawn apart from those of calls: of callbacks at KIE, of updates at Telegram.
    """

    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    share: float = Field(default=0.2, ge=0, le=1)
    kinds: list[WeatherKind] = Field(default=list(_KINDS), min_length=1)
    where: list[str] = ["*"]
    delay_seconds: float = Field(default=2, ge=0, le=3600)
    lose_callbacks: float = Field(default=0, ge=0, le=1)
    repeat_callbacks: float = Field(default=0, ge=0, le=1)
    forge_callbacks: float = Field(default=0, ge=0, le=1)
    repeat_updates: float = Field(default=0, ge=0, le=1)

    def events(self) -> dict[str, float]:
        shares = self.model_dump(
            include={"lose_callbacks", "repeat_callbacks", "forge_callbacks", "repeat_updates"}
        )
        return {name: share for name, share in shares.items() if share}


class Weather:
    """`spared` calls are only faulty where they are named; `events` are what this service knows of."""

    def __init__(
        self,
        bad_answer: BadAnswer | None = None,
        *,
        spared: frozenset[str] = frozenset(),
        events: frozenset[str] = frozenset(),
    ) -> None:
        self._bad_answer = bad_answer or plain_bad_answer
        self._spared = spared
        self.events = events
        self._order: WeatherOrder | None = None
        self._events: dict[str, Random] = {}
        self.clear()

    def begin(self, order: WeatherOrder) -> None:
        self.clear()
        self._order = order
        self._chance = Random(order.seed)
        self._events = {name: Random(f"{order.seed}:{name}") for name in self.events}

    def clear(self) -> None:
        """Fine again. The counts of the last weather go with it."""
        self._order = None
        self._chance = Random(0)
        self._events = {}
        self._by_kind: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._faulty: Counter[str] = Counter()

    def end(self) -> None:
        """Fine again; the counts can still be read."""
        self._order = None

    def draw(self, where: str) -> WeatherKind | None:
        """What happens to this call: two draws for each, so that their sequence depends on nothing else."""
        order = self._order
        if order is None or not self._reaches(order, where):
            return None
        is_faulty, kind = self._chance.random() < order.share, self._chance.choice(order.kinds)
        self._calls[where] += 1
        if not is_faulty:
            return None
        self._by_kind[kind] += 1
        self._faulty[where] += 1
        return kind

    def happens(self, event: str) -> bool:
        order = self._order
        if order is None or event not in self._events:
            return False
        self._calls[event] += 1
        is_drawn = self._events[event].random() < order.events().get(event, 0)
        self._faulty[event] += is_drawn
        return is_drawn

    async def spoil(self, kind: WeatherKind, where: str, effect: Effect) -> Response:
        delay_seconds = self._order.delay_seconds if self._order else 0

        def bad_answer() -> Response:
            return self._bad_answer(where, kind, self._chance)

        return await spoilt(kind, delay_seconds, bad_answer, effect)

    def shown(self) -> dict[str, Any]:
        calls = {where: {"all": count, "faulty": self._faulty[where]} for where, count in self._calls.items()}
        order = self._order.model_dump() if self._order else None
        return {"weather": order, "kinds": dict(self._by_kind), "calls": calls}

    def _reaches(self, order: WeatherOrder, where: str) -> bool:
        return where in order.where or ("*" in order.where and where not in self._spared)


async def spoilt(kind: str, delay_seconds: float, answer: Callable[[], Response], effect: Effect) -> Response:
    """One faulty call; whatever has no name here is an answer without the effect."""
    match kind:
        case "drop_request":
            return Dropped()
        case "drop_answer":
            await effect()
            return Dropped()
        case "delay":
            await asyncio.sleep(delay_seconds)
            return await effect()
        case "delay_answer":
            response = await effect()
            await asyncio.sleep(delay_seconds)
            return response
        case "half_answer":
            return HalfAnswer(await effect())
        case _:
            return answer()


def plain_bad_answer(_where: str, kind: str, chance: Random) -> Response:
    status = 429 if kind == "answer_429" else chance.choice((500, 502, 503))
    return JSONResponse({"error": "bad weather"}, status)
