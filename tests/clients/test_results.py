from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clients.results import (
    ResultDownloader,
    ResultError,
    ResultLimits,
    ResultNotReached,
    ResultRefused,
    ResultUnavailable,
    _origin,
)
from tests.clients.raw_http import DROP, RawServer, http, raw_server

MOVIE = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 100


@asynccontextmanager
async def downloading(
    *answers: bytes, limits: ResultLimits | None = None, **options: Any
) -> AsyncIterator[tuple[ResultDownloader, RawServer]]:
    async with raw_server(*answers, **options) as server:
        downloader = ResultDownloader([f"{server.origin}/api/v1"], limits)
        try:
            yield downloader, server
        finally:
            await downloader.close()


async def test_movie_lands_in_the_file(tmp_path: Path) -> None:
    async with downloading(http(200, MOVIE, "video/mp4")) as (downloader, server):
        assert await downloader.download(f"{server.origin}/r/1.mp4", tmp_path / "a") == len(MOVIE)
    assert (tmp_path / "a").read_bytes() == MOVIE
    assert b"authorization" not in server.requests[0].lower()


def chunked(content: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(302, b"", extra="location: http://127.0.0.1:1/\r\n"), ResultRefused),
        (http(200, MOVIE + b"x" * 1_000), ResultRefused),
        (chunked(MOVIE + b"x" * 1_000), ResultRefused),
        (http(200, b"<html>expired</html>", "text/html"), ResultRefused),
        (http(200, b""), ResultRefused),
        (http(403, b"expired"), ResultUnavailable),
        (http(404, b""), ResultUnavailable),
        (http(502, b""), ResultUnavailable),
        (http(200, MOVIE)[:-10], ResultUnavailable),
        (chunked(MOVIE)[:-10], ResultUnavailable),
        (DROP, ResultUnavailable),
    ],
)
async def test_answer_decides(tmp_path: Path, answer: bytes, expected: type[ResultError]) -> None:
    async with downloading(answer, limits=ResultLimits(bytes_max=500)) as (downloader, server):
        with pytest.raises(ResultError) as caught:
            await downloader.download(f"{server.origin}/r/1.mp4", tmp_path / "a")
    assert type(caught.value) is expected
    assert len(server.requests) == 1


async def test_slow_host_is_given_up(tmp_path: Path) -> None:
    limits = ResultLimits(seconds_max=0.2)
    async with downloading(http(200, MOVIE), limits=limits, delay_seconds=30) as (downloader, server):
        with pytest.raises(ResultUnavailable):
            await downloader.download(f"{server.origin}/r/1.mp4", tmp_path / "a")


async def test_nobody_there_is_an_outage(tmp_path: Path) -> None:
    downloader = ResultDownloader(["http://127.0.0.1:1"])
    with pytest.raises(ResultNotReached):
        await downloader.download("http://127.0.0.1:1/a.mp4", tmp_path / "a")
    await downloader.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.mp4",
        "file:///etc/passwd",
        "ftp://tempfile.aiquickdraw.com/a",
        "http://tempfile.aiquickdraw.com/a.mp4",
        "https://tempfile.aiquickdraw.com:8443/a.mp4",
        "https://tempfile.aiquickdraw.com.evil.example/a.mp4",
        "https://evil.example/tempfile.aiquickdraw.com",
        "https://tempfile.aiquickdraw.com@evil.example/a",
        "https://user@tempfile.aiquickdraw.com/a",
        "https://evil.example\\@tempfile.aiquickdraw.com/a",
        "http://kie.example:99999/a",
        "http://kie.example/a",
        "https://kie.example:8443/a",
        "http://169.254.169.254/latest/meta-data",
    ],
)
async def test_foreign_links_are_never_called(url: str, tmp_path: Path) -> None:
    downloader = ResultDownloader(["https://kie.example/api", ""])
    with pytest.raises(ResultRefused):
        await downloader.download(url, tmp_path / "a")
    await downloader.close()


@pytest.mark.unit
@pytest.mark.parametrize(
    "url",
    [
        "https://tempfile.aiquickdraw.com/r/a.mp4?x=1",
        "https://FILE.aiquickdraw.com:443/a.mp4",
        "https://kie.example/r/a.mp4",
        "https://kie.example:443/r/a.mp4",
    ],
)
def test_places_that_are_allowed(url: str) -> None:
    origin = _origin(url)
    assert origin is not None
    assert ResultDownloader(["https://kie.example/api"])._is_allowed(origin)
