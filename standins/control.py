"""What every stand-in understands under /control: ordered faults, weather, and a journal of what came."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.server import Dropped, refuse_connections
from standins.weather import Effect, Weather, WeatherOrder, spoilt

Clock = Callable[[], datetime]
OrderT = TypeVar("OrderT", bound=BaseModel)

_JOURNAL_ENTRIES_MAX = 50_000
_VALUE_CHARACTERS_MAX = 4_000

FaultKind = Literal[
    "answer",  # this answer, no effect
    "drop_request",  # no effect, connection dropped
    "drop_answer",  # the effect, connection dropped
    "delay",  # a pause, then effect and answer
    "delay_answer",  # the effect at once, the answer after a pause
    "half_answer",  # the effect, and half of its answer
]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    where: str = "*"
    match: str = ""
    user: str = ""
    skip: int = Field(default=0, ge=0)
    times: int = Field(default=1, ge=-1, description="-1: for ever")
    kind: FaultKind = "answer"
    status: int = Field(default=500, ge=200, le=599)
    body: JsonValue = None
    headers: dict[str, str] = {}
    delay_seconds: float = Field(default=0, ge=0, le=3600)

    def aims_at(self, call: "Call") -> bool:
        return (
            self.where in {"*", call.where} and self.user in {"", call.user} and self.match in call.searchable
        )

    def answer(self) -> Response:
        if isinstance(self.body, str):
            return Response(self.body, self.status, {"content-type": "text/plain", **self.headers})
        return JSONResponse(self.body, self.status, self.headers)


@dataclass
class Call:
    """A request as faults and the journal see it.

    `about` is text that belongs to the request without being in it (the prompt of the task asked for);
    `facts` is filled by the handler with what the request led to.
    """

    where: str
    fields: dict[str, Any]
    user: str = ""
    about: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def searchable(self) -> str:
        return "\n".join([self.about, *_leaves(self.fields)])


class JournalEntry(BaseModel):
    seq: int
    at: datetime
    where: str
    user: str
    fields: dict[str, Any]
    facts: dict[str, Any] = {}
    outcome: str = "open"


@dataclass
class Turns:
    """Lets the first `skip_left` pass, then fires `times_left` times; -1 is for ever."""

    skip_left: int = 0
    times_left: int = 1
    hits: int = 0

    def fires(self) -> bool:
        if not self.times_left:
            return False
        if self.skip_left:
            self.skip_left -= 1
            return False
        self.times_left -= self.times_left > 0
        self.hits += 1
        return True

    def shown(self) -> dict[str, int]:
        return {"skip_left": self.skip_left, "times_left": self.times_left, "hits": self.hits}


@dataclass
class _Armed:
    id: int
    fault: Fault
    turns: Turns

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, **self.fault.model_dump(), **self.turns.shown()}


class Refusal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(gt=0, le=3600)


class Control:
    def __init__(
        self,
        on_reset: Callable[[], None] = lambda: None,
        clock: Clock = utc_now,
        weather: Weather | None = None,
    ) -> None:
        self.weather = weather or Weather()
        self._on_reset = on_reset
        self._clock = clock
        self._armed: dict[int, _Armed] = {}
        self._journal: deque[JournalEntry] = deque(maxlen=_JOURNAL_ENTRIES_MAX)
        self._last_fault_id = 0
        self._last_seq = 0
        self._resets = 0

    def order(self, fault: Fault) -> int:
        self._last_fault_id += 1
        turns = Turns(fault.skip, fault.times)
        self._armed[self._last_fault_id] = _Armed(self._last_fault_id, fault, turns)
        return self._last_fault_id

    def journal(self, since: int = 0, where: str = "") -> list[JournalEntry]:
        return [entry for entry in self._journal if entry.seq > since and where in {"", entry.where}]

    def note(self, call: Call, outcome: str = "open") -> JournalEntry:
        """For what is worth reading in the journal without being a request (a callback that was sent)."""
        self._last_seq += 1
        entry = JournalEntry(
            seq=self._last_seq,
            at=self._clock(),
            where=call.where,
            user=call.user,
            fields=_readable(call.fields),
            outcome=outcome,
        )
        self._journal.append(entry)
        return entry

    def reset(self) -> None:
        """All is as at the start; what is still held back here has no effect any more."""
        self._resets += 1
        self._armed.clear()
        self._journal.clear()
        self.weather.clear()
        self._on_reset()

    async def handle(self, call: Call, effect: Effect) -> Response:
        """Every request of a stand-in goes through here: journal, fault or weather, else the effect."""
        entry = self.note(call)
        entry.facts = call.facts
        effect = self._unless_reset(effect)
        if armed := self._due(call):
            fault = armed.fault
            entry.outcome = f"{fault.kind} (fault {armed.id})"
            return await spoilt(fault.kind, fault.delay_seconds, fault.answer, effect)
        if kind := self.weather.draw(call.where):
            entry.outcome = f"{kind} (weather)"
            return await self.weather.spoil(kind, call.where, effect)
        response = await effect()
        entry.outcome = str(response.status_code)
        return response

    def _unless_reset(self, effect: Effect) -> Effect:
        resets = self._resets

        async def begun_before() -> Response:
            return await effect() if resets == self._resets else Dropped()

        return begun_before

    def _due(self, call: Call) -> _Armed | None:
        for armed in self._armed.values():
            if armed.fault.aims_at(call) and armed.turns.fires():
                return armed
        return None

    def routes(self) -> list[Route]:
        return [
            Route("/control/faults", self._post_faults, methods=["POST"]),
            Route("/control/faults", self._get_faults, methods=["GET"]),
            Route("/control/faults", self._delete_faults, methods=["DELETE"]),
            Route("/control/faults/{id:int}", self._delete_faults, methods=["DELETE"]),
            Route("/control/weather", self._post_weather, methods=["POST"]),
            Route("/control/weather", self._get_weather, methods=["GET"]),
            Route("/control/weather", self._delete_weather, methods=["DELETE"]),
            Route("/control/refuse", self._post_refuse, methods=["POST"]),
            Route("/control/journal", self._get_journal, methods=["GET"]),
            Route("/control/reset", self._post_reset, methods=["POST"]),
        ]

    async def _post_faults(self, request: Request) -> Response:
        orders = await read_orders(request, Fault)
        if isinstance(orders, Response):
            return orders
        return JSONResponse({"ids": [self.order(fault) for fault in orders]})

    async def _get_faults(self, _request: Request) -> Response:
        return JSONResponse({"faults": [armed.shown() for armed in self._armed.values()]})

    async def _delete_faults(self, request: Request) -> Response:
        if "id" not in request.path_params:
            self._armed.clear()
        elif self._armed.pop(request.path_params["id"], None) is None:
            return JSONResponse({"error": "no such fault"}, 404)
        return JSONResponse({"faults": len(self._armed)})

    async def _post_weather(self, request: Request) -> Response:
        orders = await read_orders(request, WeatherOrder)
        if isinstance(orders, Response):
            return orders
        if unknown := {name for order in orders for name in order.events()} - self.weather.events:
            return JSONResponse({"error": f"not a matter of this service: {', '.join(sorted(unknown))}"}, 400)
        for order in orders:
            self.weather.begin(order)
        return await self._get_weather(request)

    async def _get_weather(self, _request: Request) -> Response:
        return JSONResponse(self.weather.shown())

    async def _delete_weather(self, request: Request) -> Response:
        self.weather.end()
        return await self._get_weather(request)

    async def _post_refuse(self, request: Request) -> Response:
        """Answered first; then nobody is listening here for so long."""
        orders = await read_orders(request, Refusal)
        if isinstance(orders, Response):
            return orders
        pause = BackgroundTask(refuse_connections, request.scope, orders[-1].seconds)
        return JSONResponse({"seconds": orders[-1].seconds}, background=pause)

    async def _get_journal(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdigit():
            return JSONResponse({"error": "since is the number of the last entry you have seen"}, 400)
        entries = self.journal(int(since), request.query_params.get("where", ""))
        return JSONResponse(
            {"entries": [entry.model_dump(mode="json") for entry in entries], "last": self._last_seq}
        )

    async def _post_reset(self, _request: Request) -> Response:
        self.reset()
        return JSONResponse({"ok": True})


async def read_orders(request: Request, kind: type[OrderT]) -> list[OrderT] | Response:
    """The body as one order or a list of them; a 400 that says what is wrong with it otherwise."""
    try:
        raw = json.loads(await request.body() or b"{}")
        return TypeAdapter(list[kind]).validate_python(raw if isinstance(raw, list) else [raw])  # type: ignore[valid-type]  # the adapter is built at run time
    except json.JSONDecodeError:
        return JSONResponse({"error": "the body is not JSON"}, 400)
    except ValidationError as refusal:
        return JSONResponse(
            {"error": json.loads(refusal.json(include_url=False, include_context=False))}, 400
        )


async def read_fields(request: Request) -> dict[str, Any]:
    """Query, then JSON or form fields; uploads stay `UploadFile`s."""
    fields: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        return fields | dict(await request.form(max_part_size=64 * 1024 * 1024))
    body = await request.body()
    return fields | (_json_object(body) if body else {})


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {"_unreadable": body[:200].decode(errors="replace")}
    return parsed if isinstance(parsed, dict) else {"_unreadable": str(parsed)[:200]}


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, UploadFile):
        yield value.filename or ""
    else:
        yield str(value)


def _readable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, UploadFile):
        return {"file": value.filename, "bytes": value.size, "content_type": value.content_type}
    if isinstance(value, str) and len(value) > _VALUE_CHARACTERS_MAX:
        return f"{value[:_VALUE_CHARACTERS_MAX]}… ({len(value)} characters)"
    return value
