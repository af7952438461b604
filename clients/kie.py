"""KIE over HTTP: one attempt per call, no retries. Temporal owns those.

KieError
├─ KieKeyUnknown      no key of that name here: it was taken out of the settings
├─ KieRefused         KIE answered no. For a create: REJECTED, nothing was bought
├─ KieNotSent         the request reached nobody, or only the CDN: safe to send again
├─ KieAmbiguous       create only: the answer was lost, a KIE task may exist
├─ KieUnavailable     everything but create: no usable answer now, ask again later
└─ RecordNotVisible   recordInfo knows no such KIE task: a wrong id, or seconds too early

No exception carries a key, and what an answer says is kept in `raw`, never in the message.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import httpx
from pydantic import SecretStr

from clients.kie_answers import failure_of
from clients.kie_callbacks import callback_url, callback_url_is_ours
from clients.kie_wire import (
    CreatedData,
    Envelope,
    Param,
    RecordData,
    clean_raw,
    read_data,
    read_envelope,
    read_link,
    read_number,
)
from domain.failures import Failure, FailureClass
from domain.keys import KieKey
from domain.video_models import CATALOGUE

_USER_AGENT: Final = "neurocards/0.1"  # the CDN refuses the agents of bare HTTP libraries
_UPLOAD_PATH: Final = "neurocards"
_ANSWER_BYTES_MAX: Final = 1_000_000
_OK: Final = 200
_FORBIDDEN: Final = 403
_NULL_RECORD_CODE: Final = 422
_NULL_RECORD_TEXT: Final = "recordinfo is null"
_TASK_FAILED_CODES: Final = frozenset({408, 501})  # recordInfo's own way to say that the task is over
_CDN_REACHED_NOBODY: Final = frozenset({521, 522, 523, 525, 526})
_CDN_LOST_ANSWER: Final = frozenset({504, 520, 524})
_CDN_REFUSED: Final = frozenset({502, 503})
_NEVER_SENT: Final = (
    httpx.ConnectError,  # refused, DNS, TLS
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)
_KIE_TASK_ID_CHARS_MAX: Final = 200
# What asking again cannot change. A KIE task that is running is given up only for want of a key.
_FINAL_FOR_RECORD: Final = frozenset({FailureClass.BILLING})
_FINAL_FOR_OTHERS: Final = _FINAL_FOR_RECORD | {FailureClass.BAD_REQUEST, FailureClass.USER_VIOLATION}


class KieError(Exception):
    """`raw` is the provider's answer for engineers."""

    def __init__(self, what: str, raw: str = "", http_status: int = 0) -> None:
        super().__init__(what)
        self.raw = raw
        self.http_status = http_status


class KieKeyUnknown(KieError):
    pass


class KieNotSent(KieError):
    pass


class KieAmbiguous(KieError):
    pass


class KieUnavailable(KieError):
    pass


class RecordNotVisible(KieError):
    pass


class KieRefused(KieError):
    def __init__(self, failure: Failure, raw: str, http_status: int) -> None:
        super().__init__(f"KIE refused: {failure.failure_class} {failure.code}", raw, http_status)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class KieTimeouts:
    """`total_seconds` ends a call whose answer trickles; keep it below the activity's own timeout."""

    connect_seconds: float = 10.0
    silence_seconds: float = 30.0
    total_seconds: float = 45.0
    upload_seconds: float = 55.0


@dataclass(frozen=True, slots=True)
class Created:
    kie_task_id: str


class KieTaskState(StrEnum):
    WAITING = "waiting"
    QUEUING = "queuing"
    GENERATING = "generating"
    SUCCESS = "success"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class KieRecord:
    """A KIE task as KIE tells it. Fields that some models do not return are empty."""

    state: KieTaskState
    result_urls: tuple[str, ...] = ()
    failure: Failure | None = None
    fail_code: str = ""
    fail_msg: str = ""
    video_model: str = ""
    prompt: str = field(default="", repr=False)
    callback_url: str = field(default="", repr=False)
    credits_consumed: float | None = None
    raw: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str

    @property
    def raw(self) -> str:
        return clean_raw(self.text)

    @property
    def reached_nobody(self) -> bool:
        """Cloudflare's own pages. 1010 is about our User-Agent, never about the key."""
        blocked = self.status == _FORBIDDEN and "1010" in self.text
        return blocked or self.status in _CDN_REACHED_NOBODY


class KieClient:
    def __init__(
        self,
        keys: Sequence[KieKey],
        *,
        api_base: str,
        upload_base: str,
        webhook_secret: SecretStr,
        public_base_url: str = "",
        timeouts: KieTimeouts | None = None,
    ) -> None:
        if public_base_url and not webhook_secret.get_secret_value():
            raise ValueError("KIE_WEBHOOK_SECRET is needed where PUBLIC_BASE_URL is set")
        self._keys = {key.ref.key_id: _sendable(key) for key in keys}
        self._api_base = api_base.rstrip("/")
        self._upload_base = upload_base.rstrip("/")
        self._webhook_secret = webhook_secret
        self._public_base_url = public_base_url
        self._timeouts = timeouts or KieTimeouts()
        # A kept connection that the other side has just closed would look like a lost answer: creates get
        # a fresh one each.
        self._creates = self._http(httpx.Limits(max_connections=50, max_keepalive_connections=0))
        self._others = self._http(httpx.Limits(max_connections=50, max_keepalive_connections=10))

    async def aclose(self) -> None:
        await self._creates.aclose()
        await self._others.aclose()

    async def create_task(
        self, key_id: str, attempt_id: str, video_model_slug: str, prompt: str, image_url: str
    ) -> Created:
        """Raise KieRefused, KieNotSent or KieAmbiguous; the attempt's next state is in the name."""
        body: dict[str, Any] = {
            "model": video_model_slug,
            "input": CATALOGUE[video_model_slug].input_for(prompt, image_url),
        }
        if self._public_base_url:
            body["callBackUrl"] = callback_url(self._public_base_url, self._webhook_secret, attempt_id)
        request = self._request(
            self._creates, key_id, "POST", f"{self._api_base}/api/v1/jobs/createTask", json=body
        )
        answer = await self._send(self._creates, request, self._timeouts.total_seconds, KieAmbiguous)
        return _created(answer)

    async def record(self, key_id: str, kie_task_id: str) -> KieRecord:
        """Raise RecordNotVisible, KieRefused (another key is needed), KieNotSent or KieUnavailable."""
        url = f"{self._api_base}/api/v1/jobs/recordInfo"
        request = self._request(self._others, key_id, "GET", url, params={"taskId": kie_task_id})
        answer = await self._send(self._others, request, self._timeouts.total_seconds, KieUnavailable)
        return _record(answer)

    async def upload(self, key_id: str, file_name: str, content: bytes, mime: str) -> str:
        """KIE's public address of the file, for 24 hours. The same name would overwrite."""
        request = self._request(
            self._others,
            key_id,
            "POST",
            f"{self._upload_base}/api/file-stream-upload",
            files={"file": (file_name, content, mime)},
            data={"uploadPath": _UPLOAD_PATH, "fileName": file_name},
        )
        answer = await self._send(self._others, request, self._timeouts.upload_seconds, KieUnavailable)
        return _link(answer)

    async def fresh_link(self, key_id: str, url: str) -> str:
        """A result's address again, good for 20 minutes."""
        target = f"{self._api_base}/api/v1/common/download-url"
        request = self._request(self._others, key_id, "POST", target, json={"url": url})
        answer = await self._send(self._others, request, self._timeouts.total_seconds, KieUnavailable)
        return _link(answer)

    async def balance(self, key_id: str) -> float:
        """KIE credits left in the account; one is half a US cent."""
        request = self._request(self._others, key_id, "GET", f"{self._api_base}/api/v1/chat/credit")
        answer = await self._send(self._others, request, self._timeouts.total_seconds, KieUnavailable)
        amount = read_number(_agreed(answer).data)
        if amount is None:
            raise KieUnavailable("KIE's balance is no number", answer.raw, answer.status)
        return amount

    def record_belongs(self, record: KieRecord, attempt_id: str, video_model: str, prompt: str) -> bool:
        """Whether a KIE task that a callback brought may be adopted by this attempt."""
        if record.callback_url:
            return callback_url_is_ours(self._webhook_secret, attempt_id, record.callback_url)
        return bool(prompt) and (record.video_model, record.prompt) == (video_model, prompt)

    def _http(self, limits: httpx.Limits) -> httpx.AsyncClient:
        waits = self._timeouts
        return httpx.AsyncClient(
            headers={"User-Agent": _USER_AGENT, "Accept": "application/json"},
            timeout=httpx.Timeout(waits.silence_seconds, connect=waits.connect_seconds),
            limits=limits,
            trust_env=False,  # behind a proxy a refused connection no longer proves that nothing was sent
        )

    def _request(
        self, client: httpx.AsyncClient, key_id: str, method: str, url: str, **parts: Any
    ) -> httpx.Request:
        key = self._keys.get(key_id)
        if key is None:
            raise KieKeyUnknown(
                f"no KIE key is called {key_id}: settings name {', '.join(self._keys) or 'none'}"
            )
        return client.build_request(
            method, url, headers={"Authorization": f"Bearer {key.secret.get_secret_value()}"}, **parts
        )

    async def _send(
        self,
        client: httpx.AsyncClient,
        request: httpx.Request,
        total_seconds: float,
        unanswered: type[KieAmbiguous | KieUnavailable],
    ) -> _Answer:
        """The whole answer, or KieNotSent where that is certain, or `unanswered`."""
        try:
            async with asyncio.timeout(total_seconds):
                answer = await _exchange(client, request, unanswered)
        except _NEVER_SENT as error:
            raise KieNotSent(f"KIE was not reached: {type(error).__name__}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise unanswered(f"KIE gave no full answer: {type(error).__name__}") from error
        return _Answer(answer.status, self._without_keys(answer.text))

    def _without_keys(self, text: str) -> str:
        for key in self._keys.values():
            text = text.replace(key.secret.get_secret_value(), "…")
        return text


def _sendable(key: KieKey) -> KieKey:
    """Anything else fails inside the HTTP library, with the key in the text of the exception."""
    secret = key.secret.get_secret_value()
    if not secret or not all("!" <= char <= "~" for char in secret):
        raise ValueError(f"the KIE key {key.ref.key_id} is empty, or holds a space or a letter no key has")
    return key


async def _exchange(
    client: httpx.AsyncClient, request: httpx.Request, unanswered: type[KieAmbiguous | KieUnavailable]
) -> _Answer:
    response = await client.send(request, stream=True)
    content = b""
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _ANSWER_BYTES_MAX:
                raise unanswered("KIE's answer has no end", http_status=response.status_code)
    finally:
        await response.aclose()
    return _Answer(response.status_code, content.decode("utf-8", "replace"))


def _created(answer: _Answer) -> Created:
    envelope = read_envelope(answer.text)
    if envelope is None:
        raise _create_failure_of_page(answer)
    data = read_data(CreatedData, envelope.data)
    if data is not None and data.task_id:
        return _created_as(data.task_id, answer)
    if {answer.status, envelope.code} & _CDN_LOST_ANSWER:
        raise KieAmbiguous("KIE lost its own answer", answer.raw, answer.status)
    raise _refused(envelope, answer)


def _created_as(kie_task_id: str, answer: _Answer) -> Created:
    if len(kie_task_id) > _KIE_TASK_ID_CHARS_MAX:
        raise KieAmbiguous("KIE's task id is none", answer.raw, answer.status)
    return Created(kie_task_id)


def _create_failure_of_page(answer: _Answer) -> KieError:
    if answer.reached_nobody:
        return KieNotSent("only the CDN was reached", answer.raw, answer.status)
    if answer.status in _CDN_REFUSED:
        return KieRefused(failure_of(answer.status, ""), answer.raw, answer.status)
    return KieAmbiguous("KIE's answer is no answer", answer.raw, answer.status)


def _refused(envelope: Envelope, answer: _Answer) -> KieRefused:
    code = answer.status if envelope.code is None else envelope.code
    return KieRefused(failure_of(code, envelope.msg), answer.raw, answer.status)


def _envelope(answer: _Answer) -> Envelope:
    envelope = read_envelope(answer.text)
    if envelope is not None:
        return envelope
    if answer.reached_nobody:
        raise KieNotSent("only the CDN was reached", answer.raw, answer.status)
    raise KieUnavailable("KIE's answer is no answer", answer.raw, answer.status)


def _agreed(answer: _Answer, final: frozenset[FailureClass] = _FINAL_FOR_OTHERS) -> Envelope:
    """An answer that says yes. What may pass by itself is not a refusal."""
    envelope = _envelope(answer)
    if (envelope.code or answer.status) == _OK:
        return envelope
    refusal = _refused(envelope, answer)
    if refusal.failure.failure_class in final:
        raise refusal
    raise KieUnavailable(f"KIE says {refusal.failure.code} for now", answer.raw, answer.status)


def _link(answer: _Answer) -> str:
    url = read_link(_agreed(answer).data)
    if not url:
        raise KieUnavailable("KIE's answer holds no link", answer.raw, answer.status)
    return url


def _record(answer: _Answer) -> KieRecord:
    envelope = _envelope(answer)
    if envelope.code == _NULL_RECORD_CODE and _NULL_RECORD_TEXT in envelope.msg.lower():
        raise RecordNotVisible("recordInfo is null", answer.raw, answer.status)
    data = read_data(RecordData, envelope.data)
    if data is not None and data.state:
        return _known_record(data, envelope, answer)
    if envelope.code in _TASK_FAILED_CODES:
        return _failed_record(RecordData(), envelope, answer)
    _agreed(answer, _FINAL_FOR_RECORD)
    raise KieUnavailable("KIE's record has no state", answer.raw, answer.status)


def _known_record(data: RecordData, envelope: Envelope, answer: _Answer) -> KieRecord:
    if data.state not in set(KieTaskState):
        raise KieUnavailable("KIE's record has a state we do not know", answer.raw, answer.status)
    state = KieTaskState(data.state)
    if state is KieTaskState.FAIL:
        return _failed_record(data, envelope, answer)
    return _record_as(state, data, answer)


def _failed_record(data: RecordData, envelope: Envelope, answer: _Answer) -> KieRecord:
    """The reason stands in the record, or around it."""
    around = envelope.code not in {None, _OK}
    fail_code = data.fail_code or (str(envelope.code) if around else "")
    fail_msg = data.fail_msg or (envelope.msg if around else "")
    return replace(
        _record_as(KieTaskState.FAIL, data, answer),
        failure=failure_of(fail_code or None, fail_msg),
        fail_code=fail_code,
        fail_msg=fail_msg,
    )


def _record_as(state: KieTaskState, data: RecordData, answer: _Answer) -> KieRecord:
    param = read_data(Param, data.param) or Param()
    return KieRecord(
        state=state,
        result_urls=data.result_urls,
        video_model=data.video_model or param.video_model,
        prompt=param.prompt,
        callback_url=param.callback_url,
        credits_consumed=data.credits_consumed,
        raw=answer.raw,
    )
