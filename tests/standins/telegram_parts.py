"""A person, a bot on bare HTTP, pictures and films: what the tests of the Telegram stand-in share."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw

from standins.movie import MovieOrder, Sound, make_movie, open_photo
from standins.server import running
from standins.telegram.app import build_app

TOKEN = "4242424242:standin-test-token"

Json = dict[str, Any]


@cache
def picture(width: int = 640, height: int = 800, color: str = "teal", kind: str = "JPEG") -> bytes:
    target = io.BytesIO()
    image = Image.new("RGB", (width, height), color)
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill="gold")
    image.save(target, kind)
    return target.getvalue()


@cache
def film(sound: Sound = "tone") -> bytes:
    return make_movie(open_photo(picture()), MovieOrder(width=240, height=320, seconds=1.0, sound=sound))


@dataclass(frozen=True, slots=True)
class Person:
    """One user, driven over /control."""

    http: httpx.AsyncClient
    id: int

    async def does(self, deed: str, **fields: Any) -> Json:
        answer = await self.http.post(f"/control/users/{self.id}/{deed}", json=fields)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def sends(self, deed: str, name: str, content: bytes, mime: str = "", **fields: str) -> Json:
        files = {deed: (name, content, mime or "application/octet-stream")}
        answer = await self.http.post(f"/control/users/{self.id}/{deed}", data=fields, files=files)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def messages(self, since_event: int = 0, wait_seconds: float = 0) -> Json:
        query = {"since_event": since_event, "wait_seconds": wait_seconds}
        answer = await self.http.get(f"/control/users/{self.id}/messages", params=query)
        return dict(answer.json())

    async def last_message(self) -> Json:
        return dict((await self.messages())["messages"][-1])

    async def toasts(self) -> list[Json]:
        return list((await self.http.get(f"/control/users/{self.id}/toasts")).json()["toasts"])


@dataclass(slots=True)
class HttpBot:
    """A bot that knows nothing but HTTP."""

    http: httpx.AsyncClient
    offset: int = 0

    async def ask(self, method: str, _files: Any = None, **fields: Any) -> Json:
        data = {key: _field(value) for key, value in fields.items()}
        return dict((await self.http.post(f"/bot{TOKEN}/{method}", data=data, files=_files)).json())

    async def call(self, method: str, _files: Any = None, **fields: Any) -> Any:
        answer = await self.ask(method, _files, **fields)
        assert answer["ok"], answer
        return answer["result"]

    async def refused(self, method: str, _files: Any = None, **fields: Any) -> str:
        answer = await self.ask(method, _files, **fields)
        assert not answer["ok"], answer
        return f"{answer['error_code']} {answer['description']}"

    async def updates(self, timeout_seconds: int = 0) -> list[Json]:
        found: list[Json] = await self.call("getUpdates", offset=self.offset, timeout=timeout_seconds)
        self.offset = max([self.offset, *(update["update_id"] + 1 for update in found)])
        return found

    async def awaited(self, count: int = 1) -> list[Json]:
        """What somebody else's doing leads to: a browser may need long until it has clicked."""
        found: list[Json] = []
        while len(found) < count and (more := await self.updates(timeout_seconds=25)):
            found += more
        return found


def _field(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list | bool) else str(value)


def keyboard(*labels_and_data: str) -> Json:
    """`keyboard("Yes", "yes", "No", "no")`: one button per row."""
    pairs = zip(labels_and_data[::2], labels_and_data[1::2], strict=True)
    return {"inline_keyboard": [[{"text": label, "callback_data": data}] for label, data in pairs]}


@dataclass(frozen=True, slots=True)
class Standin:
    url: str
    http: httpx.AsyncClient

    @property
    def bot(self) -> HttpBot:
        return HttpBot(self.http)

    async def person(self, name: str = "Vera", language_code: str = "en", *, started: bool = True) -> Person:
        fields = {"first_name": name, "language_code": language_code}
        made = await self.http.post("/control/users", json=fields)
        person = Person(self.http, made.json()["id"])
        if started:
            await person.does("text", text="/start")
        return person

    async def until_polled(self) -> None:
        """A bot waits for updates here, however long its call was on its way."""
        async with asyncio.timeout(30):
            while not await self._is_polled():  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.02)

    async def _is_polled(self) -> bool:
        journal = (await self.http.get("/control/journal", params={"where": "getUpdates"})).json()
        return any(entry["outcome"] == "open" for entry in journal["entries"])

    async def order_fault(self, **fault: Any) -> None:
        answer = await self.http.post("/control/faults", json=fault)
        assert answer.is_success, answer.text


@asynccontextmanager
async def telegram(folder: Path) -> AsyncIterator[Standin]:
    async with (
        running(build_app(folder)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        yield Standin(url, http)
