"""The fields of one Bot API call. JSON, urlencoded and multipart calls look the same from here on."""

import json
from typing import Any

from starlette.datastructures import UploadFile

from standins.telegram.errors import bad_request

Json = dict[str, Any]

_TRUE = {"true", "1", "yes", "y", "on", "t"}


class Args:
    def __init__(self, fields: Json) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        value = self._fields.get(name)
        return value is not None and value != ""

    def raw(self, name: str) -> Any:
        return self._fields.get(name)

    def text(self, name: str, default: str = "") -> str:
        value = self._fields.get(name)
        return default if value is None or isinstance(value, UploadFile) else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """Like Telegram: what is no number counts as not given."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in _TRUE

    def json(self, name: str) -> Any:
        """None where the field is missing; an object or a list, however it was sent."""
        value = self._fields.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def upload(self, name: str) -> UploadFile | None:
        value = self._fields.get(name)
        return value if isinstance(value, UploadFile) else None

    @property
    def uploads(self) -> list[UploadFile]:
        return [value for value in self._fields.values() if isinstance(value, UploadFile)]
