"""How KIE sounds when it is not well: codes inside HTTP 200, pages of the CDN, files that do not come."""

from random import Random
from typing import Any, Final

from starlette.responses import JSONResponse, Response

CALLBACK_EVENTS: Final = frozenset({"lose_callbacks", "repeat_callbacks", "forge_callbacks"})

_FILES: Final = frozenset({"file", "result"})
_UPLOADS: Final = frozenset({"upload"})
_TOO_FREQUENT: Final = (429, "Your call frequency is too high. Please try again later.")
_TROUBLES: Final = (
    (500, "Server exception, please try again later or contact customer service"),
    (500, "Internal Error, Please try again later."),
    (455, "The service is currently under maintenance. Please try again later."),
)
_PAGES: Final = (502, 503)


def bad_answer(where: str, kind: str, chance: Random) -> Response:
    if where in _FILES:
        return Response("busy", 429 if kind == "answer_429" else chance.choice(_PAGES))
    if kind == "answer_429":
        return _refused(where, *_TOO_FREQUENT)
    trouble = chance.choice((*_TROUBLES, *_PAGES))
    return _page(trouble) if isinstance(trouble, int) else _refused(where, *trouble)


def _refused(where: str, code: int, message: str) -> Response:
    body: dict[str, Any] = {"code": code, "msg": message, "data": None}
    return JSONResponse(body | ({"success": False} if where in _UPLOADS else {}))


def _page(status: int) -> Response:
    page = f"<html><head><title>{status}</title></head><body><center>cloudflare</center></body></html>"
    return Response(page, status, media_type="text/html")
