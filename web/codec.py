"""Payloads for the eyes of an engineer: Temporal's Web UI and command line ask here what is in them.

Only decrypted, never encrypted: what engineers send to a workflow by hand may be plain.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import parse_qs

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from clients.codec_access import COOKIE_SECONDS, authorization_fits, cookie_fits, cookie_for, token_fits
from clients.payload_codec import CannotDecrypt, EncryptionCodec
from domain.clock import Clock, utc_now
from web.bodies import Refused, read_body
from web.wrong_tries import WINDOW_SECONDS, WrongTries

CODEC_PATH: Final = "/codec"
PAYLOADS_BYTES_MAX: Final = 4 * 1024 * 1024  # more than Temporal lets into one event
COOKIE: Final = "neurocards_codec"
_FORM_BYTES_MAX: Final = 4 * 1024
_PAGE: Final = Template(Path(__file__).with_name("codec.html").read_text(encoding="utf-8"))
_SIGNED_IN: Final = "Signed in: the Web UI decrypts."
_SIGNED_OUT: Final = "Not signed in: the Web UI shows them encrypted."
_WRONG_TOKEN: Final = "That is not the token."  # noqa: S105 - a sentence about it
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}
_PREFLIGHT: Final = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type, x-namespace",
    "access-control-max-age": "600",
}


@dataclass(frozen=True, slots=True)
class CodecRoutes:
    """`ui_origin` is the only one whose pages may ask, and with the cookie only they."""

    codec: EncryptionCodec
    token: SecretStr
    ui_origin: str
    clock: Clock = utc_now
    wrong_tries: WrongTries = field(default_factory=lambda: WrongTries(utc_now))

    def routes(self) -> list[Route]:
        return [
            Route(CODEC_PATH, self.page),
            Route(CODEC_PATH, self.sign_in, methods=["POST"]),
            Route(f"{CODEC_PATH}/decode", self.preflight, methods=["OPTIONS"]),
            Route(f"{CODEC_PATH}/decode", self.decode, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        return _page(_SIGNED_IN if self._has_cookie(request) else _SIGNED_OUT)

    async def sign_in(self, request: Request) -> Response:
        """The Web UI is of the same site, whatever its port, so the strictest cookie comes from there."""
        if self.wrong_tries.too_many(_address(request)):
            return _too_many()
        try:
            body = await read_body(request, _FORM_BYTES_MAX)
        except Refused as refused:
            return _refusal(refused.status)
        if not token_fits(self.token, _token_of_form(body)):
            self.wrong_tries.add(_address(request))
            return _page(_WRONG_TOKEN, HTTPStatus.UNAUTHORIZED)
        answer = RedirectResponse(CODEC_PATH, HTTPStatus.SEE_OTHER.value, _HEADERS)
        answer.set_cookie(
            COOKIE,
            cookie_for(self.token, self.clock()),
            max_age=COOKIE_SECONDS,
            path=CODEC_PATH,
            secure=self.ui_origin.startswith("https:"),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def preflight(self, request: Request) -> Response:
        if request.headers.get("origin") != self.ui_origin:
            return _refusal(HTTPStatus.FORBIDDEN)
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={**self._shared(request), **_PREFLIGHT})

    async def decode(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        try:
            payloads = _parsed(await read_body(request, PAYLOADS_BYTES_MAX))
        except Refused as too_much:
            return _refusal(too_much.status, self._shared(request))
        decoded = Payloads(payloads=self._readable(payloads.payloads))
        return JSONResponse(MessageToDict(decoded), headers=self._shared(request))

    def _refused(self, request: Request) -> Response | None:
        """A browser says where a page is from; a command line has no origin."""
        if request.headers.get("origin") not in {None, self.ui_origin}:
            return _refusal(HTTPStatus.FORBIDDEN)
        if "origin" in request.headers and self._has_cookie(request):
            return None
        if self.wrong_tries.too_many(_address(request)):
            return _too_many(self._shared(request))
        if authorization_fits(self.token, said := request.headers.get("authorization", "")):
            return None
        if said:
            self.wrong_tries.add(_address(request))
        return _refusal(HTTPStatus.UNAUTHORIZED, self._shared(request))

    def _has_cookie(self, request: Request) -> bool:
        return cookie_fits(self.token, request.cookies.get(COOKIE, ""), self.clock())

    def _shared(self, request: Request) -> dict[str, str]:
        """Without these a browser keeps the answer from the page that asked."""
        if request.headers.get("origin") != self.ui_origin:
            return _HEADERS
        return {
            **_HEADERS,
            "access-control-allow-origin": self.ui_origin,
            "access-control-allow-credentials": "true",
            "vary": "origin",
        }

    def _readable(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._decoded_or_reason(payload) for payload in payloads]

    def _decoded_or_reason(self, payload: Payload) -> Payload:
        """One that cannot be opened must not hide the others."""
        try:
            return self.codec.decoded(payload)
        except CannotDecrypt as reason:
            return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(str(reason)).encode())


def _parsed(body: bytes) -> Payloads:
    """Raise Refused."""
    try:
        return Parse(body, Payloads(), ignore_unknown_fields=True)
    except (ParseError, ValueError, RecursionError):
        raise Refused(HTTPStatus.BAD_REQUEST) from None


def _token_of_form(body: bytes) -> str:
    try:
        fields = parse_qs(body.decode(), max_num_fields=5)
    except ValueError:
        return ""
    return fields.get("token", [""])[0].strip()


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _page(state: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return HTMLResponse(_PAGE.substitute(state=state), status.value, _HEADERS)


def _refusal(status: HTTPStatus, headers: dict[str, str] = _HEADERS) -> Response:
    return JSONResponse({"message": status.phrase}, status.value, headers)


def _too_many(headers: dict[str, str] = _HEADERS) -> Response:
    return _refusal(HTTPStatus.TOO_MANY_REQUESTS, {**headers, "retry-after": str(WINDOW_SECONDS)})
