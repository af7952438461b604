"""Telegram, KIE and OpenAI as somebody else would fake them: from the documentation, and no more than needed.

Nothing is shared with `standins`: what both of them happen to do the same way would go unnoticed.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import av
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.processes import LOCALHOST

Json = dict[str, Any]


class _Server(uvicorn.Server):
    """Ctrl-C belongs to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def listening(app: Starlette, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(app, host=LOCALHOST, port=port, log_level="error", timeout_graceful_shutdown=1)
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    yield
    server.should_exit = True
    await running


def mute_movie(path: Path) -> bytes:
    """One second without a sound track, as several video models answer."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 360, 640, "yuv420p"
        for shade in range(10):
            frame = av.VideoFrame(360, 640, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([20 * shade]) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


@dataclass
class Shown:
    """A message as it stands in the chat now."""

    id: int
    kind: str
    text: str
    buttons: list[Json] = field(default_factory=list)
    rang: bool = True


class NotFound(Exception):
    pass


class Telegram:
    """One bot. Answers carry the fields that the documentation does not call optional, and few others."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.chats: dict[int, dict[int, Shown]] = {}
        self.videos: list[bytes] = []  # uploaded by the bot
        self.not_found: set[str] = set()
        self._updates: list[Json] = []
        self._files: dict[str, bytes] = {}
        self._told = asyncio.Event()
        self._numbers = count(1)
        self._methods: dict[str, Callable[[Json], Any]] = {
            "getMe": lambda _: {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": "Shop"},
            "sendMessage": lambda given: self._send(given, "text", given["text"]),
            "sendPhoto": lambda given: self._send(given, "photo", given.get("caption", "")),
            "sendVideo": self._send_video,
            "editMessageText": lambda given: self._edit(given, text=given["text"]),
            "editMessageCaption": lambda given: self._edit(given, text=given.get("caption", "")),
            "editMessageReplyMarkup": self._edit,
            "editMessageMedia": self._edit_media,
            "answerCallbackQuery": lambda _: True,
            "getFile": lambda given: {**_file(given["file_id"]), "file_path": given["file_id"]},
        }
        self.app = Starlette(
            routes=[
                Route(f"/bot{token}/{{method}}", self._call, methods=["GET", "POST"]),
                Route(f"/file/bot{token}/{{file_id}}", self._download),
                Route("/bot{token}/{method}", _unauthorized, methods=["GET", "POST"]),
            ]
        )

    # -- what a person does

    def say(self, person: int, text: str) -> None:
        self._tell({"message": {**self._from(person), "text": text}})

    def show_photo(self, person: int, content: bytes, width: int, height: int) -> None:
        file_id = f"photo{next(self._numbers)}"
        self._files[file_id] = content
        size = {**_file(file_id), "width": width, "height": height}
        self._tell({"message": {**self._from(person), "photo": [size]}})

    async def press(self, person: int, label: str) -> None:
        """The newest button with this label."""
        message = await self.shows(person, lambda each: _button(each, label) is not None, f"button {label}")
        query = {
            "id": str(next(self._numbers)),
            "from": _person(person),
            "chat_instance": "1",
            "data": (_button(message, label) or {})["callback_data"],
            "message": {
                **self._from(person),
                "message_id": message.id,
                "from": {**_person(1), "is_bot": True},
            },
        }
        self._tell({"callback_query": query})

    async def reads(self, person: int, words: str) -> Shown:
        return await self.shows(person, lambda each: words in each.text, words)

    async def shows(
        self, person: int, fits: Callable[[Shown], bool], what: str, seconds: float = 60.0
    ) -> Shown:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    for message in reversed(self.chats.get(person, {}).values()):
                        if fits(message):
                            return message
                    await asyncio.sleep(0.05)
        raise AssertionError(f"never seen: {what}; the chat ends with {self.end_of(person)}")

    def end_of(self, person: int) -> list[Shown]:
        return list(self.chats.get(person, {}).values())[-3:]

    # -- what the bot calls

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        given = await _form(request)
        try:
            if method == "getUpdates":
                return _ok(await self._get_updates(given))
            return _ok(self._methods[method](given))
        except (KeyError, NotFound) as missing:
            self.not_found.add(method)
            said = "Bad Request: message to edit not found" if isinstance(missing, NotFound) else "Not Found"
            code = 400 if isinstance(missing, NotFound) else 404
            return JSONResponse({"ok": False, "error_code": code, "description": said}, code)

    async def _get_updates(self, given: Json) -> list[Json]:
        offset = int(given.get("offset", 0))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(int(given.get("timeout", 0)), 2)):
                while not any(each["update_id"] >= offset for each in self._updates):
                    self._told.clear()
                    await self._told.wait()
        return [each for each in self._updates if each["update_id"] >= offset]

    async def _download(self, request: Request) -> Response:
        content = self._files.get(request.path_params["file_id"])
        return Response("not found", 404) if content is None else Response(content)

    def _send(self, given: Json, kind: str, text: str) -> Json:
        person, number = int(given["chat_id"]), next(self._numbers)
        rang = given.get("disable_notification", "false").lower() != "true"
        self.chats.setdefault(person, {})[number] = Shown(number, kind, text, _buttons(given), rang)
        return {"message_id": number, "date": 1, "chat": _chat(person)}

    def _send_video(self, given: Json) -> Json:
        self._keep_video(given["video"], given)
        return self._send(given, "video", given.get("caption", ""))

    def _edit(self, given: Json, **changed: str) -> bool:
        message = self.chats.get(int(given["chat_id"]), {}).get(int(given["message_id"]))
        if message is None:
            raise NotFound
        message.buttons = _buttons(given)
        for name, value in changed.items():
            setattr(message, name, value)
        return True

    def _edit_media(self, given: Json) -> bool:
        media = json.loads(given["media"])
        self._keep_video(media["media"], given)
        return self._edit(given, kind=media["type"], text=media.get("caption", ""))

    def _keep_video(self, source: Any, given: Json) -> None:
        content = given[source.removeprefix("attach://")] if isinstance(source, str) else source
        self.videos.append(content)

    def _tell(self, update: Json) -> None:
        self._updates.append({"update_id": next(self._numbers), **update})
        self._told.set()

    def _from(self, person: int) -> Json:
        return {
            "message_id": next(self._numbers),
            "date": 1,
            "chat": _chat(person),
            "from": _person(person),
        }


class Kie:
    """Every KIE task is ready when it is asked about for the second time."""

    def __init__(self, address: str, movie: bytes) -> None:
        self._address = address
        self._movie = movie
        self._asked: dict[str, int] = {}
        self.creates: list[Json] = []
        self.app = Starlette(
            routes=[
                Route("/api/v1/jobs/createTask", self._create, methods=["POST"]),
                Route("/api/v1/jobs/recordInfo", self._record),
                Route("/api/file-stream-upload", self._upload, methods=["POST"]),
                Route("/videos/{name}", self._video),
            ]
        )

    async def _create(self, request: Request) -> Response:
        self.creates.append(await request.json())
        task_id = f"{len(self.creates):032x}"
        self._asked[task_id] = 0
        return _kie({"taskId": task_id})

    async def _record(self, request: Request) -> Response:
        task_id = request.query_params["taskId"]
        if task_id not in self._asked:
            return JSONResponse({"code": 422, "msg": "recordInfo is null", "data": None})
        self._asked[task_id] += 1
        if self._asked[task_id] == 1:
            return _kie({"taskId": task_id, "state": "waiting", "resultJson": ""})
        urls = {"resultUrls": [f"{self._address}/videos/{task_id}.mp4"]}
        return _kie({"taskId": task_id, "state": "success", "resultJson": json.dumps(urls)})

    async def _upload(self, request: Request) -> Response:
        form = await request.form()
        return _kie({"downloadUrl": f"{self._address}/uploads/{form['fileName']}"})

    async def _video(self, _: Request) -> Response:
        return Response(self._movie, media_type="video/mp4")


class OpenAi:
    def __init__(self) -> None:
        self.responses = 0
        self.app = Starlette(
            routes=[
                Route("/v1/responses", self._respond, methods=["POST"]),
                Route("/v1/moderations", self._moderate, methods=["POST"]),
            ]
        )

    async def _respond(self, request: Request) -> Response:
        self.responses += 1
        schema = (await request.json())["text"]["format"]["schema"]
        text = json.dumps(_filled(schema, schema, 0))
        content = [{"type": "output_text", "text": text, "annotations": []}]
        message = {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
        return JSONResponse({"id": "r", "object": "response", "status": "completed", "output": [message]})

    async def _moderate(self, _: Request) -> Response:
        result = {"flagged": False, "categories": {}, "category_scores": {}}
        return JSONResponse({"id": "m", "model": "any", "results": [result]})


def _filled(schema: Json, root: Json, number: int) -> Any:
    """Any value that the schema allows."""
    if "$ref" in schema:
        return _filled(root["$defs"][schema["$ref"].rpartition("/")[2]], root, number)
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {name: _filled(each, root, 0) for name, each in schema["properties"].items()}
    if schema["type"] == "array":
        return [_filled(schema["items"], root, each) for each in range(schema.get("minItems", 1))]
    return f"Text {number}: the camera comes slowly closer."


def _kie(data: Json) -> JSONResponse:
    return JSONResponse({"code": 200, "msg": "success", "data": data})


async def _unauthorized(_: Request) -> Response:
    return JSONResponse({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)


def _ok(result: Any) -> JSONResponse:
    return JSONResponse({"ok": True, "result": result})


async def _form(request: Request) -> Json:
    form = await request.form()
    return {
        name: await value.read() if isinstance(value, UploadFile) else value for name, value in form.items()
    }


def _buttons(given: Json) -> list[Json]:
    rows = json.loads(given.get("reply_markup", "{}")).get("inline_keyboard", [])
    return [button for row in rows for button in row]


def _button(message: Shown, label: str) -> Json | None:
    fits = str.__eq__ if label.isdigit() else str.__contains__
    return next((each for each in message.buttons if fits(each["text"], label)), None)


def _file(file_id: str) -> Json:
    return {"file_id": file_id, "file_unique_id": f"u-{file_id}"}


def _chat(person: int) -> Json:
    return {"id": person, "type": "private"}


def _person(person: int) -> Json:
    return {"id": person, "is_bot": False, "first_name": "Ann", "language_code": "en"}
