"""KIE's JSON as it is on the wire: strings in strings, fields that come and go. Nothing here raises."""

import math
import re
from typing import Annotated, Any, Final, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError, field_validator
from pydantic_core import from_json

RAW_CHARS_MAX: Final = 4_000
_URL_CHARS_MAX: Final = 2_000
_URL: Final = re.compile(r"https?://[^\s\"'<>\\]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # PostgreSQL keeps no NUL, a terminal no escape
_CALLBACK_TOKEN: Final = re.compile(r"(/kie\\*/[\w-]+\\*/)[0-9a-f]{16,}")  # some write "/" as "\\/"
_DECODE_DEPTH_MAX: Final = 3
_OK: Final = 200


def clean_raw(text: str) -> str:
    """An answer for the eyes of an engineer, without what only KIE and we should know."""
    return _CONTROL.sub(" ", _CALLBACK_TOKEN.sub(r"\1…", text[: 2 * RAW_CHARS_MAX]))[:RAW_CHARS_MAX]


def _text(value: object) -> str:
    return _CONTROL.sub(" ", str(value)) if isinstance(value, str | int | float) else ""


def _code(value: object) -> int | None:
    text = _text(value).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _number(value: object) -> float | None:
    try:
        number = float(_text(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _object(value: object) -> dict[str, Any]:
    """KIE puts JSON into JSON strings, sometimes twice."""
    for _ in range(_DECODE_DEPTH_MAX):
        if not isinstance(value, str):
            break
        try:
            value = from_json(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _urls(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(url for each in listed if (url := _url(each)))


def _url(value: object) -> str:
    url = value.strip() if isinstance(value, str) else ""
    return url if len(url) <= _URL_CHARS_MAX and _URL.fullmatch(url) else ""


Text = Annotated[str, BeforeValidator(_text)]
Code = Annotated[int | None, BeforeValidator(_code)]
Number = Annotated[float | None, BeforeValidator(_number)]
Object = Annotated[dict[str, Any], BeforeValidator(_object)]
Url = Annotated[str, BeforeValidator(_url)]


class Envelope(BaseModel):
    """Around every answer. One without `code` and `msg` is somebody else's JSON."""

    code: Code = None
    msg: Text = ""
    data: Any = None


class CreatedData(BaseModel):
    task_id: Text = Field(default="", validation_alias=AliasChoices("taskId", "task_id", "recordId"))


class Param(BaseModel):
    """What the task was made with, as KIE remembers it."""

    video_model: Text = Field(default="", alias="model")
    callback_url: Text = Field(default="", alias="callBackUrl")
    input: Object = {}

    @property
    def prompt(self) -> str:
        prompt = self.input.get("prompt")
        return prompt if isinstance(prompt, str) else ""


class RecordData(BaseModel):
    state: Text = ""
    video_model: Text = Field(default="", alias="model")
    param: Object = {}
    result: Object = Field(default={}, alias="resultJson")
    fail_code: Text = Field(default="", alias="failCode")
    fail_msg: Text = Field(default="", alias="failMsg")
    credits_consumed: Number = Field(default=None, alias="creditsConsumed")

    @field_validator("state")
    @classmethod
    def _one_case(cls, value: str) -> str:
        return value.strip().lower()

    @property
    def result_urls(self) -> tuple[str, ...]:
        return _urls(self.result.get("resultUrls"))


class LinkData(BaseModel):
    url: Url = Field(default="", validation_alias=AliasChoices("downloadUrl", "url"))


DataT = TypeVar("DataT", bound=BaseModel)


def read_envelope(text: str) -> Envelope | None:
    """None for a page, half an answer, or JSON that KIE did not write."""
    found = _object(text)
    if not {"code", "msg"} & found.keys():
        return None
    return read_data(Envelope, found)


def read_data(shape: type[DataT], value: object) -> DataT | None:
    """None where the value has another shape."""
    try:
        return shape.model_validate(value)
    except ValidationError:
        return None


def said_in(raw: str) -> str:
    """Its sentence, not yet fit for anybody: it may repeat what a person wrote. Empty for a page."""
    envelope = read_envelope(raw)
    if envelope is None:
        return ""
    record = read_data(RecordData, envelope.data)
    around = "" if envelope.code == _OK else envelope.msg
    return (record.fail_msg if record is not None else "") or around


def read_link(value: object) -> str:
    """A link comes bare, or inside an object; empty where there is none."""
    link = read_data(LinkData, value)
    return link.url if link else _url(value)


def read_number(value: object) -> float | None:
    return _number(value)
