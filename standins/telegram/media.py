"""Pictures and films as Telegram's servers treat them."""

import io
from dataclasses import dataclass
from typing import Any, Final

import av
from PIL import Image, ImageOps

PHOTO_SIDES: Final = (90, 320, 800, 1280)
_THUMBNAIL_SIDE: Final = 320
_JPEG_QUALITY: Final = 87


class NotAPicture(Exception):
    """Nothing Pillow can open."""


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class FilmFacts:
    width: int
    height: int
    duration_seconds: int
    has_sound: bool
    is_mp4: bool
    thumbnail: Picture | None


def picture_dimensions(content: bytes) -> tuple[int, int]:
    with _opened(content) as image:
        return image.size


def photo_sizes(content: bytes) -> list[Picture]:
    """Every size smaller than the picture, and the picture itself, at most 1280 pixels a side."""
    with _opened(content) as opened:
        whole = _upright_rgb(opened)
    longest = min(max(whole.size), PHOTO_SIDES[-1])
    sides = [side for side in PHOTO_SIDES if side < longest]
    return [_scaled(whole, side) for side in [*sides, longest]]


def thumbnail(content: bytes) -> Picture | None:
    try:
        with _opened(content) as opened:
            return _scaled(_upright_rgb(opened), _THUMBNAIL_SIDE)
    except NotAPicture:
        return None


def film_facts(content: bytes) -> FilmFacts | None:
    """None for what is no film. Sound decides whether Telegram shows a video or an animation."""
    try:
        with av.open(io.BytesIO(content)) as container:
            return _facts(container) if container.streams.video else None
    except av.error.FFmpegError:
        return None


def _facts(container: Any) -> FilmFacts | None:
    stream = container.streams.video[0]
    first = next(container.decode(video=0), None)
    if first is None:
        return None
    seconds = (container.duration or 0) / 1_000_000  # libav counts microseconds
    return FilmFacts(
        width=stream.width,
        height=stream.height,
        duration_seconds=round(seconds),
        has_sound=bool(container.streams.audio),
        is_mp4="mp4" in container.format.name,
        thumbnail=_scaled(first.to_image().convert("RGB"), _THUMBNAIL_SIDE),
    )


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAPicture from error
    return image


def _upright_rgb(image: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in {"RGBA", "LA", "P"}:
        return upright.convert("RGB")
    clear = upright.convert("RGBA")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")


def _scaled(image: Image.Image, side: int) -> Picture:
    copy = image.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    copy.save(out, "JPEG", quality=_JPEG_QUALITY)
    return Picture(copy.width, copy.height, out.getvalue())
