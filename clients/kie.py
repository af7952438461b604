"""KIE over HTTP: one attempt per call, no retries. Temporal owns those. Exceptions: `kie_outcomes`."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpx
from pydantic import SecretStr

from clients.kie_callbacks import callback_url, callback_url_is_ours
from clients.kie_outcomes import (
    Answer,
    Created,
    KieAmbiguous,
    KieError,
    KieKeyUnknown,
    KieNotSent,
    KieRecord,
    KieRefused,
    KieTaskState,
    KieUnavailable,
    RecordNotVisible,
    read_balance,
    read_created,
    read_link_answer,
    read_record,
)
from clients.kie_wire import read_envelope
from domain.hiding import Hider
from domain.keys import KieKey
from domain.orders import AS_IT_COMES, VideoOptions
from domain.video_models import CATALOGUE
from telemetry import metrics, tracing
from telemetry.calls import timed

__all__ = [
    "Created",
    "KieAmbiguous",
    "KieClient",
    "KieError",
    "KieKeyUnknown",
    "KieNotSent",
    "KieRecord",
    "KieRefused",
    "KieTaskState",
    "KieTimeouts",
    "KieUnavailable",
    "RecordNotVisible",
]

_USER_AGENT: Final = "neurocards/0.1"  # the CDN refuses the agents of bare HTTP libraries
_UPLOAD_PATH: Final = "neurocards"
_ANSWER_BYTES_MAX: Final = 1_000_000
_NEVER_SENT: Final = (
    httpx.ConnectError,  # refused, DNS, TLS
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class KieTimeouts:
    """`total_seconds` ends a call whose answer trickles; keep it below the activity's own timeout."""

    connect_seconds: float = 10.0
    silence_seconds: float = 30.0
    total_seconds: float = 45.0
    upload_seconds: float = 55.0


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
        self._hider = Hider(key.secret.get_secret_value() for key in keys)
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
        self,
        key_id: str,
        attempt_id: str,
        video_model_slug: str,
        prompt: str,
        image_url: str,
        options: VideoOptions = AS_IT_COMES,
    ) -> Created:
        """Raise KieRefused, KieNotSent or KieAmbiguous; the attempt's next state is in the name."""
        body: dict[str, Any] = {
            "model": video_model_slug,
            "input": CATALOGUE[video_model_slug].input_for(prompt, image_url, options),
        }
        if self._public_base_url:
            body["callBackUrl"] = callback_url(self._public_base_url, self._webhook_secret, attempt_id)
        request = self._request(
            self._creates, key_id, "POST", f"{self._api_base}/api/v1/jobs/createTask", json=body
        )
        answer = await self._send(self._creates, request, self._timeouts.total_seconds, KieAmbiguous)
        return read_created(answer)

    async def record(self, key_id: str, kie_task_id: str) -> KieRecord:
        """Raise RecordNotVisible, KieRefused (another key is needed), KieNotSent or KieUnavailable."""
        url = f"{self._api_base}/api/v1/jobs/recordInfo"
        request = self._request(self._others, key_id, "GET", url, params={"taskId": kie_task_id})
        answer = await self._send(self._others, request, self._timeouts.total_seconds, KieUnavailable)
        return read_record(answer)

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
        return read_link_answer(answer)

    async def fresh_link(self, key_id: str, url: str) -> str:
        """A result's address again, good for 20 minutes."""
        target = f"{self._api_base}/api/v1/common/download-url"
        request = self._request(self._others, key_id, "POST", target, json={"url": url})
        answer = await self._send(self._others, request, self._timeouts.total_seconds, KieUnavailable)
        return read_link_answer(answer)

    async def balance(self, key_id: str) -> float:
        """KIE credits left in the account; one is half a US cent."""
        request = self._request(self._others, key_id, "GET", f"{self._api_base}/api/v1/chat/credit")
        answer = await self._send(self._others, request, self._timeouts.total_seconds, KieUnavailable)
        return read_balance(answer)

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
            verify=_tls(),
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
    ) -> Answer:
        """The whole answer, or KieNotSent where that is certain, or `unanswered`."""
        operation = _operation(request)
        with timed(metrics.KIE_REQUESTS, operation=operation) as call, tracing.span(f"KIE {operation}"):
            try:
                async with asyncio.timeout(total_seconds):
                    answer = await _exchange(client, request, unanswered)
            except _NEVER_SENT as error:
                call.not_connected()
                raise KieNotSent(f"KIE was not reached: {type(error).__name__}") from error
            except (httpx.HTTPError, TimeoutError) as error:
                call.broke_off(error)
                raise unanswered(f"KIE gave no full answer: {type(error).__name__}") from error
            call.answered(_code(answer))
            tracing.mark(code=call.code)
        return Answer(answer.status, self._hider.hide(answer.text, "…"))


def _operation(request: httpx.Request) -> str:
    return request.url.path.rpartition("/")[2]


def _code(answer: Answer) -> int:
    """KIE refuses with 200 on the wire, and says in its JSON what it means."""
    envelope = read_envelope(answer.text)
    return answer.status if envelope is None or envelope.code is None else envelope.code


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


def _sendable(key: KieKey) -> KieKey:
    """Anything else fails inside the HTTP library, with the key in the text of the exception."""
    secret = key.secret.get_secret_value()
    if not secret or not all("!" <= char <= "~" for char in secret):
        raise ValueError(f"the KIE key {key.ref.key_id} is empty, or holds a space or a letter no key has")
    return key


async def _exchange(
    client: httpx.AsyncClient, request: httpx.Request, unanswered: type[KieAmbiguous | KieUnavailable]
) -> Answer:
    response = await client.send(request, stream=True)
    content = b""
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _ANSWER_BYTES_MAX:
                raise unanswered("KIE's answer has no end", http_status=response.status_code)
    finally:
        await response.aclose()
    return Answer(response.status_code, content.decode("utf-8", "replace"))
