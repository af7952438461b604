"""The product photo: checked before it is decoded, then made into a plain JPEG.

What serves opens nothing itself: this runs in the process that `clients.confined` starts.
"""

import io
from dataclasses import dataclass
from typing import Final

from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from clients.opened import (
    PHOTO_BYTES_MAX,
    PHOTO_PIXELS_MAX,
    PHOTO_SIDE_PIXELS_MIN,
    PictureRefused,
    PreparedPhoto,
)
from domain.failures import FailureReason

PREPARED_SIDE_PIXELS_MAX: Final = 2_048
PREPARED_BYTES_MAX: Final = 10_000_000

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITIES: Final = (90, 75, 50)
_RGB_MODES: Final = ("RGB", "RGBA")
_SCAN: Final = b"\xff\xda"
_SCANS_MAX: Final = 200
_SCANNED_PIXELS_MAX: Final = 1_000_000_000  # a progressive photo has ten scans, a phone's file three photos
_FRAMES_MAX: Final = 100
_PROFILE_BYTES_MAX: Final = 1_000_000
_UNREADABLE: Final = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)
# What makes a picture upright, by its EXIF orientation.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """As the header says, before any rotation."""

    width: int
    height: int
    format: str


def check_photo(data: bytes) -> PhotoFacts:
    """Raise PictureRefused with the reason a person can act on. Reads the header only."""
    if len(data) > PHOTO_BYTES_MAX:
        raise PictureRefused(FailureReason.PHOTO_TOO_LARGE)
    with _opened(data) as image:
        width, height = image.size
        frames = getattr(image, "n_frames", 1)
        # A phone's JPEG with a second picture inside calls itself MPO.
        shown = "JPEG" if image.format == "MPO" else str(image.format)
    if width * height > PHOTO_PIXELS_MAX:
        raise PictureRefused(FailureReason.PHOTO_TOO_LARGE)
    if min(width, height) < PHOTO_SIDE_PIXELS_MIN:
        raise PictureRefused(FailureReason.PHOTO_TOO_SMALL)
    if frames > _FRAMES_MAX or (shown == "JPEG" and _scanned_too_often(data, width * height)):
        raise PictureRefused(FailureReason.PHOTO_FORMAT)
    return PhotoFacts(width, height, shown)


def _scanned_too_often(data: bytes, pixels: int) -> bool:
    """A scan of a few bytes goes over the whole picture once more; inside of one this mark cannot be."""
    scans = data.count(_SCAN)
    return scans > _SCANS_MAX or scans * pixels > _SCANNED_PIXELS_MAX


def prepare_photo(data: bytes) -> PreparedPhoto:
    """Check and re-encode; a file whose header promises more than the rest holds is refused too."""
    check_photo(data)
    try:
        with _opened(data) as image:
            upright = _upright(image)
    except _UNREADABLE:
        raise PictureRefused(FailureReason.PHOTO_FORMAT) from None
    return PreparedPhoto(_encoded(upright), upright.width, upright.height)


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise PictureRefused(FailureReason.PHOTO_TOO_LARGE) from None
    except _UNREADABLE:
        raise PictureRefused(FailureReason.PHOTO_FORMAT) from None


def _upright(image: Image.Image) -> Image.Image:
    width, height = _fitting(*image.size)
    image.draft("RGB", (width, height))  # a large JPEG is decoded at a fraction of its size
    image.load()
    colours = _in_rgb(image)
    small = colours.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    shown = _flat(_turned(small, image.getexif().get(ExifTags.Base.Orientation)))
    if image.mode in _RGB_MODES:  # else it describes colours that are gone
        _to_usual_colours(shown, image.info.get("icc_profile", b""))
    return shown


def _in_rgb(image: Image.Image) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _to_usual_colours(image: Image.Image, profile: object) -> None:
    """A phone's red is not everybody's. The profile itself stays here: it can hold anything."""
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _PROFILE_BYTES_MAX:
        return
    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return


def _turned(image: Image.Image, orientation: object) -> Image.Image:
    """Pillow's own way writes the other metadata anew, and fails where a phone wrote nonsense there."""
    method = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if method is None else image.transpose(method)


def _fitting(width: int, height: int) -> tuple[int, int]:
    """Shrink the long side, but never the short one below what the video models take."""
    scale = max(PREPARED_SIDE_PIXELS_MAX / max(width, height), PHOTO_SIDE_PIXELS_MIN / min(width, height))
    return (width, height) if scale >= 1 else (round(width * scale), round(height * scale))


def _flat(image: Image.Image) -> Image.Image:
    """What is see-through becomes white, as product photos are."""
    if image.mode == "RGB":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _encoded(image: Image.Image) -> bytes:
    """The first quality that fits; the last one always does at this many pixels."""
    jpeg = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, exif=b"", comment=b"", icc_profile=b"")
        jpeg = buffer.getvalue()
        if len(jpeg) <= PREPARED_BYTES_MAX:
            break
    return jpeg
