"""doctor's look at what engineers look with: Temporal's Web UI, what decrypts payloads for it, and traces."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from admin.findings import Finding, ok, warning, wrong
from admin.tools import Tools
from clients.payload_codec import payload_codec
from settings import Settings, origin_of
from telemetry.tracing import TRACES_PATH

COMPOSE_UI: Final = "http://temporal-ui:8080"
COMPOSE_CODEC: Final = "http://bot:8088/codec"
"""As docker-compose.yml names them; `localhost` of a browser is none of a container."""

_COMPOSE_TEMPORAL: Final = "temporal"
_UI: Final = "TEMPORAL_UI_URL"
_CODEC: Final = "payload codec"
_TRACES: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_CALL_SECONDS: Final = 5.0  # several are asked one after the other
_UI_SETTINGS_PATH: Final = "/api/v1/settings"
_ASKS_FOR_LOGIN: Final = (301, 302, 303, 307, 308, 401, 403)
_PROBE: Final = Payload(metadata={"encoding": b"json/plain"}, data=b'"doctor was here"')
_REFUSED_BY_CODEC: Final = {
    401: ("refuses CODEC_TOKEN", "is CODEC_TOKEN the same for the bot and here?"),
    403: ("refuses pages of TEMPORAL_UI_URL", "is TEMPORAL_UI_URL the same for the bot and here?"),
    404: ("is no codec", "are TEMPORAL_PAYLOAD_KEY and CODEC_TOKEN set for the bot?"),
    429: ("was asked with a wrong token too often", "try again in a minute"),
}


Ask = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class _WebUi:
    """`codec` is where its pages ask; empty: nowhere."""

    version: str
    codec: str


async def examine_web_ui(tools: Tools) -> list[Finding]:
    settings = tools.settings
    answer = await _first_answer(_ui_addresses(settings), _ask_ui)
    if answer is None:
        return [_not_there(settings, _UI, settings.temporal_ui_url, "is the Web UI running?")]
    where = str(answer.url).removesuffix(_UI_SETTINGS_PATH)
    if answer.status_code in _ASKS_FOR_LOGIN:
        return [ok(_UI, f"{where} is there, and asks for a login first")]
    ui = _read_ui(answer)
    if ui is None:
        said = f"{where} answers {answer.status_code}, and is no Web UI of Temporal"
        return [warning(_UI, said, "set it as the browser shows the Web UI")]
    if _decrypts(settings) and not ui.codec:
        do = "start it with TEMPORAL_CODEC_ENDPOINT (docker: CODEC_URL), the bot's /codec"
        return [warning(_UI, f"{where} asks nobody to decrypt payloads", do)]
    return [ok(_UI, f"{where} is there, version {ui.version}")]


async def examine_codec(tools: Tools) -> list[Finding]:
    """Its own key first; then the bot's, asked as a page of the Web UI asks."""
    settings = tools.settings
    codec = payload_codec(settings.temporal_payload_key)
    if not codec.encrypts:
        return [ok(_CODEC, "off: TEMPORAL_PAYLOAD_KEY is not set, payloads hold ids and counts only")]
    written = await codec.encode([_PROBE])
    if written == [_PROBE] or await codec.decode(written) != [_PROBE]:
        return [wrong(_CODEC, "does not read what it wrote", "is TEMPORAL_PAYLOAD_KEY as it was?")]
    if not settings.codec_token:
        return [
            ok(_CODEC, "payloads are encrypted, and read again; the Web UI shows none without CODEC_TOKEN")
        ]
    addresses = [each for each in await _codec_addresses(settings) if _may_have_token(settings, each)]
    if not addresses:
        return [ok(_CODEC, "payloads are encrypted; the codec is elsewhere, and not tried from here")]
    body = MessageToDict(Payloads(payloads=written))
    answer = await _first_answer(addresses, lambda http, url: _ask_codec(http, url, settings, body))
    if answer is None:
        return [_not_there(settings, _CODEC, addresses[0], "is the bot running, is its WEB_PORT right?")]
    return [_decoded(answer)]


def _decoded(answer: httpx.Response) -> Finding:
    where = str(answer.url).removesuffix("/decode")
    if answer.status_code in _REFUSED_BY_CODEC:
        said, do = _REFUSED_BY_CODEC[answer.status_code]
        return wrong(_CODEC, f"{where} {said}", do)
    try:
        (read,) = ParseDict(answer.json(), Payloads()).payloads
    except (ValueError, ParseError):
        return wrong(
            _CODEC, f"{where} answers {answer.status_code}, and is no codec", "is it the bot's /codec?"
        )
    if read != _PROBE:
        do = "is TEMPORAL_PAYLOAD_KEY the same for the bot and here?"
        return wrong(_CODEC, f"{where} cannot decrypt what is encrypted here", do)
    return ok(_CODEC, f"payloads are encrypted, and {where} decrypts them for the Web UI")


async def examine_traces(tools: Tools) -> list[Finding]:
    """With no span: a collector answers that it took them all."""
    endpoint = tools.settings.otel_exporter_otlp_endpoint
    if not endpoint:
        return []
    do = "does a collector listen there, with OTLP over HTTP? Orders go on without traces"
    answer = await _first_answer([endpoint], _send_no_span)
    if answer is None:
        return [warning(_TRACES, f"{endpoint} does not answer", do)]
    if not answer.is_success:
        return [warning(_TRACES, f"{endpoint}{TRACES_PATH} answers {answer.status_code}", do)]
    return [ok(_TRACES, f"{endpoint} takes traces")]


# -- who is asked, and how ------------------------------------------------------------------------


async def _first_answer(addresses: list[str], ask: Ask) -> httpx.Response | None:
    async with httpx.AsyncClient(timeout=_CALL_SECONDS, trust_env=False) as http:
        for address in addresses:
            try:
                return await ask(http, address)
            except (httpx.HTTPError, httpx.InvalidURL):
                continue
    return None


async def _ask_ui(http: httpx.AsyncClient, url: str) -> httpx.Response:
    return await http.get(f"{url}{_UI_SETTINGS_PATH}")


async def _ask_codec(http: httpx.AsyncClient, url: str, settings: Settings, body: Any) -> httpx.Response:
    headers = {
        "authorization": f"Bearer {settings.codec_token.get_secret_value()}",
        "origin": origin_of(settings.temporal_ui_url),
        "x-namespace": settings.temporal_namespace,
    }
    return await http.post(f"{url}/decode", json=body, headers=headers)


async def _send_no_span(http: httpx.AsyncClient, url: str) -> httpx.Response:
    headers = {"content-type": "application/x-protobuf"}
    return await http.post(f"{url}{TRACES_PATH}", content=b"", headers=headers)


def _ui_addresses(settings: Settings) -> list[str]:
    return [settings.temporal_ui_url, *([COMPOSE_UI] if _is_in_compose(settings) else [])]


async def _codec_addresses(settings: Settings) -> list[str]:
    """Where the pages of the Web UI ask, else the bot's of this machine."""
    answer = await _first_answer(_ui_addresses(settings), _ask_ui)
    ui = _read_ui(answer) if answer is not None else None
    told = ui.codec if ui is not None and ui.codec else f"http://localhost:{settings.web_port}/codec"
    return [told, *([COMPOSE_CODEC] if _is_in_compose(settings) else [])]


def _may_have_token(settings: Settings, url: str) -> bool:
    """What says where the codec is may be anybody; the token opens every payload."""
    ours = [each for each in (settings.temporal_ui_url, settings.public_base_url) if each]
    known = {urlsplit(each).hostname for each in ours}
    return _is_loopback(url) or url == COMPOSE_CODEC or urlsplit(url).hostname in known


def _read_ui(answer: httpx.Response) -> _WebUi | None:
    try:
        told = answer.json()
        return _WebUi(str(told["Version"]), str(told["Codec"]["Endpoint"]))
    except (ValueError, KeyError, TypeError):
        return None


def _decrypts(settings: Settings) -> bool:
    return bool(settings.codec_token) and payload_codec(settings.temporal_payload_key).encrypts


def _not_there(settings: Settings, what: str, url: str, do: str) -> Finding:
    if _is_loopback(url) and _is_elsewhere(settings):
        return ok(what, f"{url} is for browsers on another machine: not tried from here")
    return warning(what, f"{url} does not answer", do)


def _is_elsewhere(settings: Settings) -> bool:
    """The servers are on another machine, or in other containers."""
    return not _is_loopback(f"//{settings.temporal_address}")


def _is_in_compose(settings: Settings) -> bool:
    """Elsewhere its names may be anybody's."""
    return urlsplit(f"//{settings.temporal_address}").hostname == _COMPOSE_TEMPORAL


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
