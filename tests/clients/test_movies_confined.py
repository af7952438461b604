"""Movies as the worker opens them: a result host may send anything that begins like an MP4."""

import asyncio
import random
import struct
import zlib
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.packet import Packet

from clients.confined import Confined
from clients.opened import MovieFacts, MovieRefused
from tests.clients.bombs import chunk, packed_zeros
from tests.clients.test_movies import make_movie
from tests.clients.traps import Traps, traps_set

FTYP = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"


@pytest.fixture
async def traps() -> AsyncIterator[Traps]:
    async with traps_set() as traps:
        yield traps


@pytest.fixture
def good(tmp_path: Path) -> bytes:
    return make_movie(tmp_path / "good.mp4", sound=True, index_first=False).read_bytes()


async def opened(content: bytes, folder: Path) -> MovieFacts:
    path = folder / "raw.mp4"
    path.write_bytes(content)
    return await Confined().make_sendable(path, folder / "video.mp4")


async def test_a_movie_comes_out_sendable(good: bytes, tmp_path: Path) -> None:
    facts = await opened(good, tmp_path)
    assert (facts.width, facts.height, facts.sendable) == (64, 96, True)
    assert (tmp_path / "video.mp4").stat().st_size == facts.bytes


def with_number(content: bytes, box: bytes, offset: int, number: int) -> bytes:
    """In every box of this name."""
    patched, at = bytearray(content), content.find(box)
    assert at > 0
    while at > 0:
        patched[at + 4 + offset : at + 8 + offset] = struct.pack(">I", number)
        at = content.find(box, at + 4)
    return bytes(patched)


@pytest.mark.parametrize(
    ("box", "offset", "number"),
    [
        (b"mdhd", 16, 2**31 - 1),  # years long
        (b"mvhd", 16, 2**32 - 1),
        (b"stsz", 8, 2**31 - 1),  # so many samples
        (b"stts", 4, 2**32 - 1),
        (b"stsc", 4, 2**32 - 1),
        (b"stco", 4, 2**32 - 1),
        (b"stco", 8, 2**32 - 1),  # far behind the end
        (b"trak", -8, 2**31),  # larger than the file
        (b"moov", -8, 7),
        (b"avc1", 24, 0xFFFFFFFF),  # 65,535 pixels a side
        (b"dref", 12, 0),  # the pictures are elsewhere
        (b"url ", 0, 0),
        (b"mdat", -8, 0),
    ],
)
async def test_boxes_that_lie(box: bytes, offset: int, number: int, good: bytes, tmp_path: Path) -> None:
    """Refused, or played as what is really there; never for long, never more memory."""
    async with asyncio.timeout(40):
        try:
            facts = await opened(with_number(good, box, offset, number), tmp_path)
        except MovieRefused:
            return
    assert (facts.width, facts.height) == (64, 96)
    assert facts.seconds < 600


@pytest.mark.parametrize(
    "content",
    [
        FTYP + b"\x00\x00\x00\x08free" * 1_000_000,
        FTYP + b"\x00\x00\x00\x08moov" * 1_000_000,
        FTYP + b"".join(struct.pack(">I4s", 8 * (50_000 - deep), b"moov") for deep in range(50_000)),
        FTYP + b"\x00\x00\x00\x01moov" + b"\xff" * 8,
        FTYP + b"\x00" * 1_000_000,
    ],
    ids=["endless boxes", "endless indexes", "deep boxes", "a box without an end", "boxes of nothing"],
)
async def test_boxes_without_an_end(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(MovieRefused):
        await opened(content, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n",
        "ffconcat version 1.0\nfile http://127.0.0.1:{port}/a.mp4\n",
        "v=0\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n",
        "<MPD><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>",
    ],
)
@pytest.mark.parametrize("start", [b"", FTYP])
async def test_a_list_of_addresses_in_disguise(start: bytes, text: str, traps: Traps, tmp_path: Path) -> None:
    with pytest.raises(MovieRefused):
        await opened(start + text.format(port=traps.port).encode(), tmp_path)
    assert traps.calls == []


async def test_a_track_that_points_elsewhere(good: bytes, traps: Traps, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{traps.port}/a.mp4\0".encode()
    moved = good
    for alias in (b"url ", b"alis"):
        entry = struct.pack(">I4sI", 12 + len(address), alias, 0) + address
        moved = with_grown_boxes(good, struct.pack(">I", 12) + b"url \0\0\0\1", entry)
        try:
            await opened(moved, tmp_path)
        except MovieRefused:
            continue
    assert moved != good
    assert traps.calls == []


def with_grown_boxes(content: bytes, old: bytes, new: bytes) -> bytes:
    """In a file whose index is last, so that no offset changes: each box around it gets its new size."""
    start = content.index(b"moov") - 4
    return content[:start] + _replaced(content[start:], old, new)


def _replaced(boxes: bytes, old: bytes, new: bytes) -> bytes:
    found, at = b"", 0
    while at < len(boxes):
        size, name = struct.unpack(">I4s", boxes[at : at + 8])
        inner = boxes[at + 8 : at + size]
        if name in {b"moov", b"trak", b"mdia", b"minf", b"dinf"}:
            inner = _replaced(inner, old, new)
        elif name == b"dref":
            inner = inner.replace(old, new)
        found += struct.pack(">I4s", len(inner) + 8, name) + inner
        at += size
    return found


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("said", "really"), [(8_192, 8_192), (64, 16_384), (64, 30_000)])
async def test_pictures_of_a_gigabyte(said: int, really: int, tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    with av.open(str(path), "w", format="mp4") as movie:
        video = movie.add_stream("png", rate=10)
        video.width, video.height, video.pix_fmt = said, said, "rgb24"
        packet = Packet(png_of(really, really, packed_zeros(1_000)))
        packet.stream, packet.pts, packet.dts, packet.time_base = video, 0, 0, Fraction(1, 10)
        packet.is_keyframe = True
        movie.mux(packet)
    async with asyncio.timeout(60):
        with pytest.raises(MovieRefused):
            await opened(path.read_bytes(), tmp_path)


async def test_streams_by_the_hundred(good: bytes, tmp_path: Path) -> None:
    start = good.index(b"moov") - 4
    trak = good.index(b"trak", start) - 4
    size = struct.unpack(">I", good[trak : trak + 4])[0]
    more = good[trak : trak + size] * 2_000
    moov = struct.unpack(">I", good[start : start + 4])[0]
    many = good[:start] + struct.pack(">I", moov + len(more)) + good[start + 4 : trak] + more + good[trak:]
    async with asyncio.timeout(60):
        with pytest.raises(MovieRefused):
            await opened(many, tmp_path)


async def test_damaged_movies_are_refused_or_played(good: bytes, tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - to be repeated
    for _ in range(15):
        damaged = bytearray(good)
        for _ in range(30):
            damaged[chance.randrange(24, len(damaged))] = chance.randrange(256)
        try:
            facts = await opened(bytes(damaged), tmp_path)
        except MovieRefused:
            continue
        assert facts.seconds < 600


def test_the_helper_packs_as_told() -> None:
    assert len(zlib.decompress(packed_zeros(2))) == 2_000_000
