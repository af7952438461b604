"""How Telegram sounds when it is not well, and which calls carry the bot's connection itself."""

from http import HTTPStatus
from random import Random
from typing import Any, Final

from starlette.responses import JSONResponse, Response

SERVICE_CALLS: Final = frozenset(
    {"getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo", "close", "logOut"}
)
UPDATE_EVENTS: Final = frozenset({"repeat_updates"})

_RETRY_AFTER_SECONDS: Final = (1, 2, 3)
_TROUBLES: Final = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)


def bad_answer(_where: str, kind: str, chance: Random) -> Response:
    if kind != "answer_429":
        trouble = chance.choice(_TROUBLES)
        return _refused(trouble, trouble.phrase)
    seconds = chance.choice(_RETRY_AFTER_SECONDS)
    told = f"Too Many Requests: retry after {seconds}"
    return _refused(HTTPStatus.TOO_MANY_REQUESTS, told, parameters={"retry_after": seconds})


def _refused(status: int, description: str, **more: Any) -> Response:
    body = {"ok": False, "error_code": int(status), "description": description, **more}
    return JSONResponse(body, status)
