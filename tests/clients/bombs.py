"""Pictures that hope that whoever opens them has no limits; and the dearest of those that are legal."""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Hard to pack, and quickly made."""
    small = Image.merge("RGB", [Image.effect_noise((500, 500), spread) for spread in (40, 60, 80)])
    return small.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *between: bytes, pixels: bytes = b"", depth: int = 8) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    return b"".join([_PNG_HEAD, head, *between, chunk(b"IDAT", pixels), chunk(b"IEND", b"")])


def packed_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes)) + packer.flush()


def picture_bombs() -> Iterator[tuple[str, bytes]]:
    """Each must be refused."""
    yield "PNG, 2.5 gigapixels in 2 MB", png(50_000, 50_000, pixels=packed_zeros(2_000))
    yield "PNG, 4 gigapixels by its header", png(2**31 - 1, 2)
    yield "PNG, 26 megapixels by its header", png(5_200, 5_000)
    yield "PNG, a profile of 2 GB", png(400, 400, chunk(b"iCCP", b"x\0\0" + packed_zeros(2_000)))
    yield "PNG, a text of 2 GB", png(400, 400, chunk(b"zTXt", b"x\0\0" + packed_zeros(2_000)))
    yield "PNG, 5,000 texts of 1 MB", png(400, 400, chunk(b"zTXt", b"x\0\0" + packed_zeros(1)) * 5_000)
    yield (
        "PNG, an international text of 2 GB",
        png(400, 400, chunk(b"iTXt", b"x\0\1\0\0\0" + packed_zeros(2_000))),
    )
    yield "APNG, 50,000 frames", animated_png(50_000)
    yield "WEBP, 100,000 frames", animated_webp(400, 400, 100_000)
    yield "WEBP, 268 megapixels by its header", animated_webp(16_383, 16_383, 1)
    yield "WEBP, 70 terapixels by its header", animated_webp(2**24 - 1, 2**24 - 1, 1)
    yield "JPEG, 5,000 scans of 25 megapixels", jpeg_of_scans(5_000, 5_000, 5_000)
    yield "JPEG, 65,535 pixels a side by its header", _jpeg_said_to_be(65_535, 65_535)
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = saved(noise(1_000, 1_000), kind)
        yield f"{kind}, cut off", whole[: len(whole) // 2]
        yield f"{kind}, cut off in its head", whole[:40]
        if kind != "WEBP":  # to whom all noise is a picture
            yield f"{kind}, noise behind the head", whole[:200] + noise(400, 400).tobytes()
    yield "JPEG, 10 MB of nothing but marks", b"\xff\xd8" + b"\xff\xda" * 5_000_000
    yield "10 MB of zeros", bytes(10_000_000)
    yield "TIFF in disguise", saved(noise(400, 400), "TIFF")


def dearest_photos() -> Iterator[tuple[str, bytes]]:
    """Each must go through, though it takes the most memory or time of its kind."""
    see_through = Image.new("RGBA", (5_000, 5_000), (1, 2, 3, 100))
    yield "PNG, 25 megapixels, see-through", saved(see_through, "PNG", compress_level=1)
    yield "WEBP, 25 megapixels, see-through", saved(see_through, "WEBP", lossless=True, method=0)
    yield "PNG, 2 GB more than its header says", png(400, 400, pixels=packed_zeros(2_000))
    yield "JPEG, 25 megapixels, 39 scans", jpeg_of_scans(5_000, 5_000, 29)


def usual_photos() -> Iterator[tuple[str, bytes]]:
    yield "JPEG, 12 megapixels", saved(noise(4_000, 3_000), "JPEG", quality=88)
    yield "JPEG, 25 megapixels", saved(noise(5_000, 5_000), "JPEG", quality=85)
    yield "JPEG, 25 megapixels, for print", saved(noise(5_000, 5_000, "CMYK"), "JPEG", quality=70)
    yield "PNG, 25 megapixels, 16 bits", saved(Image.new("I;16", (5_000, 5_000)), "PNG")
    yield "WEBP, 25 megapixels", saved(noise(5_000, 5_000), "WEBP", quality=60)


def animated_png(frames: int) -> bytes:
    """Of one pixel each, so that only their number matters; the first one is a whole picture."""
    control = struct.pack(">II", frames, 0)
    dot = zlib.compress(b"\0\1\2\3")
    picture = zlib.compress((b"\0" + bytes(1_200)) * 400)
    parts = [chunk(b"acTL", control), _frame(0, 400)]
    more = b"".join(
        _frame(2 * number - 1, 1) + chunk(b"fdAT", struct.pack(">I", 2 * number) + dot)
        for number in range(1, frames)
    )
    whole = png(400, 400, *parts, pixels=picture)
    return whole[:-12] + more + whole[-12:]


def _frame(number: int, side: int) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, side, side, 0, 0, 1, 10, 0, 0))


def animated_webp(width: int, height: int, frames: int) -> bytes:
    dot = saved(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    place = bytes(6) + bytes(6) + (1).to_bytes(3, "little") + b"\0"
    frame = _riff(b"ANMF", place + dot)
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = _riff(b"VP8X", b"\2\0\0\0" + size) + _riff(b"ANIM", bytes(6))
    return _riff(b"RIFF", b"WEBP" + head + frame * frames)


def _riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def jpeg_of_scans(width: int, height: int, scans: int) -> bytes:
    """The last scan again and again: it refines what is refined already."""
    whole = saved(Image.new("RGB", (width, height)), "JPEG", progressive=True, quality=50)
    last = whole[whole.rfind(b"\xff\xda") : -2]
    return whole[:-2] + last * scans + whole[-2:]


def _jpeg_said_to_be(width: int, height: int) -> bytes:
    whole = bytearray(saved(Image.new("RGB", (400, 400)), "JPEG"))
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(whole)
