"""The Bot API's way to say no."""

from http import HTTPStatus
from typing import Any


class ApiError(Exception):
    """Becomes `{"ok": false, "error_code": …, "description": …}`."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description

    def shown(self) -> dict[str, Any]:
        return {"ok": False, "error_code": self.code, "description": self.description}


class UserError(Exception):
    """What a person, or a test that plays one, cannot do. One sentence."""

    def __init__(self, sentence: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def bad_request(description: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, f"Bad Request: {description}")


def forbidden(description: str) -> ApiError:
    return ApiError(HTTPStatus.FORBIDDEN, f"Forbidden: {description}")


def conflict(description: str) -> ApiError:
    return ApiError(HTTPStatus.CONFLICT, f"Conflict: {description}")
