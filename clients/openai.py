"""OpenAI writes the scripts and looks at what people send. One attempt per call; Temporal owns retries.

OpenAiError
├─ OpenAiFailed     an answer that is none, a refusal, or no full answer; `retryable` says what helps
└─ OpenAiNotSent    connect, DNS or TLS: the request reached nobody
"""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx2
import openai
from openai.types import ModerationMultiModalInputParam
from openai.types.responses import ResponseInputContentParam
from pydantic import BaseModel, Field, SecretStr, ValidationError, create_model

from clients.openai_wire import (
    ResponseAnswer,
    failure_of_moderation,
    failure_of_response,
    failure_of_status,
    read_moderation,
    read_response,
)
from domain.failures import Failure, FailureClass
from domain.orders import Language
from domain.scripts import PhotoStatus, clean_script, fitting, wrong_with

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
    """`raw` is for engineers, and is never shown to the user."""

    def __init__(self, failure: Failure, *, retryable: bool, raw: str = "") -> None:
        super().__init__(f"OpenAI: {failure.failure_class} {failure.code}")
        self.failure = failure
        self.retryable = retryable
        self.raw = raw


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
    """`scripts` gets its length from the order."""

    photo_status: PhotoStatus = Field(description="What the photo shows.")
    scripts: list[str]


@cache
def _scripts_format(count: int) -> type[_Scripts]:
    exactly = Field(min_length=count, max_length=count, description="Shot descriptions, all different.")
    return create_model("Scripts", __base__=_Scripts, scripts=(list[str], exactly))


class ScriptWriter:
    def __init__(
        self, api_key: SecretStr, *, base_url: str, model: str, timeouts: OpenAiTimeouts | None = None
    ) -> None:
        self._api_key = api_key
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

    async def _moderate_one(self, text: str, picture_url: str) -> Failure | None:
        raw = await self._call(lambda: self._ask_moderation(text, picture_url))
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
        raw = await self._call(lambda: self._ask_scripts(instructions, said, pictures, count))
        written = self._structured(raw, count)
        if written.photo_status is not PhotoStatus.OK:
            return ScriptsAnswer(written.photo_status)
        fitted = [fitting(clean_script(script), prompt_chars_max) for script in written.scripts]
        scripts = tuple(script for script in fitted if script is not None)
        wrong = "a script is too long" if len(scripts) < len(fitted) else wrong_with(scripts, count)
        if wrong:
            raise self._unreadable(wrong.replace(" ", "_"), raw)
        return ScriptsAnswer(PhotoStatus.OK, scripts)

    async def _ask_moderation(self, text: str, picture_url: str) -> str:
        parts: list[ModerationMultiModalInputParam] = [
            {"type": "image_url", "image_url": {"url": picture_url}}
        ]
        if text.strip():
            parts.append({"type": "text", "text": text})
        answer = await self._openai.moderations.with_raw_response.create(model=_MODERATION_MODEL, input=parts)
        return answer.text

    async def _ask_scripts(self, instructions: str, said: str, pictures: Pictures, count: int) -> str:
        seen: list[ResponseInputContentParam] = [
            {"type": "input_image", "image_url": url, "detail": "auto"} for url in pictures.data_urls
        ]
        answer = await self._openai.responses.with_raw_response.parse(
            model=self._model,
            instructions=instructions,
            input=[{"role": "user", "content": [{"type": "input_text", "text": said}, *seen]}],
            text_format=_scripts_format(count),
            max_output_tokens=_OUTPUT_TOKENS_MAX,
            store=False,
        )
        return answer.text

    async def _call(self, ask: Callable[[], Awaitable[str]]) -> str:
        """The body of a 2xx answer; every other end is an exception of ours."""
        try:
            async with asyncio.timeout(self._timeouts.total_seconds):
                return await ask()
        except openai.APIStatusError as error:
            failure, retryable = failure_of_status(error.status_code, error.code or error.type or "")
            raise OpenAiFailed(failure, retryable=retryable, raw=self._clean(_body(error))) from error
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, _NEVER_SENT):
                raise OpenAiNotSent(f"OpenAI was not reached: {type(error.__cause__).__name__}") from error
            raise _no_answer(type(error.__cause__ or error).__name__) from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise _no_answer(type(error).__name__) from error

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
        without_key = raw.replace(self._api_key.get_secret_value(), "…")
        return _CONTROL.sub(" ", _KEY_LIKE.sub("sk-…", without_key))[:_RAW_CHARS_MAX]


def _no_answer(code: str) -> OpenAiFailed:
    return OpenAiFailed(Failure(FailureClass.TEMPORARY, code=code), retryable=True)


def _body(error: openai.APIStatusError) -> str:
    return error.body if isinstance(error.body, str) else json.dumps(error.body, ensure_ascii=False)


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
