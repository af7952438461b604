"""Finished movies, fetched from where KIE keeps them, and from nowhere else."""

import asyncio
import re
import ssl
import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

import httpcore
import httpx

from clients.addresses import AddressForbidden, CheckedBackend, Resolve, resolve
from telemetry import tracing

RESULT_HOSTS: Final = frozenset({"tempfile.aiquickdraw.com", "file.aiquickdraw.com"})

_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_CONNECTIONS_MAX: Final = 100
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PLAIN: Final = re.compile(r"[!-\[\]-~]{1,2000}")  # ASCII without spaces, controls and backslashes
_USER_AGENT: Final = "neurocards/0.1"  # CDNs refuse the agents of bare HTTP libraries


class ResultError(Exception):
    """Base of what a ResultDownloader raises."""


class ResultRefused(ResultError):
    """From elsewhere, redirected, too large, or no movie: a fresh link changes nothing."""


class ResultUnavailable(ResultError):
    """Expired, refused by the host, too slow, or cut off; a fresh link may help."""


class ResultNotReached(ResultError):
    """An outage: nothing was asked, so it uses up no try."""


@dataclass(frozen=True, slots=True)
class ResultLimits:
    """A host that sends, but hardly anything, is given up after a window or two: it holds a worker."""

    bytes_max: int = 50_000_000
    seconds_max: float = 120.0
    connect_seconds_max: float = 10.0
    head_seconds_max: float = 30.0
    silence_seconds_max: float = 15.0
    window_seconds: float = 15.0
    window_bytes_min: int = 240_000  # 16 KB/s; 50 MB in 120 s are 400 KB/s


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int

    @property
    def header(self) -> str:
        """A signed link is signed for the host as it is written in it: without the usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


class ResultDownloader:
    """`allowed_origins` are KIE_API_BASE and KIE_UPLOAD_BASE; only their scheme, host and port count.

    No key is known here, so none can be sent to a result host. Nothing follows redirects, and nothing is
    unpacked, so that the size limit counts what is sent.
    """

    def __init__(
        self,
        allowed_origins: Iterable[str],
        limits: ResultLimits | None = None,
        *,
        resolve: Resolve = resolve,
        dial: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or ResultLimits()
        self._origins = frozenset(filter(None, (_origin(each) for each in allowed_origins)))
        own = {(origin.host, origin.port) for origin in self._origins}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=_CONNECTIONS_MAX,
            max_keepalive_connections=0,
            network_backend=CheckedBackend(own, resolve, dial),
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def download(self, url: str, path: Path) -> int:
        """Return the number of bytes; after an error `path` holds nothing that is worth keeping."""
        origin = _origin(url)
        if origin is None or not self._is_allowed(origin):
            raise ResultRefused("the link leads elsewhere")
        try:
            async with asyncio.timeout(self._limits.seconds_max):
                with tracing.span("KIE result"):
                    received = await self._fetch(origin, _target(urlsplit(url)), path)
        except TimeoutError:
            raise ResultUnavailable("not finished in time") from None
        except AddressForbidden as forbidden:
            raise ResultRefused(str(forbidden)) from None
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise ResultNotReached(type(error).__name__) from None
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise ResultUnavailable(type(error).__name__) from None
        await asyncio.to_thread(_check_movie, path)
        return received

    def _is_allowed(self, origin: Origin) -> bool:
        from_kie = origin.scheme == "https" and origin.host in RESULT_HOSTS
        return (from_kie and origin.port == _DEFAULT_PORTS["https"]) or origin in self._origins

    async def _fetch(self, origin: Origin, target: str, path: Path) -> int:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._limits.head_seconds_max):
                answer = await stack.enter_async_context(self._asking(origin, target))
            _check_head(answer, self._limits.bytes_max)
            return await _write(answer, path, self._limits)

    def _asking(self, origin: Origin, target: str) -> AbstractAsyncContextManager[httpcore.Response]:
        limits = self._limits
        silence = limits.silence_seconds_max
        waits = {"connect": limits.connect_seconds_max, "read": silence, "write": silence, "pool": silence}
        return self._pool.stream(
            "GET",
            httpcore.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target),
            headers=[
                ("host", origin.header),
                ("user-agent", _USER_AGENT),
                ("accept", "*/*"),
                ("accept-encoding", "identity"),
                ("connection", "close"),
            ],
            extensions={"timeout": waits},
        )


def _origin(url: str) -> Origin | None:
    """None for what is no plain web address; a user name in it only serves to mislead."""
    if not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return Origin(parts.scheme, parts.hostname, _DEFAULT_PORTS[parts.scheme] if port is None else port)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _check_head(answer: httpcore.Response, bytes_max: int) -> None:
    if answer.status in _REDIRECTS:
        raise ResultRefused(f"HTTP {answer.status} to another place")
    if answer.status != _OK:
        raise ResultUnavailable(f"HTTP {answer.status}")
    if _header(answer, b"content-encoding") not in {b"", b"identity"}:
        raise ResultRefused("packed, and nobody asked for that")
    announced = _header(answer, b"content-length")
    if announced.isdigit() and int(announced) > bytes_max:
        raise ResultRefused(f"{int(announced)} bytes")


def _header(answer: httpcore.Response, name: bytes) -> bytes:
    return next((value.strip().lower() for key, value in answer.headers if key.lower() == name), b"")


class _Pace:
    """Raise ResultUnavailable where a whole window brought too little."""

    def __init__(self, limits: ResultLimits) -> None:
        self._limits = limits
        self._begin()

    def count(self, chunk_bytes: int) -> None:
        self._bytes += chunk_bytes
        if time.monotonic() < self._ends_at:
            return
        if self._bytes < self._limits.window_bytes_min:
            raise ResultUnavailable(f"{self._bytes} bytes in {self._limits.window_seconds} s")
        self._begin()

    def _begin(self) -> None:
        self._bytes = 0
        self._ends_at = time.monotonic() + self._limits.window_seconds


async def _write(answer: httpcore.Response, path: Path, limits: ResultLimits) -> int:
    received, pace = 0, _Pace(limits)
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in answer.aiter_stream():
            received += len(chunk)
            if received > limits.bytes_max:
                raise ResultRefused(f"more than {limits.bytes_max} bytes")
            await asyncio.to_thread(file.write, chunk)
            pace.count(len(chunk))
    return received


def _check_movie(path: Path) -> None:
    """Enough to tell an error page from an MP4; `clients.movies` looks closer."""
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            raise ResultRefused("no movie")
