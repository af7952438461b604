"""A short MP4 made of a photo: a slow zoom, with a quiet tone, with silence, or without any sound track."""

import io
import math
import tempfile
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias

import av
from av.packet import Packet
from PIL import Image, ImageOps

_Packet: TypeAlias = "Packet[Any]"  # generic for type checkers only
Sound = Literal["tone", "silent", "none"]

_FRAMES_PER_SECOND = 8  # enough to see it move; a smoke run makes twenty of these on two cores
_ZOOM = 0.15
_AUDIO_RATE = 44_100
_AUDIO_FRAME_SAMPLES = 1_024
_TONE_HERTZ = 220
_TONE_AMPLITUDE = 1_500
_LONG_SIDE_MAX = 1_280
_SHORT_SIDE = 720
FILM_BEGINS = "film-begins:"
FILM_ENDS = "film-ends:"
_MARK_LENGTH = 32
_NO_MARK = "?" * _MARK_LENGTH
_NOTE_UUID = b"standin-film-mrk"


@dataclass(frozen=True, slots=True)
class MovieOrder:
    width: int = 720
    height: int = 1280
    seconds: float = 3.0
    sound: Sound = "none"
    index_first: bool = True


def open_photo(photo: bytes) -> Image.Image:
    """Raises OSError for anything that is not a picture."""
    with Image.open(io.BytesIO(photo)) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def frame_size(aspect: str, photo: Image.Image) -> tuple[int, int]:
    """Width and height for `9:16`, `portrait` and the like; the photo's own shape for anything else."""
    named = {"portrait": "9:16", "landscape": "16:9"}.get(aspect, aspect)
    left, _, right = named.partition(":")
    if left.isdigit() and right.isdigit() and int(left) and int(right):
        return _even_size(int(left) / int(right))
    return _even_size(photo.width / photo.height)


def _even_size(ratio: float) -> tuple[int, int]:
    long_side = min(_LONG_SIDE_MAX, round(_SHORT_SIDE * max(ratio, 1 / ratio)))
    short_side = min(_SHORT_SIDE, round(long_side / max(ratio, 1 / ratio)))
    width, height = (long_side, short_side) if ratio >= 1 else (short_side, long_side)
    return max(width // 2 * 2, 2), max(height // 2 * 2, 2)


def make_movie(photo: Image.Image, order: MovieOrder) -> bytes:
    # A real file: to put the index first, the muxer reads back what it has written.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "movie.mp4")
        _write_movie(photo, order, path)
        return path.read_bytes()


def _write_movie(photo: Image.Image, order: MovieOrder, path: Path) -> None:
    flags = {"movflags": "faststart"} if order.index_first else {}
    with av.open(str(path), "w", format="mp4", options=flags) as container:
        picture = container.add_stream("libx264", rate=_FRAMES_PER_SECOND)
        picture.width, picture.height, picture.pix_fmt = order.width, order.height, "yuv420p"
        picture.options = {"preset": "ultrafast", "crf": "30", "threads": "1"}
        sound = _add_sound_track(container, order.sound)
        packets = [packet for frame in (*_zoom(photo, order), None) for packet in picture.encode(frame)]
        for packet in _marked(packets):
            container.mux(packet)
        if sound is not None:
            _write_sound(container, sound, order)


def _add_sound_track(container: Any, sound: Sound) -> Any:
    if sound == "none":
        return None
    return container.add_stream("aac", rate=_AUDIO_RATE, layout="stereo")


def _zoom(photo: Image.Image, order: MovieOrder) -> Iterator[av.VideoFrame]:
    roomy = (int(order.width * (1 + _ZOOM)), int(order.height * (1 + _ZOOM)))
    cover = ImageOps.fit(photo, roomy, Image.Resampling.BILINEAR)
    count = max(1, round(order.seconds * _FRAMES_PER_SECOND))
    for number in range(count):
        inset = number / count * _ZOOM / 2
        left, top = cover.width * inset, cover.height * inset
        box = (left, top, cover.width - left, cover.height - top)
        picture = cover.resize((order.width, order.height), Image.Resampling.BILINEAR, box=box)
        frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]  # PyAV types only a part
        frame.pts, frame.time_base = number, Fraction(1, _FRAMES_PER_SECOND)
        yield frame


def _write_sound(container: Any, track: Any, order: MovieOrder) -> None:
    amplitude = _TONE_AMPLITUDE if order.sound == "tone" else 0
    for start in range(0, int(order.seconds * _AUDIO_RATE), _AUDIO_FRAME_SAMPLES):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=_AUDIO_FRAME_SAMPLES)
        frame.planes[0].update(_tone(start, amplitude))
        frame.sample_rate, frame.pts = _AUDIO_RATE, start
        frame.time_base = Fraction(1, _AUDIO_RATE)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


@lru_cache(maxsize=512)
def _tone(start: int, amplitude: int) -> bytes:
    samples = array("h")
    for index in range(start, start + _AUDIO_FRAME_SAMPLES):
        level = int(amplitude * math.sin(2 * math.pi * _TONE_HERTZ * index / _AUDIO_RATE))
        samples.extend((level, level))
    return samples.tobytes()


def _marked(packets: list[_Packet]) -> list[_Packet]:
    """Notes inside the pictures, at the beginning and at the end, travel wherever the pictures are copied."""
    packets[0] = _with_note(packets[0], f"{FILM_BEGINS}{_NO_MARK}")
    packets[-1] = _with_note(packets[-1], f"{FILM_ENDS}{_NO_MARK}")
    return packets


def _with_note(packet: _Packet, note: str) -> _Packet:
    """A NAL unit "user data, unregistered" before those of the picture: players pass it over."""
    payload = _NOTE_UUID + note.encode()
    unit = b"\0\0\0\1\x06\x05" + bytes([len(payload)]) + payload + b"\x80"
    noted: _Packet = Packet(unit + bytes(packet))
    noted.pts, noted.dts, noted.duration = packet.pts, packet.dts, packet.duration
    noted.stream, noted.time_base = packet.stream, packet.time_base
    noted.is_keyframe = packet.is_keyframe
    return noted


def with_mark(movie: bytes, mark: str, bytes_min: int = 0) -> bytes:
    """The same clip in a file of its own, known by its notes; MP4 readers skip a `free` box at the end."""
    marked = movie.replace(_NO_MARK.encode(), mark[:_MARK_LENGTH].ljust(_MARK_LENGTH).encode())
    padding = max(0, bytes_min - len(marked) - 8)
    return marked + (padding + 8).to_bytes(4, "big") + b"free" + b"\0" * padding


class MovieMaker:
    """Remembers what it made: five videos of one photo are encoded once."""

    def __init__(self, movies_max: int = 64) -> None:
        self._made: OrderedDict[tuple[str, MovieOrder], bytes] = OrderedDict()
        self._movies_max = movies_max

    def make(self, photo: bytes, aspect: str, sound: Sound, *, index_first: bool = True) -> bytes:
        """Blocks: call it in a thread. Raises OSError for a photo that is none."""
        picture = open_photo(photo)
        width, height = frame_size(aspect, picture)
        order = MovieOrder(width=width, height=height, sound=sound, index_first=index_first)
        key = (sha256(photo).hexdigest(), order)
        if key not in self._made:
            self._made[key] = make_movie(picture, order)
            while len(self._made) > self._movies_max:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]
