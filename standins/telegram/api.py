"""The Bot API over HTTP: one route for every method, one for files."""

import re
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from standins.control import Call, Control, read_fields
from standins.telegram.args import Args
from standins.telegram.errors import ApiError, bad_request, conflict
from standins.telegram.files import UPLOAD_BYTES_MAX, FileStore
from standins.telegram.mailbox import POLL_SECONDS_MAX, Mailbox
from standins.telegram.sending import Method
from standins.telegram.world import World

Json = dict[str, Any]

_TOKEN: Final = re.compile(r"(\d{3,19}):[A-Za-z0-9_-]{3,}")
_GET_UPDATES: Final = "getUpdates"
_NOT_FOUND: Final = ApiError(HTTPStatus.NOT_FOUND, "Not Found")


class BotApi:
    def __init__(
        self, world: World, files: FileStore, mailbox: Mailbox, control: Control, methods: dict[str, Method]
    ) -> None:
        self._world = world
        self._files = files
        self._mailbox = mailbox
        self._control = control
        self._methods = {name.lower(): (name, method) for name, method in methods.items()}
        self._methods[_GET_UPDATES.lower()] = (_GET_UPDATES, self._unreachable)

    def routes(self) -> list[Route]:
        return [
            Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._download, methods=["GET"]),
        ]

    async def perform(self, method_name: str, fields: Json, request: Request | None = None) -> Response:
        """One call, with faults and journal; also what a webhook's answer asks for."""
        name, method = self._methods.get(method_name.lower(), (method_name, None))
        args = Args(fields)
        call = Call(name, fields, user=self._user_of(args))

        async def effect() -> Response:
            if method is None:
                return _refusal(ApiError(HTTPStatus.NOT_FOUND, "Not Found: method not found"))
            try:
                _check_sizes(args)
                is_poll = request is not None and name == _GET_UPDATES
                result = await (self._get_updates(args, request) if is_poll else method(args))
            except ApiError as refusal:
                return _refusal(refusal)
            return JSONResponse({"ok": True, "result": result})

        return await self._control.handle(call, effect)

    async def _call(self, request: Request) -> Response:
        if not self._has_identity(request.path_params["token"]):
            return _refusal(_NOT_FOUND)
        fields = await read_fields(request)
        if "_unreadable" in fields:
            return _refusal(bad_request("can't parse request body as JSON object"))
        return await self.perform(request.path_params["method"], fields, request)

    def _has_identity(self, token: str) -> bool:
        shaped = _TOKEN.fullmatch(token)
        if not shaped:
            return False
        bot = self._world.memory.bot
        if bot.id != int(shaped[1]):
            bot.id = int(shaped[1])
            self._world.next_event(0)
        return True

    def _user_of(self, args: Args) -> str:
        memory = self._world.memory
        pressed = memory.callback_queries.get(args.text("callback_query_id"))
        query = pressed or memory.checkouts.get(args.text("pre_checkout_query_id"))
        return args.text("chat_id") or args.text("user_id") or (str(query.user_id) if query else "")

    async def _get_updates(self, args: Args, request: Request | None) -> list[Json]:
        if request is None or self._world.memory.webhook.url:
            raise conflict(
                "can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first"
            )
        self._mailbox.allow(args.json("allowed_updates"))
        limit = min(max(args.integer("limit", 100), 1), 100)
        timeout_seconds = min(max(args.integer("timeout"), 0), POLL_SECONDS_MAX)
        return await self._mailbox.poll(
            args.integer("offset"), limit, timeout_seconds, request.is_disconnected
        )

    async def _unreachable(self, args: Args) -> list[Json]:
        return await self._get_updates(args, None)

    async def _download(self, request: Request) -> Response:
        if not self._has_identity(request.path_params["token"]):
            return _refusal(_NOT_FOUND)
        path = request.path_params["path"]

        async def effect() -> Response:
            found = self._files.by_path(path)
            if found is None or found.gone or found.link_expired:
                return _refusal(_NOT_FOUND)
            # Telegram names no content type here; a client must not depend on it.
            return FileResponse(self._files.location(found), media_type="application/octet-stream")

        return await self._control.handle(Call("file", {"path": path}), effect)


def _check_sizes(args: Args) -> None:
    if any((upload.size or 0) > UPLOAD_BYTES_MAX for upload in args.uploads):
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")


def _refusal(refusal: ApiError) -> JSONResponse:
    return JSONResponse(refusal.shown(), refusal.code)
