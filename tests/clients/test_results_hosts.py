"""A host that is the right one, and behaves badly all the same."""

import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.results import (
    ResultDownloader,
    ResultError,
    ResultLimits,
    ResultNotReached,
    ResultRefused,
    ResultUnavailable,
)
from tests.clients.raw_http import http, raw_server
from tests.clients.traps import PUBLIC_ADDRESS, Dialler, Names

HOST = "tempfile.aiquickdraw.com"
MOVIE = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 100
IMPATIENT = ResultLimits(
    head_seconds_max=0.6, silence_seconds_max=0.5, window_seconds=0.4, window_bytes_min=10_000
)
PATIENT = ResultLimits(window_seconds=2.0, window_bytes_min=1_000)  # a machine that stands still sends late
SLOW_BYTES_PER_SECOND = 40_000


@asynccontextmanager
async def dripping(head: bytes, drip: bytes, pause_seconds: float) -> AsyncIterator[str]:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(drip)
            await asyncio.sleep(pause_seconds)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("head", "drip", "pause_seconds"),
    [
        (OK + b"content-length: 40000000\r\n\r\n", b"x" * 10, 0.02),  # a few bytes, for ever
        (OK + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02),
        (OK + b"content-length: 40000000\r\n\r\n", b"x", 60.0),  # silence
        (OK, b"x-more: 1\r\n", 0.02),  # a head without an end
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02),
        (b"", b"", 60.0),
    ],
)
async def test_a_host_that_holds_us_is_given_up(
    head: bytes, drip: bytes, pause_seconds: float, tmp_path: Path
) -> None:
    async with dripping(head, drip, pause_seconds) as origin:
        downloader = ResultDownloader([origin], IMPATIENT)
        begun = time.monotonic()
        with pytest.raises(ResultUnavailable):
            await downloader.download(f"{origin}/a.mp4", tmp_path / "a")
        await downloader.close()
    assert time.monotonic() - begun < 30  # far below the 60 s of silence and the 120 s of a whole download


async def test_a_slow_host_that_keeps_its_pace_is_waited_for(tmp_path: Path) -> None:
    movie = MOVIE + b"x" * 5 * SLOW_BYTES_PER_SECOND

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """By the clock: after a pause of this machine it sends what is due by then."""
        writer.write(OK + b"content-length: %d\r\n\r\n" % len(movie))
        begun, sent = time.monotonic(), 0
        while sent < len(movie):
            due = int((time.monotonic() - begun) * SLOW_BYTES_PER_SECOND)
            writer.write(movie[sent:due])
            sent = due
            await asyncio.sleep(0.1)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    downloader = ResultDownloader([origin], PATIENT)
    begun = time.monotonic()
    assert await downloader.download(f"{origin}/a.mp4", tmp_path / "a") == len(movie)
    assert time.monotonic() - begun > 2 * PATIENT.window_seconds
    await downloader.close()
    server.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(200, gzip.compress(MOVIE), extra="content-encoding: gzip\r\n"), ResultRefused),
        (http(200, MOVIE, extra="Content-Encoding: BR\r\n"), ResultRefused),
        (OK + b"content-length: 50000001\r\n\r\n", ResultRefused),
        (OK + b"content-length: " + b"9" * 5_000 + b"\r\n\r\n" + MOVIE, ResultError),
        (OK + b"content-length: -1\r\n\r\n" + MOVIE, ResultUnavailable),
        (OK + b"content-length: 9999\r\n\r\n" + MOVIE, ResultUnavailable),  # more was promised
        (OK + b"content-length: 112\r\ncontent-length: 4\r\n\r\n" + MOVIE, ResultUnavailable),
        (OK + b"content-length: 4\r\n\r\n" + MOVIE, ResultRefused),  # less was promised: no ftyp
        (OK + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\n" + MOVIE, ResultUnavailable),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000 + b"\r\n", ResultUnavailable),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", ResultUnavailable),
        (b"\x15\x03\x01\x00\x02\x02\x28", ResultUnavailable),
        (b"<html>", ResultUnavailable),
    ],
)
async def test_lies_of_the_head(answer: bytes, expected: type[ResultError], tmp_path: Path) -> None:
    async with raw_server(answer) as server:
        downloader = ResultDownloader([server.origin])
        with pytest.raises(expected):
            await downloader.download(f"{server.origin}/a.mp4", tmp_path / "a")
        await downloader.close()


# -- the name in the certificate


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(key: ec.EllipticCurvePrivateKey, host: str, folder: Path) -> Path:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{host}.pem"
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def served_names() -> list[str | None]:
    return []


@asynccontextmanager
async def https(path: Path, names: list[str | None]) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        names.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(http(200, MOVIE))
        writer.close()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_the_socket_gets_an_address_and_tls_the_name(
    key: ec.EllipticCurvePrivateKey, served_names: list[str | None], tmp_path: Path
) -> None:
    path = certificate(key, HOST, tmp_path)
    trusted = ssl.create_default_context(cafile=str(path))
    async with https(path, served_names) as port:
        names, dialler = Names({HOST: [[PUBLIC_ADDRESS], ["127.0.0.1"]]}), Dialler(0, public_port=port)
        downloader = ResultDownloader([], resolve=names, dial=dialler, tls=trusted)
        await downloader.download(f"https://{HOST}/r/a.mp4?x=1#part", tmp_path / "a")
        await downloader.close()
    assert (names.asked, dialler.dialled) == ([HOST], [(PUBLIC_ADDRESS, 443)])
    sni, head = served_names
    assert sni == HOST
    assert head is not None
    assert head.startswith("GET /r/a.mp4?x=1 HTTP/1.1\r\n")
    assert f"host: {HOST}\r\n" in head.lower()


@pytest.mark.parametrize("shown", ["evil.example", "aiquickdraw.com"])
async def test_another_ones_certificate_is_no_connection(
    key: ec.EllipticCurvePrivateKey, served_names: list[str | None], shown: str, tmp_path: Path
) -> None:
    path = certificate(key, shown, tmp_path)
    trusted = ssl.create_default_context(cafile=str(path))
    async with https(path, served_names) as port:
        names, dialler = Names({HOST: [[PUBLIC_ADDRESS]]}), Dialler(0, public_port=port)
        downloader = ResultDownloader([], resolve=names, dial=dialler, tls=trusted)
        with pytest.raises(ResultNotReached):
            await downloader.download(f"https://{HOST}/a.mp4", tmp_path / "a")
        await downloader.close()
    assert served_names == [HOST]  # and no request
