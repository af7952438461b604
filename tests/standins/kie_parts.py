"""The KIE stand-in as a real server, with a client and somebody to call back."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KLING = "kling-2.6/image-to-video"
T = TypeVar("T")

KEYS = {"key-1": "alpha", "key-2": "alpha", "key-3": "beta"}


def picture(width: int = 400, height: int = 600, color: str = "teal", kind: str = "JPEG") -> bytes:
    """One colour, with a frame around it: a zoom shows."""
    target = io.BytesIO()
    image = Image.new("RGB", (width, height), color)
    ImageDraw.Draw(image).rectangle((20, 20, width - 20, height - 20), outline="black", width=2)
    image.save(target, kind)
    return target.getvalue()


class Receiver:
    """Somebody who is called back, and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answers: list[int] = []
        self.photo_is_looked_for = asyncio.Event()
        self.url = ""

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.json()))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    async def photo(self, _request: Request) -> Response:
        return Response(picture(color="orange"), media_type="image/jpeg")

    async def lost_photo(self, _request: Request) -> Response:
        """Whoever asks for it goes on when the test has said so."""
        await self.photo_is_looked_for.wait()
        return Response(status_code=404)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/kie/{attempt}", self.take, methods=["POST"]),
                Route("/photo.jpg", self.photo),
                Route("/lost.jpg", self.lost_photo),
            ]
        )


class Rig:
    def __init__(self, http: httpx.AsyncClient, receiver: Receiver) -> None:
        self.http = http
        self.receiver = receiver

    async def call(self, method: str, path: str, key: str = "key-1", **kwargs: Any) -> dict[str, Any]:
        answer = await self.http.request(method, path, headers={"authorization": f"Bearer {key}"}, **kwargs)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def control(self, path: str, **order: Any) -> Any:
        answer = await self.http.post(f"/control/{path}", json=order)
        assert answer.status_code == 200, answer.text
        return answer.json()["done"][0]

    async def upload(self, name: str = "a.jpg", content: bytes | None = None, key: str = "key-1") -> str:
        answer = await self.call(
            "POST",
            "/api/file-stream-upload",
            key,
            files={"file": ("x.jpg", content or picture(), "image/jpeg")},
            data={"uploadPath": "images/orders", "fileName": name},
        )
        assert answer["success"] is True
        assert answer["code"] == 200
        return str(answer["data"]["downloadUrl"])

    async def create(self, prompt: str = "a cup turns", key: str = "key-1", **more: Any) -> dict[str, Any]:
        photo = more.pop("photo", None) or await self.upload(key=key)
        callback = {"callBackUrl": more.pop("callback")} if "callback" in more else {}
        given = {"prompt": prompt, "image_urls": [photo], "sound": False, "duration": "5", **more}
        body = {"model": KLING, "input": given, **callback}
        return await self.call("POST", "/api/v1/jobs/createTask", key, json=body)

    async def new_task(self, prompt: str = "a cup turns", **more: Any) -> str:
        answer = await self.create(prompt, **more)
        assert answer["code"] == 200, answer
        return str(answer["data"]["taskId"])

    async def record(self, task_id: str, key: str = "key-1") -> dict[str, Any]:
        return await self.call("GET", "/api/v1/jobs/recordInfo", key, params={"taskId": task_id})

    async def finished(self, task_id: str, key: str = "key-1") -> dict[str, Any]:
        for _ in range(300):
            data: dict[str, Any] = (await self.record(task_id, key))["data"]
            if data["state"] in {"success", "fail"}:
                return data
            await asyncio.sleep(0.11)
        raise AssertionError(f"task {task_id} never ended")

    async def video(self, task_id: str) -> bytes:
        url = json.loads((await self.finished(task_id))["resultJson"])["resultUrls"][0]
        answer = await self.http.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "video/mp4"
        return answer.content

    async def tasks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.http.get("/control/tasks")).json()["tasks"]
        return found

    async def polled(self, ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
        """What was answered when it held at last: how long that takes is a matter of the machine."""
        async with asyncio.timeout(30):
            while not holds(answer := await ask()):  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.02)
        return answer

    async def called_back(self, times: int) -> list[dict[str, Any]]:
        """The callbacks of the only task, of which each has had its answer."""
        (task,) = await self.polled(self.tasks, lambda tasks: len(tasks[0]["callbacks"]) >= times)
        sent: list[dict[str, Any]] = task["callbacks"]
        return sent

    async def received(self, times: int) -> None:
        await self.until(lambda: len(self.receiver.got) >= times)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 - what is awaited happens in another place
                await asyncio.sleep(0.02)
