"""A share of the calls goes wrong, repeatably; a service may be away altogether and comes back as it was."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from local.processes import free_port
from standins.control import Call, Control, read_fields
from standins.server import refuse_connections, running
from standins.weather import Weather

LOST = "lost"
AGES_SECONDS = 600  # no machine stalls for so long


class Service:
    """Counts what had an effect; `poll` carries it, so that weather spares it."""

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.scope: Scope = {}
        weather = Weather(spared=frozenset({"poll"}), events=frozenset({"lose_callbacks"}))
        self.control = Control(self.effects.clear, weather=weather)

    async def take(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.scope = request.scope

        async def effect() -> Response:
            self.effects.append(name)
            return JSONResponse({"done": name, "padding": "x" * 1000})

        return await self.control.handle(Call(name, await read_fields(request)), effect)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/do/{name}", self.take, methods=["POST"]), *self.control.routes()])


class Rig:
    def __init__(self, service: Service, http: httpx.AsyncClient) -> None:
        self.service = service
        self.http = http

    async def weather(self, **order: Any) -> dict[str, Any]:
        answer = await self.http.post("/control/weather", json=order)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def do(self, name: str = "call") -> int | str:
        try:
            return (await self.http.post(f"/do/{name}")).status_code
        except httpx.RemoteProtocolError:
            return LOST

    async def calls(self, count: int, name: str = "call") -> list[int | str]:
        return [await self.do(name) for _ in range(count)]

    async def outcomes(self) -> list[str]:
        journal = (await self.http.get("/control/journal")).json()["entries"]
        return [entry["outcome"] for entry in journal]

    async def refuse(self, seconds: float) -> None:
        answer = await self.http.post("/control/refuse", json={"seconds": seconds})
        assert answer.json() == {"seconds": seconds}
        await asyncio.sleep(0.05)  # what is kept alive is closed behind the answer's back

    async def come_back(self) -> None:
        """Before the time that was ordered, by the way a server has that nobody can ask."""
        await refuse_connections(self.service.scope, 0.01)
        await self.until_back()

    async def until_back(self) -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    await self.http.get("/control/weather")
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
                else:
                    return


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    service = Service()
    async with running(service.app()) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Rig(service, http)


async def test_a_share_of_the_calls_goes_wrong_and_the_same_seed_repeats_it(rig: Rig) -> None:
    kinds = ["answer_429", "answer_5xx", "drop_request", "drop_answer", "half_answer"]
    runs = []
    for seed in (7, 7, 8):
        await rig.weather(seed=seed, share=0.3, kinds=kinds)
        before = len(await rig.outcomes())
        await rig.calls(100)
        runs.append((await rig.outcomes())[before:])
    assert runs[0] == runs[1] != runs[2]
    faulty = [outcome for outcome in runs[0] if outcome.endswith("(weather)")]
    assert 15 <= len(faulty) <= 45
    assert {outcome.partition(" ")[0] for outcome in faulty} == set(kinds)


async def test_what_weather_draws_does_not_depend_on_what_it_spares(rig: Rig) -> None:
    await rig.weather(seed=3, share=0.5, kinds=["answer_5xx"])
    alone = await rig.calls(20)
    await rig.weather(seed=3, share=0.5, kinds=["answer_5xx"])
    mixed = []
    for _ in range(20):
        assert await rig.do("poll") == 200
        mixed.append(await rig.do())
    assert [status == 200 for status in mixed] == [status == 200 for status in alone]


@pytest.mark.parametrize(
    ("kind", "answer", "effects"),
    [
        ("answer_429", 429, 0),
        ("drop_request", LOST, 0),
        ("drop_answer", LOST, 1),
        ("half_answer", LOST, 1),
        ("delay", 200, 1),
        ("delay_answer", 200, 1),
    ],
)
async def test_each_kind_of_weather(rig: Rig, kind: str, answer: int | str, effects: int) -> None:
    await rig.weather(share=1, kinds=[kind], delay_seconds=0.05)
    assert await rig.do() == answer
    assert len(rig.service.effects) == effects
    assert await rig.outcomes() == [f"{kind} (weather)"]


async def test_calls_are_named_and_those_that_carry_the_service_only_by_name(rig: Rig) -> None:
    await rig.weather(share=1, kinds=["answer_429"], where=["here"])
    assert [await rig.do("here"), await rig.do("there"), await rig.do("poll")] == [429, 200, 200]
    await rig.weather(share=1, kinds=["answer_429"], where=["*", "poll"])
    assert [await rig.do("here"), await rig.do("poll")] == [429, 429]


async def test_it_is_counted_and_ends(rig: Rig) -> None:
    await rig.weather(seed=1, share=0.5, kinds=["answer_429"])
    statuses = await rig.calls(40)
    shown = (await rig.http.get("/control/weather")).json()
    faulty = statuses.count(429)
    assert shown["kinds"] == {"answer_429": faulty}
    assert shown["calls"] == {"call": {"all": 40, "faulty": faulty}}
    ended = (await rig.http.delete("/control/weather")).json()
    assert (ended["weather"], ended["kinds"]) == (None, {"answer_429": faulty})
    assert set(await rig.calls(20)) == {200}


async def test_ordered_faults_come_first(rig: Rig) -> None:
    await rig.weather(share=1, kinds=["answer_429"])
    await rig.http.post("/control/faults", json={"status": 418, "body": {}})
    assert [await rig.do(), await rig.do()] == [418, 429]


async def test_a_reset_clears_the_sky(rig: Rig) -> None:
    await rig.weather(share=1, kinds=["answer_429"])
    await rig.http.post("/control/reset")
    assert await rig.do() == 200


@pytest.mark.parametrize(
    "order",
    [
        {"share": 1.5},
        {"kinds": []},
        {"kinds": ["rain"]},
        {"repeat_updates": 0.5},  # not a matter of this service
        {"sun": True},
    ],
)
async def test_wrong_orders_are_refused_and_change_nothing(rig: Rig, order: dict[str, Any]) -> None:
    answer = await rig.http.post("/control/weather", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert await rig.do() == 200


# -- away ---------------------------------------------------------------------------------------------


async def test_nobody_listens_for_a_while_and_everything_is_still_there_afterwards(rig: Rig) -> None:
    assert await rig.do() == 200  # a connection that is kept alive is closed, too
    await rig.refuse(AGES_SECONDS)
    with pytest.raises(httpx.ConnectError):
        await rig.do()
    await rig.come_back()
    assert await rig.do() == 200
    assert rig.service.effects == ["call", "call"]
    assert await rig.outcomes() == ["200", "200"]


async def test_it_can_be_away_more_than_once(rig: Rig) -> None:
    for _ in range(3):
        assert await rig.do() == 200
        await rig.refuse(AGES_SECONDS)
        with pytest.raises(httpx.ConnectError):
            await rig.do()
        await rig.come_back()
    assert await rig.do() == 200


async def test_it_is_back_when_the_time_is_over(rig: Rig) -> None:
    await rig.refuse(0.2)
    await rig.until_back()
    assert await rig.do() == 200


async def test_what_is_under_way_is_answered(rig: Rig) -> None:
    await rig.http.post("/control/faults", json={"kind": "delay", "delay_seconds": 0.3})
    under_way = asyncio.create_task(rig.do())
    async with asyncio.timeout(20):
        while not rig.service.control.journal():  # noqa: ASYNC110 - the service does not tell when it is called
            await asyncio.sleep(0.02)
    await rig.http.post("/control/refuse", json={"seconds": 1})
    assert await under_way == 200


async def test_it_can_end_while_it_is_away() -> None:
    service = Service()
    # None of those the system gives away: nobody else has it while it is free.
    async with (
        running(service.app(), port=free_port()) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        await http.post("/control/refuse", json={"seconds": 60})
        port = int(url.rpartition(":")[2])
    async with running(service.app(), port=port) as again:
        assert again == url  # the port is free again
