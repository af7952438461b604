"""OpenAI writes the scripts and looks at what people send. One attempt per call; Temporal owns retries.

OpenAiError
├─ OpenAiFailed     an answer that is none, a refusal, or no full answer; `retryable` says what helps
└─ OpenAiNotSent    connect, DNS or TLS: the request reached nobody
"""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Final

import httpx2
import openai
from openai.types import ModerationMultiModalInputParam
from openai.types.responses import ResponseInputContentParam
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model

from clients.openai_wire import (
    ResponseAnswer,
    failure_of_moderation,
    failure_of_response,
    failure_of_status,
    read_moderation,
    read_response,
    serves_nobody,
)
from clients.outages import Listener, Nobody
from domain.failures import Failure, FailureClass, FailureReason
from domain.hiding import Hider
from domain.orders import Language
from domain.script_checks import trouble_in
from domain.scripts import PhotoStatus, clean_script, fitting, wrong_with
from telemetry import metrics, tracing
from telemetry.calls import Call, timed

MODERATION: Final = "moderation"
SCRIPTS: Final = "scripts"
_NOBODY: Final = Nobody()
_MODERATION_MODEL: Final = "omni-moderation-latest"
_OUTPUT_TOKENS_MAX: Final = 12_000  # five scripts and the thinking before them
_RAW_CHARS_MAX: Final = 4_000
_CONNECTIONS: Final = httpx2.Limits(max_connections=20, max_keepalive_connections=5)
_NEVER_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
)
_KEY_LIKE: Final = re.compile(r"sk-[\w*-]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class OpenAiError(Exception):
    pass


class OpenAiNotSent(OpenAiError):
    pass


class OpenAiFailed(OpenAiError):
    """`raw` is for engineers, and is never shown to the user; `said` is the message of an error answer.

    `away`: it was not about this request; any other would have ended so.
    """

    def __init__(
        self, failure: Failure, *, retryable: bool, raw: str = "", said: str = "", away: bool = False
    ) -> None:
        super().__init__(f"OpenAI: {failure.failure_class} {failure.code}")
        self.failure = failure
        self.retryable = retryable
        self.raw = raw
        self.said = said
        self.away = away


@dataclass(frozen=True, slots=True)
class OpenAiTimeouts:
    """`total_seconds` must stay below the activity's own timeout."""

    connect_seconds: float = 10.0
    total_seconds: float = 55.0


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEGs: the photo a video begins with, and further views of the same product."""

    photo: bytes = field(repr=False)
    views: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def data_urls(self) -> list[str]:
        """The photo's first."""
        return [_data_url(picture) for picture in (self.photo, *self.views)]


@dataclass(frozen=True, slots=True)
class ScriptsAnswer:
    """`scripts` is empty unless the photo is OK: then nothing is bought."""

    photo_status: PhotoStatus
    scripts: tuple[str, ...] = ()


class _Scripts(BaseModel):
    """`scripts` gets its length from the order. A field nobody asked for makes it another answer."""

    model_config = ConfigDict(extra="forbid")

    photo_status: PhotoStatus = Field(description="What the photo shows.")
    scripts: list[str]


@cache
def _scripts_format(count: int) -> type[_Scripts]:
    exactly = Field(min_length=count, max_length=count, description="Shot descriptions, all different.")
    return create_model("Scripts", __base__=_Scripts, scripts=(list[str], exactly))


ScriptCheck = Callable[[str, str], str | None]
"""Script and instructions; what is wrong, as a code."""


class ScriptWriter:
    """`listeners` by operation: moderation and scripts fail apart from each other."""

    def __init__(
        self,
        api_key: SecretStr,
        *,
        base_url: str,
        model: str,
        timeouts: OpenAiTimeouts | None = None,
        check: ScriptCheck = trouble_in,
        listeners: Mapping[str, Listener] | None = None,
    ) -> None:
        self._check = check
        self._listeners = listeners or {}
        self._hider = Hider([api_key.get_secret_value()])
        self._model = model
        self._timeouts = timeouts or OpenAiTimeouts()
        waits = httpx2.Timeout(self._timeouts.total_seconds, connect=self._timeouts.connect_seconds)
        self._openai = openai.AsyncOpenAI(
            api_key=api_key.get_secret_value(),
            base_url=base_url,
            max_retries=0,
            timeout=waits,
            # Only settings.py reads the environment: a proxy is an OPENAI_BASE_URL.
            http_client=openai.DefaultAsyncHttpxClient(limits=_CONNECTIONS, timeout=waits, trust_env=False),
        )

    async def aclose(self) -> None:
        await self._openai.close()

    async def find_model(self) -> None:
        """Whether key and model are known there, without writing anything. Raise OpenAiError."""
        find = self._openai.models.with_raw_response.retrieve

        async def ask() -> str:
            return (await find(self._model)).text

        await self._call("model", ask)

    async def moderate(self, text: str, pictures: Pictures) -> Failure | None:
        """None where nothing is forbidden. OpenAI looks at one picture per request, so each is its own."""
        asked = [
            self._moderate_one(text if number == 0 else "", url)
            for number, url in enumerate(pictures.data_urls)
        ]
        verdicts = await asyncio.gather(*asked, return_exceptions=True)
        forbidden = [each for each in verdicts if isinstance(each, Failure)]
        broken = [each for each in verdicts if isinstance(each, BaseException)]
        if broken and not forbidden:
            raise broken[0]
        return forbidden[0] if forbidden else None

    async def moderate_scripts(self, scripts: Sequence[str]) -> Failure | None:
        """What was made of a harmless brief is looked at, too, before a video model or anybody sees it."""
        return await self._moderate_one("\n\n".join(scripts))

    async def _moderate_one(self, text: str, picture_url: str = "") -> Failure | None:
        raw = await self._call(MODERATION, lambda: self._ask_moderation(text, picture_url))
        answer = read_moderation(raw)
        if answer is None:
            raise self._unreadable("moderation_shape", raw)
        return failure_of_moderation(answer)

    async def write_scripts(
        self,
        instructions: str,
        brief_text: str,
        pictures: Pictures,
        count: int,
        prompt_chars_max: int,
        language: Language,
    ) -> ScriptsAnswer:
        """`count` different scripts that fit, or why the photo is of no use."""
        said = f"Buyers speak: {language.value}. The seller wrote:\n{brief_text}"
        raw = await self._call(SCRIPTS, lambda: self._ask_scripts(instructions, said, pictures, count))
        written = self._structured(raw, count)
        if written.photo_status is not PhotoStatus.OK:
            return ScriptsAnswer(written.photo_status)
        fitted = [fitting(clean_script(script), prompt_chars_max) for script in written.scripts]
        scripts = tuple(script for script in fitted if script is not None)
        wrong = "a script is too long" if len(scripts) < len(fitted) else wrong_with(scripts, count)
        if wrong:
            raise self._unreadable(wrong.replace(" ", "_"), raw)
        self._refuse_troubled(written.scripts, instructions, raw)
        return ScriptsAnswer(PhotoStatus.OK, scripts)

    def _refuse_troubled(self, scripts: Sequence[str], instructions: str, raw: str) -> None:
        """A brief that makes the writer break its rules does so again most of the time; not always."""
        trouble = next(filter(None, (self._check(script, instructions) for script in scripts)), None)
        if trouble is not None:
            failure = Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, trouble)
            raise OpenAiFailed(failure, retryable=True, raw=self._clean(raw))

    async def _ask_moderation(self, text: str, picture_url: str) -> str:
        parts: list[ModerationMultiModalInputParam] = []
        if picture_url:
            parts.append({"type": "image_url", "image_url": {"url": picture_url}})
        if text.strip():
            parts.append({"type": "text", "text": text})
        create = self._openai.moderations.with_raw_response.create
        with tracing.span("GPT moderations"):
            answer = await create(model=_MODERATION_MODEL, input=parts)
        return answer.text

    async def _ask_scripts(self, instructions: str, said: str, pictures: Pictures, count: int) -> str:
        seen: list[ResponseInputContentParam] = [
            {"type": "input_image", "image_url": url, "detail": "auto"} for url in pictures.data_urls
        ]
        with tracing.span("GPT responses"):
            answer = await self._openai.responses.with_raw_response.parse(
                model=self._model,
                instructions=instructions,
                input=[{"role": "user", "content": [{"type": "input_text", "text": said}, *seen]}],
                text_format=_scripts_format(count),
                max_output_tokens=_OUTPUT_TOKENS_MAX,
                store=False,
            )
        return answer.text

    async def _call(self, operation: str, ask: Callable[[], Awaitable[str]]) -> str:
        """The body of a 2xx answer; every other end is an exception of ours."""
        listener = self._listeners.get(operation, _NOBODY)
        try:
            with timed(metrics.GPT_REQUESTS, operation=operation) as call:
                body = await self._measured(ask, call)
        except OpenAiNotSent:
            await listener.heard(answered=False)
            raise
        except OpenAiFailed as failed:
            await listener.heard(answered=not failed.away)
            raise
        await listener.heard(answered=True)
        return body

    async def _measured(self, ask: Callable[[], Awaitable[str]], call: Call) -> str:
        try:
            async with asyncio.timeout(self._timeouts.total_seconds):
                body = await ask()
        except openai.APIStatusError as error:
            call.answered(error.status_code)
            code = self._hider.hide(error.code or error.type or "", "…")
            failure, retryable = failure_of_status(error.status_code, code)
            raw, said = self._clean(_body(error)), self._clean(_said(error))
            away = serves_nobody(error.status_code, code)
            raise OpenAiFailed(failure, retryable=retryable, raw=raw, said=said, away=away) from error
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, _NEVER_SENT):
                call.not_connected()
                raise OpenAiNotSent(f"OpenAI was not reached: {type(error.__cause__).__name__}") from error
            raise _broke_off(error.__cause__ or error, call) from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise _broke_off(error, call) from error
        call.answered(HTTPStatus.OK.value)
        return self._hider.hide(body, "…")

    def _structured(self, raw: str, count: int) -> _Scripts:
        """Status and refusal first: half an answer does not parse, and says why it is half."""
        answer = read_response(raw)
        if answer is None:
            raise self._unreadable("response_shape", raw)
        self._refuse_unfinished(answer, raw)
        try:
            return _scripts_format(count).model_validate_json(answer.text)
        except ValidationError as error:
            raise self._unreadable("scripts_shape", raw) from error

    def _refuse_unfinished(self, answer: ResponseAnswer, raw: str) -> None:
        failure = failure_of_response(answer)
        if failure is not None:
            retryable = failure.failure_class is FailureClass.TEMPORARY
            raise OpenAiFailed(failure, retryable=retryable, raw=self._clean(raw))

    def _unreadable(self, code: str, raw: str) -> OpenAiFailed:
        """Written anew it will most likely be right."""
        return OpenAiFailed(Failure(FailureClass.TEMPORARY, code=code), retryable=True, raw=self._clean(raw))

    def _clean(self, raw: str) -> str:
        without_key = self._hider.hide(raw, "…")
        return _CONTROL.sub(" ", _KEY_LIKE.sub("sk-…", without_key))[:_RAW_CHARS_MAX]


def _broke_off(error: BaseException, call: Call) -> OpenAiFailed:
    call.broke_off(error)
    failure = Failure(FailureClass.TEMPORARY, code=type(error).__name__)
    return OpenAiFailed(failure, retryable=True, away=True)


def _body(error: openai.APIStatusError) -> str:
    return error.body if isinstance(error.body, str) else json.dumps(error.body, ensure_ascii=False)


def _said(error: openai.APIStatusError) -> str:
    said = error.body.get("message") if isinstance(error.body, dict) else None
    return said if isinstance(said, str) else ""


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
