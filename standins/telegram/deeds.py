"""What the routes under /control share: a refusal is one sentence, a file comes by form or by path."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from standins.control import read_fields
from standins.telegram.args import Args
from standins.telegram.errors import ApiError, UserError
from standins.telegram.people import Sent

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
Deed = Callable[[int, Args, Request], Awaitable[Json]]


def guarded(handler: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except UserError as refusal:
            return JSONResponse({"error": refusal.sentence}, refusal.status)
        except ApiError as refusal:
            return JSONResponse({"error": refusal.description}, refusal.code)

    return answer


def deed_route(deed: Deed) -> Handler:
    async def handler(request: Request) -> Response:
        return JSONResponse(await deed(request.path_params["id"], Args(await read_fields(request)), request))

    return guarded(handler)


async def content_of_form(args: Args, request: Request, name: str) -> tuple[bytes, str, str]:
    """Content, file name and MIME type of an upload, or of a file on this machine."""
    upload = args.upload(name) or args.upload("file")
    if upload:
        return await upload.read(), upload.filename or "", upload.content_type or ""
    if not args.text("path"):
        raise UserError(f"send the file as the form field {name}, or its path as JSON")
    return await read_local(request, args.text("path")), Path(args.text("path")).name, ""


async def read_local(request: Request, path: str) -> bytes:
    # A page of another site can post forms here, but not JSON: local files are for scripts only.
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise UserError("a path is taken from JSON only")
    try:
        return await asyncio.to_thread(Path(path).read_bytes)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def sent(messages: Sent) -> Json:
    return {"message_ids": messages.message_ids, "update_ids": messages.update_ids}
