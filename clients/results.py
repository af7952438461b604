"""Finished movies, fetched from where KIE keeps them, and from nowhere else."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

RESULT_HOSTS: Final = frozenset({"tempfile.aiquickdraw.com", "file.aiquickdraw.com"})
RESULT_BYTES_MAX: Final = 50_000_000
RESULT_SECONDS_MAX: Final = 120.0

_CONNECT_SECONDS_MAX: Final = 10.0
_READ_SECONDS_MAX: Final = 30.0
_CHUNK_BYTES: Final = 1_000_000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

Origin = tuple[str, str, int]


class ResultError(Exception):
    """Base of what a ResultDownloader raises."""


class ResultRefused(ResultError):
    """From elsewhere, redirected, too large, or no movie: a fresh link changes nothing."""


class ResultUnavailable(ResultError):
    """Expired, refused by the host, or cut off; a fresh link may help."""


class ResultNotReached(ResultError):
    """An outage: nothing was asked, so it uses up no try."""


class ResultDownloader:
    """`allowed_origins` are KIE_API_BASE and KIE_UPLOAD_BASE; only their scheme, host and port count.

    No key is known here, so none can be sent to a result host.
    """

    def __init__(self, allowed_origins: Iterable[str]) -> None:
        self._origins = frozenset(filter(None, (_origin(each) for each in allowed_origins)))
        timeout = httpx.Timeout(_READ_SECONDS_MAX, connect=_CONNECT_SECONDS_MAX)
        plain = {"accept-encoding": "identity"}  # the size limit counts what is sent
        self._http = httpx.AsyncClient(
            follow_redirects=False, timeout=timeout, trust_env=False, headers=plain
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def download(
        self,
        url: str,
        path: Path,
        bytes_max: int = RESULT_BYTES_MAX,
        seconds_max: float = RESULT_SECONDS_MAX,
    ) -> int:
        """Return the number of bytes; after an error `path` holds nothing that is worth keeping."""
        if not self._is_allowed(url):
            raise ResultRefused("the link leads elsewhere")
        try:
            async with asyncio.timeout(seconds_max), self._http.stream("GET", url) as answer:
                _check_head(answer, bytes_max)
                received = await _write(answer, path, bytes_max)
        except TimeoutError:
            raise ResultUnavailable(f"not finished in {seconds_max} s") from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ResultNotReached(type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise ResultUnavailable(type(error).__name__) from None
        await asyncio.to_thread(_check_movie, path)
        return received

    def _is_allowed(self, url: str) -> bool:
        origin = _origin(url)
        if origin is None:
            return False
        scheme, host, port = origin
        from_kie = scheme == "https" and host in RESULT_HOSTS and port == _DEFAULT_PORTS["https"]
        return from_kie or origin in self._origins


def _origin(url: str) -> Origin | None:
    """None for what is no plain web address; a user name in it only serves to mislead."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url:
        return None
    return parts.scheme, parts.hostname, port


def _check_head(answer: httpx.Response, bytes_max: int) -> None:
    if answer.is_redirect:
        raise ResultRefused(f"HTTP {answer.status_code} to another place")
    if answer.status_code != httpx.codes.OK:
        raise ResultUnavailable(f"HTTP {answer.status_code}")
    announced = answer.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > bytes_max:
        raise ResultRefused(f"{announced} bytes")


async def _write(answer: httpx.Response, path: Path, bytes_max: int) -> int:
    received = 0
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in answer.aiter_bytes(_CHUNK_BYTES):
            received += len(chunk)
            if received > bytes_max:
                raise ResultRefused(f"more than {bytes_max} bytes")
            await asyncio.to_thread(file.write, chunk)
    return received


def _check_movie(path: Path) -> None:
    """Enough to tell an error page from an MP4; `clients.movies` looks closer."""
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            raise ResultRefused("no movie")
