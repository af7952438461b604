"""KIE.AI as a local server: refusals inside HTTP 200, JSON inside JSON, links that expire."""

import base64
import binascii
import contextlib
import hashlib
import mimetypes
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.control import Call, Clock, Control, read_fields, utc_now
from standins.kie.callbacks import Callbacks
from standins.kie.control_routes import ControlRoutes
from standins.kie.keeping import Keeper
from standins.kie.models import MODELS, Refusal, StandinModel
from standins.kie.orders import KieSettings
from standins.kie.state import FILES_PATH, RESULTS_PATH, Account, KieState, Task, link_token, record_of
from standins.kie.weather import CALLBACK_EVENTS, bad_answer
from standins.kie.work import Workshop
from standins.movie import with_mark
from standins.weather import Weather

Answer = Callable[[Request, Call], Awaitable[Response]]

_NOT_A_VIDEO = b"<html><body>This is not the video you are looking for.</body></html>"
_UNAUTHORIZED = Refusal(401, "You do not have access permissions")
_TOO_FREQUENT = Refusal(429, "Your call frequency is too high. Please try again later.")
_NO_CREDITS = Refusal(402, "The current credits are insufficient. Please top up.")
_PAUSED = Refusal(500, "This interface is temporarily paused")
_NO_SUCH_MODEL = Refusal(
    422,
    "The model name you specified is not supported. Please verify that the model name you provided "
    "is correct and that it is among the supported models provided by KIE.",
)


class KieApp:
    """The routes of KIE; `Workshop` does the work, `KieState` remembers."""

    def __init__(self, state: KieState, control: Control, workshop: Workshop, keeper: Keeper) -> None:
        self.state = state
        self.keeper = keeper
        self.control = control
        self.workshop = workshop

    def routes(self) -> list[Route]:
        return [
            self._route("/api/v1/jobs/createTask", "createTask", self.create_task, "POST"),
            self._route("/api/v1/jobs/recordInfo", "recordInfo", self.record_info, "GET"),
            self._route("/api/v1/common/download-url", "downloadUrl", self.download_url, "POST"),
            self._route("/api/v1/chat/credit", "credit", self.credit, "GET"),
            self._route("/api/v1/models", "models", self.models, "GET"),
            self._route("/api/file-stream-upload", "upload", self.upload_stream, "POST"),
            self._route("/api/file-base64-upload", "upload", self.upload_base64, "POST"),
            self._route(FILES_PATH + "/{path:path}", "file", self.file, "GET"),
            self._route(RESULTS_PATH + "/{token}/{name}", "result", self.result, "GET"),
        ]

    def _route(self, path: str, where: str, answer: Answer, method: str) -> Route:
        async def endpoint(request: Request) -> Response:
            fields = {**request.path_params, **await read_fields(request)}
            account = self.state.account_of(_key_of(request))
            call = Call(where, fields, user=account.name if account else "", about=self._about(where, fields))
            return await self.control.handle(call, lambda: answer(request, call))

        return Route(path, endpoint, methods=[method])

    def _about(self, where: str, fields: dict[str, Any]) -> str:
        """A question about a task is matched by what the task was ordered with."""
        task = None
        if where == "recordInfo":
            task = self.state.tasks.get(str(fields.get("taskId", "")))
        elif where == "result":
            task = self.state.task_of_link(fields["token"], even_expired=True)
        elif where == "downloadUrl":
            task = self.state.task_of_link(link_token(str(fields.get("url", ""))), even_expired=True)
        return task.text if task else ""

    def _refuse(self, refusal: Refusal, call: Call, **more: Any) -> Response:
        call.facts["code"] = refusal.code
        status = refusal.code if self.state.settings.true_status else 200
        return JSONResponse({"code": refusal.code, "msg": refusal.msg, "data": None, **more}, status)

    async def create_task(self, request: Request, call: Call) -> Response:
        account = self.state.account_of(_key_of(request))
        if account is None:
            return self._refuse(_UNAUTHORIZED, call)
        if not self.state.may_create(account):
            return self._refuse(_TOO_FREQUENT, call)
        model = MODELS.get(str(call.fields.get("model", "")))
        refusal = self._create_refusal(account, model, call.fields.get("input"))
        if refusal is not None or model is None:
            return self._refuse(refusal or _NO_SUCH_MODEL, call)
        task = self._new_task(request, call, account, model)
        call.facts.update(code=200, taskId=task.id, credits=task.credits)
        return _ok({"taskId": task.id, "recordId": task.id})

    def _create_refusal(self, account: Account, model: StandinModel | None, given: Any) -> Refusal | None:
        if model is None:
            return _NO_SUCH_MODEL
        if model.slug in self.state.paused:
            return _PAUSED
        if not isinstance(given, dict):
            return Refusal(500, "input is required")
        wrong = model.refusal(given)
        return wrong or (None if account.credits >= model.price(given) else _NO_CREDITS)

    def _new_task(self, request: Request, call: Call, account: Account, model: StandinModel) -> Task:
        given: dict[str, Any] = call.fields["input"]
        task = Task(
            id=secrets.token_hex(16),
            account=account.name,
            model=model,
            input=given,
            callback_url=str(call.fields.get("callBackUrl") or ""),
            created_at=self.state.clock(),
            credits=model.price(given),
            base_url=_base_url(request),
            outcome=self.state.outcome_for(call.searchable),
            text=call.searchable,
        )
        task.held = task.outcome.hold or any(match in task.text for match in self.state.holds)
        account.credits -= task.credits
        self.state.tasks[task.id] = task
        self.keeper.keep_task(task)
        self.workshop.start(task)
        return task

    async def record_info(self, request: Request, call: Call) -> Response:
        account = self.state.account_of(_key_of(request))
        if account is None:
            return self._refuse(_UNAUTHORIZED, call)
        if not self.state.may_query(_key_of(request)):
            return self._refuse(_TOO_FREQUENT, call)
        task = self.state.tasks.get(str(call.fields.get("taskId", "")))
        if task is None or task.account != account.name or not self.state.is_visible(task):
            return self._refuse(Refusal(422, "recordInfo is null"), call)
        task.base_url = _base_url(request)  # another one after a restart on a free port
        call.facts.update(code=200, state=task.state)
        return _ok(record_of(task, self.state.settings))

    async def download_url(self, request: Request, call: Call) -> Response:
        if self.state.account_of(_key_of(request)) is None:
            return self._refuse(_UNAUTHORIZED, call)
        task = self.state.task_of_link(link_token(str(call.fields.get("url", ""))), even_expired=True)
        if task is None or task.gone:
            return self._refuse(Refusal(422, "The URL was not generated by KIE or its file is gone"), call)
        return _ok(self.state.new_link(task, self.state.settings.fresh_link_ttl_seconds))

    async def credit(self, request: Request, call: Call) -> Response:
        account = self.state.account_of(_key_of(request))
        if account is None:
            return self._refuse(_UNAUTHORIZED, call)
        return _ok(float(account.credits))

    async def models(self, request: Request, call: Call) -> Response:
        if self.state.account_of(_key_of(request)) is None:
            return self._refuse(_UNAUTHORIZED, call)
        shown = [_catalogue_row(model) for model in MODELS.values() if model.slug not in self.state.paused]
        return _ok({"total": len(shown), "models": shown})

    async def upload_stream(self, request: Request, call: Call) -> Response:
        upload = call.fields.get("file")
        if not isinstance(upload, UploadFile):
            return await self._keep(request, call, None, "")
        return await self._keep(request, call, await upload.read(), upload.content_type or "")

    async def upload_base64(self, request: Request, call: Call) -> Response:
        head, _, data = str(call.fields.get("base64Data", "")).rpartition(",")
        try:
            content = base64.b64decode(data, validate=True)
        except binascii.Error:
            content = b""
        mime_type = head.removeprefix("data:").partition(";")[0]
        return await self._keep(request, call, content or None, mime_type)

    async def _keep(self, request: Request, call: Call, content: bytes | None, mime_type: str) -> Response:
        account = self.state.account_of(_key_of(request))
        if account is None:
            return self._refuse(_UNAUTHORIZED, call, success=False)
        folder = _clean(str(call.fields.get("uploadPath", "")))
        if content is None or not folder:
            return self._refuse(Refusal(400, "file and uploadPath are required"), call, success=False)
        name = _clean(str(call.fields.get("fileName") or secrets.token_hex(8)))
        kind = mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        owner = hashlib.sha256(account.name.encode()).hexdigest()[:8]
        path = self.state.keep_upload(f"{owner}/{folder}/{name}", content, kind)
        stored = path.removeprefix(f"{FILES_PATH}/")
        self.keeper.keep_upload(stored, self.state.uploads[stored])
        data = {
            "fileName": name,
            "filePath": f"{folder}/{name}",
            "downloadUrl": _base_url(request) + quote(path),
            "fileSize": len(content),
            "mimeType": kind,
            "uploadedAt": self.state.clock().isoformat(),
        }
        body = {"success": True, "code": 200, "msg": "File uploaded successfully", "data": data}
        return JSONResponse(body)

    async def file(self, _request: Request, call: Call) -> Response:
        upload = self.state.upload_at(call.fields["path"])
        if upload is None:
            return Response("Not Found", 404)
        return Response(upload.content, media_type=upload.mime_type)

    async def result(self, _request: Request, call: Call) -> Response:
        task = self.state.task_of_link(call.fields["token"])
        if task is None or task.gone:
            return Response("Not Found", 404)
        return Response(_result_bytes(task), media_type="video/mp4")


def _result_bytes(task: Task) -> bytes:
    if task.outcome.result == "not_a_video":
        return _NOT_A_VIDEO
    bytes_min = task.outcome.result_bytes if task.outcome.result == "too_large" else 0
    return with_mark(task.movie, task.id, bytes_min)


def _ok(data: Any) -> Response:
    return JSONResponse({"code": 200, "msg": "success", "data": data})


def _catalogue_row(model: StandinModel) -> dict[str, Any]:
    return {
        "model": model.slug,
        "slug": model.slug,
        "title": model.slug,
        "provider": model.provider,
        "taskType": ["Image to Video"],
        "description": "",
        "pricingDesc": None,
    }


def _key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _clean(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in {"", ".", ".."})


def kie_app(
    settings: KieSettings | None = None,
    keys: dict[str, str] | None = None,
    *,
    any_key: bool = False,
    clock: Clock = utc_now,
    folder: Path | None = None,
) -> Starlette:
    """`keys` names the account of each key; with `any_key` every other key is an account of its own."""
    state = KieState(settings or KieSettings(), keys or {}, clock, any_key=any_key)
    keeper = Keeper(folder)
    http = httpx.AsyncClient(timeout=15, trust_env=False)

    def reset() -> None:
        workshop.forget()
        state.clear()
        keeper.keep_only(state)

    control = Control(reset, clock, Weather(bad_answer, events=CALLBACK_EVENTS))
    callbacks = Callbacks(state, control, http)
    workshop = Workshop(state, callbacks, http, keeper)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with http:
            for task in keeper.recall(state):
                workshop.start(task)
            yield
            await workshop.stop()
            for task in state.tasks.values():  # as they are now: held, gone
                keeper.keep_task(task)

    routes = [
        *KieApp(state, control, workshop, keeper).routes(),
        *ControlRoutes(state, callbacks).routes(),
        *control.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
