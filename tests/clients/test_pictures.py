import io
import os
import struct
import zlib

import pytest
from PIL import Image, ImageOps

from clients.opened import PHOTO_BYTES_MAX, PictureRefused
from clients.pictures import check_photo, prepare_photo
from domain.failures import FailureReason


def picture(width: int, height: int, kind: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, kind, **options)
    return buffer.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg), formats=["JPEG"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_accepted_formats(kind: str) -> None:
    facts = check_photo(picture(300, 400, kind))
    assert (facts.width, facts.height, facts.format) == (300, 400, kind)


PNG_OF_A_BILLION_PIXELS = (
    b"\x89PNG\r\n\x1a\n"
    + (head := b"\x00\x00\x00\rIHDR" + (40_000).to_bytes(4) * 2 + b"\x08\x02\x00\x00\x00")
    + zlib.crc32(head[4:]).to_bytes(4)
    + b"\x00\x00\x00\x04IDAT"
    + b"\x00" * 8
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (picture(400, 400, "GIF"), FailureReason.PHOTO_FORMAT),
        (picture(400, 400, "BMP"), FailureReason.PHOTO_FORMAT),
        (b"a text file, 300 pages long", FailureReason.PHOTO_FORMAT),
        (b"", FailureReason.PHOTO_FORMAT),
        (picture(299, 4_000, "PNG"), FailureReason.PHOTO_TOO_SMALL),
        (picture(5_001, 5_000, "PNG"), FailureReason.PHOTO_TOO_LARGE),
        (b"\xff" * (PHOTO_BYTES_MAX + 1), FailureReason.PHOTO_TOO_LARGE),
        (PNG_OF_A_BILLION_PIXELS, FailureReason.PHOTO_TOO_LARGE),
    ],
)
def test_refused_with_the_reason(data: bytes, reason: FailureReason) -> None:
    with pytest.raises(PictureRefused) as caught:
        prepare_photo(data)
    assert caught.value.reason is reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_cut_off_file_is_refused(kind: str) -> None:
    noise = Image.frombytes("RGB", (400, 400), os.urandom(480_000))
    buffer = io.BytesIO()
    noise.save(buffer, kind)
    with pytest.raises(PictureRefused) as caught:
        prepare_photo(buffer.getvalue()[:20_000])
    assert caught.value.reason is FailureReason.PHOTO_FORMAT


def test_phone_photo_comes_out_upright_and_without_metadata() -> None:
    lying = Image.new("RGB", (800, 400), "red")
    lying.paste("blue", (0, 0, 400, 400))
    exif = lying.getexif()
    exif[0x0112] = 6  # turn clockwise
    exif[0x010E] = "where I live"
    buffer = io.BytesIO()
    lying.save(buffer, "JPEG", exif=exif, comment=b"secret", icc_profile=b"not even a profile")
    prepared = prepare_photo(buffer.getvalue())
    shown = opened(prepared.jpeg)
    assert (prepared.width, prepared.height) == shown.size == (400, 800)
    assert shown.convert("RGB").getpixel((200, 100)) == pytest.approx((0, 0, 255), abs=9)
    assert not shown.getexif()
    assert "comment" not in shown.info
    assert "icc_profile" not in shown.info


def test_metadata_that_makes_no_sense_does_not_cost_the_photo() -> None:
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # turn clockwise
    words_for_a_number = struct.pack("<HHI4s", 0x011A, 2, 4, b"far\0")
    entries = struct.pack("<H", 2) + orientation + words_for_a_number + struct.pack("<I", 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + entries
    prepared = prepare_photo(picture(800, 400, "JPEG", exif=exif))
    assert (prepared.width, prepared.height) == (400, 800)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(orientation: int) -> None:
    lying = Image.new("RGB", (800, 400), "red")
    lying.paste("blue", (0, 0, 200, 100))
    exif = lying.getexif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    lying.save(buffer, "PNG", exif=exif)
    expected = ImageOps.exif_transpose(lying)
    shown = opened(prepare_photo(buffer.getvalue()).jpeg).convert("RGB")
    assert shown.size == expected.size
    corners = [(20, 20), (shown.width - 20, 20), (20, shown.height - 20)]
    for corner in corners:
        assert shown.getpixel(corner) == pytest.approx(expected.getpixel(corner), abs=9)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4_000, 3_000), (2_048, 1_536)), ((300, 20_000), (300, 20_000)), ((600, 12_000), (300, 6_000))],
)
def test_long_side_shrinks_but_the_short_one_stays_usable(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    prepared = prepare_photo(picture(*size, "JPEG"))
    assert (prepared.width, prepared.height) == expected
    assert opened(prepared.jpeg).size == expected


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_see_through_becomes_white(mode: str) -> None:
    prepared = prepare_photo(picture(300, 300, "PNG", mode))
    assert opened(prepared.jpeg).getpixel((9, 9)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("L", "JPEG"), ("P", "PNG"), ("1", "PNG"), ("I;16", "PNG")]
)
def test_every_colour_mode_becomes_rgb(mode: str, kind: str) -> None:
    assert opened(prepare_photo(picture(300, 300, kind, mode)).jpeg).mode == "RGB"


def test_noise_at_the_limit_fits() -> None:
    noise = Image.frombytes("RGB", (2_048, 2_048), os.urandom(2_048 * 2_048 * 3))
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=90)
    assert len(prepare_photo(buffer.getvalue()).jpeg) <= 10_000_000
