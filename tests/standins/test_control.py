import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.control import Call, Control, read_fields
from standins.server import running

ROOT = Path(__file__).resolve().parents[2]


class Counter:
    """The smallest stand-in: one route with one effect."""

    def __init__(self) -> None:
        self.effects = 0
        self.effect_at = 0.0
        self.control = Control(on_reset=self.clear)

    def clear(self) -> None:
        self.effects = 0

    async def add(self, request: Request) -> Response:
        fields = await read_fields(request)
        call = Call("add", fields, user=str(fields.get("chat_id", "")))
        return await self.control.handle(call, lambda: self.effect(call))

    async def effect(self, call: Call) -> Response:
        self.effects += 1
        self.effect_at = time.monotonic()
        call.facts["effects"] = self.effects
        return JSONResponse({"effects": self.effects, "padding": "x" * 1000})

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/add", self.add, methods=["POST"]), *self.control.routes()])


class Rig:
    def __init__(self, counter: Counter, http: httpx.AsyncClient) -> None:
        self.counter = counter
        self.http = http

    async def order(self, **fault: Any) -> int:
        answer = await self.http.post("/control/faults", json=fault)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["ids"][0])

    async def add(self, **fields: Any) -> httpx.Response:
        return await self.http.post("/add", json=fields)

    async def outcomes(self) -> list[str]:
        journal = (await self.http.get("/control/journal")).json()["entries"]
        return [entry["outcome"] for entry in journal]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    counter = Counter()
    async with running(counter.app()) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Rig(counter, http)


async def test_an_ordered_answer_comes_without_the_effect_and_only_as_often_as_ordered(rig: Rig) -> None:
    await rig.order(
        where="add", status=429, body={"ok": False}, headers={"retry-after": "3"}, skip=1, times=2
    )
    answers = [await rig.add() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].json() == {"ok": False}
    assert answers[1].headers["retry-after"] == "3"
    assert rig.counter.effects == 2


async def test_text_bodies_are_sent_as_they_are(rig: Rig) -> None:
    await rig.order(status=502, body="<html>Bad gateway</html>", headers={"content-type": "text/html"})
    answer = await rig.add()
    assert (answer.status_code, answer.text) == (502, "<html>Bad gateway</html>")
    assert answer.headers["content-type"] == "text/html"


async def test_drop_request_has_no_effect_and_drop_answer_has_one(rig: Rig) -> None:
    await rig.order(kind="drop_request")
    with pytest.raises(httpx.RemoteProtocolError):
        await rig.add()
    assert rig.counter.effects == 0
    await rig.order(kind="drop_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        await rig.add()
    assert rig.counter.effects == 1
    assert (await rig.add()).status_code == 200


async def test_a_dropped_upload_is_a_lost_answer_too(rig: Rig) -> None:
    await rig.order(kind="drop_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        await rig.http.post("/add", files={"file": ("big.bin", b"x" * 3_000_000)})
    assert rig.counter.effects == 1


async def test_half_an_answer_breaks_off_in_the_body(rig: Rig) -> None:
    await rig.order(kind="half_answer")
    seen = b""
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - the break comes while reading
        async with rig.http.stream("POST", "/add", json={}) as answer:
            assert answer.status_code == 200
            async for piece in answer.aiter_bytes():
                seen += piece
    assert seen.startswith(b'{"effects":1')
    assert rig.counter.effects == 1


@pytest.mark.parametrize("kind", ["delay", "delay_answer"])
async def test_late_answers_differ_in_when_the_effect_happens(rig: Rig, kind: str) -> None:
    await rig.order(kind=kind, delay_seconds=0.4)
    started = time.monotonic()
    assert (await rig.add()).status_code == 200
    before, after = rig.counter.effect_at - started, time.monotonic() - rig.counter.effect_at
    assert (before if kind == "delay" else after) >= 0.4


async def test_what_is_held_back_has_no_effect_after_a_reset(rig: Rig) -> None:
    await rig.order(kind="delay", delay_seconds=0.4)
    held = asyncio.create_task(rig.add())
    while not await rig.outcomes():  # noqa: ASYNC110 - a server's state
        await asyncio.sleep(0.01)
    await rig.http.post("/control/reset")
    with pytest.raises(httpx.RemoteProtocolError):
        await held
    assert rig.counter.effects == 0


async def test_a_fault_is_aimed_by_route_by_user_and_by_text(rig: Rig) -> None:
    await rig.order(where="remove", times=-1)
    await rig.order(user="7", status=403, times=-1)
    await rig.order(match="заказ 12", status=409, times=-1)
    assert (await rig.add(text="заказ 11", chat_id=8)).status_code == 200
    assert (await rig.add(chat_id=7)).status_code == 403
    assert (await rig.add(nested={"deep": ["это заказ 12"]})).status_code == 409
    assert (await rig.http.post("/add", data={"text": "заказ 12"})).status_code == 409


async def test_faults_are_listed_with_what_is_left_and_taken_back(rig: Rig) -> None:
    kept, gone = await rig.order(skip=1, times=3), await rig.order(where="add")
    await rig.add()
    listed = (await rig.http.get("/control/faults")).json()["faults"]
    assert [(one["id"], one["skip_left"], one["times_left"]) for one in listed] == [
        (kept, 0, 3),
        (gone, 0, 0),
    ]
    assert (await rig.http.delete(f"/control/faults/{gone}")).json() == {"faults": 1}
    assert (await rig.http.delete(f"/control/faults/{gone}")).status_code == 404
    assert (await rig.http.delete("/control/faults")).json() == {"faults": 0}
    assert (await rig.add()).status_code == 200


async def test_several_faults_in_one_request_and_nonsense_refused(rig: Rig) -> None:
    both = [{"where": "add", "status": 500}, {"where": "add", "status": 503}]
    assert len((await rig.http.post("/control/faults", json=both)).json()["ids"]) == 2
    assert [(await rig.add()).status_code for _ in range(3)] == [500, 503, 200]
    refused = await rig.http.post("/control/faults", json={"where": "add", "knd": "answer"})
    assert refused.status_code == 400
    assert "knd" in refused.text
    assert (await rig.http.post("/control/faults", content=b"{")).status_code == 400


async def test_the_journal_tells_what_came_and_what_became_of_it(rig: Rig) -> None:
    await rig.order(skip=1, status=500)
    await rig.add(text="a" * 5000, chat_id=5)
    await rig.http.post("/add", data={"chat_id": "6"}, files={"photo": ("cup.jpg", b"1234", "image/jpeg")})
    entries = (await rig.http.get("/control/journal")).json()["entries"]
    assert [(one["seq"], one["where"], one["user"]) for one in entries] == [(1, "add", "5"), (2, "add", "6")]
    assert entries[0]["facts"] == {"effects": 1}
    assert entries[0]["outcome"] == "200"
    assert len(entries[0]["fields"]["text"]) < 4_100
    assert entries[1]["fields"]["photo"] == {"file": "cup.jpg", "bytes": 4, "content_type": "image/jpeg"}
    assert entries[1]["outcome"] == "answer (fault 1)"
    later = (await rig.http.get("/control/journal", params={"since": 1})).json()
    assert [one["seq"] for one in later["entries"]] == [2]
    assert later["last"] == 2
    assert (await rig.http.get("/control/journal", params={"since": "x"})).status_code == 400


async def test_reset_clears_faults_journal_and_state(rig: Rig) -> None:
    await rig.order(skip=1)
    await rig.add()
    await rig.http.post("/control/reset")
    assert rig.counter.effects == 0
    assert await rig.outcomes() == []
    assert (await rig.add()).json()["effects"] == 1


async def test_a_server_ends_at_once_while_an_answer_is_awaited() -> None:
    counter = Counter()
    async with httpx.AsyncClient(timeout=120) as http:
        async with running(counter.app()) as url:
            await http.post(f"{url}/control/faults", json={"kind": "delay", "delay_seconds": 60})
            waiting = asyncio.create_task(http.post(f"{url}/add", json={}))
            async with asyncio.timeout(30):
                while not counter.control.journal():  # noqa: ASYNC110 - nobody tells when it is called
                    await asyncio.sleep(0.02)
            started = time.monotonic()
        assert time.monotonic() - started < 30
        with pytest.raises(httpx.TransportError):
            await waiting


_PROGRAM = """
import sys
from starlette.applications import Starlette
from standins.server import serve
sys.exit(serve(Starlette(), "127.0.0.1", int(sys.argv[1])))
"""


async def _start(port: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, port, stdout=pipe, stderr=pipe, cwd=ROOT, env=dict(os.environ)
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_prints_one_line_and_ends_cleanly(number: signal.Signals) -> None:
    process = await _start("0")
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    assert line.startswith("listening on http://127.0.0.1:")
    process.send_signal(number)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_a_taken_port_is_one_sentence() -> None:
    async with running(Starlette()) as url:
        process = await _start(url.rpartition(":")[2])
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out) == (1, b"")
    assert err.decode().count("\n") == 1
    assert "cannot listen on 127.0.0.1" in err.decode()
