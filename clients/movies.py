"""Is it a movie that Telegram plays; if not quite, it is made so, pictures untouched.

What serves opens nothing itself: this runs in the process that `clients.confined` starts.
"""

import heapq
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from clients.opened import MOVIE_BYTES_MAX, MovieFacts, MovieRefused

_Packet: TypeAlias = "Packet[Any]"  # generic for type checkers only

MOVIE_SECONDS_MAX: Final = 600.0
MOVIE_PIXELS_MAX: Final = 4_096 * 4_096
_DEMUXER: Final = "mp4"  # named, so that a playlist in disguise cannot make ffmpeg fetch addresses
_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "enable_drefs": "0",  # a track may say that its pictures are elsewhere
    "use_absolute_path": "0",
    "max_streams": "16",
}

_BOX_HEAD_BYTES: Final = 8
_BOX_LONG_SIZE: Final = 1
_BOX_TO_THE_END: Final = 0
_BOXES_MAX: Final = 1_000

_SILENCE_RATE: Final = 44_100
_SILENCE_BITS_PER_SECOND: Final = 32_000
_SILENCE_SAMPLES_PER_FRAME: Final = 1_024  # an AAC frame


def probe(path: Path) -> MovieFacts:
    """Raise MovieRefused unless its first picture can be decoded."""
    size = path.stat().st_size
    if size > MOVIE_BYTES_MAX:
        raise MovieRefused(f"{size} bytes")
    boxes = _box_names(path)
    if boxes[:1] != ["ftyp"]:
        raise MovieRefused("no MP4")
    try:
        with _opened(path) as movie:
            return _facts(movie, index_first=_index_first(boxes), size=size)
    except av.FFmpegError as error:
        raise MovieRefused(f"not readable: {type(error).__name__}") from None


def make_sendable(path: Path, out_path: Path) -> MovieFacts:
    """Write to `out_path` what Telegram shows as a video: index first, and a sound track even if silent.

    A mute movie would be shown as a GIF. The pictures are copied, never encoded again.
    """
    facts = probe(path)
    if facts.sendable:
        shutil.copyfile(path, out_path)
        return facts
    try:
        _remux(path, out_path)
    except av.FFmpegError as error:
        raise MovieRefused(f"cannot be remuxed: {type(error).__name__}") from None
    return probe(out_path)


def _opened(path: Path) -> InputContainer:
    return av.open(path, format=_DEMUXER, options=_OPTIONS)


def _facts(movie: InputContainer, *, index_first: bool, size: int) -> MovieFacts:
    video = _video_of(movie)
    seconds = _seconds(movie, video)
    if not 0 <= seconds <= MOVIE_SECONDS_MAX:
        raise MovieRefused(f"{seconds} s long")
    if not 0 < video.width * video.height <= MOVIE_PIXELS_MAX:
        raise MovieRefused(f"{video.width} x {video.height}")
    video.thread_count = 1  # each thread of the decoder takes pictures' worth of memory
    if next(movie.decode(video), None) is None:
        raise MovieRefused("no picture")
    return MovieFacts(video.width, video.height, seconds, bool(movie.streams.audio), index_first, size)


def _video_of(movie: InputContainer) -> VideoStream:
    if not movie.streams.video:
        raise MovieRefused("no video stream")
    return movie.streams.video[0]


def _seconds(movie: InputContainer, video: VideoStream) -> float:
    if video.duration is not None and video.time_base is not None:
        return float(video.duration * video.time_base)
    return float(movie.duration or 0) / av.time_base


def _index_first(boxes: list[str]) -> bool:
    return "moov" in boxes and "mdat" not in boxes[: boxes.index("moov")]


def _box_names(path: Path) -> list[str]:
    """The boxes of the file's top level, in order."""
    names: list[str] = []
    with path.open("rb") as file:
        while len(names) < _BOXES_MAX and (name := _next_box(file)):
            names.append(name)
    return names


def _next_box(file: BinaryIO) -> str:
    """Empty at the end, or where no box is."""
    start = file.tell()
    head = file.read(_BOX_HEAD_BYTES)
    size, name = int.from_bytes(head[:4]), head[4:].decode("latin-1")
    if size == _BOX_LONG_SIZE:
        size = int.from_bytes(file.read(8))
    if size == _BOX_TO_THE_END and name:
        file.seek(0, 2)
        return name
    file.seek(min(start + size, MOVIE_BYTES_MAX))  # a damaged size may be beyond any file
    return name if size >= _BOX_HEAD_BYTES else ""


def _remux(path: Path, out_path: Path) -> None:
    with _opened(path) as movie, _open_for_writing(out_path) as sendable:
        video = _video_of(movie)
        if movie.streams.audio:
            _copy(movie, sendable, [video, movie.streams.audio[0]])
        else:
            _copy_with_silence(movie, sendable, video)


def _open_for_writing(out_path: Path) -> OutputContainer:
    return av.open(str(out_path), "w", format="mp4", container_options={"movflags": "faststart"})


def _copy(movie: InputContainer, sendable: OutputContainer, streams: list[Any]) -> None:
    copies = {each.index: sendable.add_stream_from_template(each) for each in streams}
    for packet in movie.demux(streams):
        if packet.dts is not None:
            packet.stream = copies[packet.stream_index]
            sendable.mux(packet)


def _copy_with_silence(movie: InputContainer, sendable: OutputContainer, video: VideoStream) -> None:
    pictures = sendable.add_stream_from_template(video)
    sound = sendable.add_stream("aac", rate=_SILENCE_RATE, layout="mono")
    sound.bit_rate = _SILENCE_BITS_PER_SECOND
    packets = (packet for packet in movie.demux(video) if packet.dts is not None)
    silence = _silence(sound, _seconds(movie, video))
    for packet in heapq.merge(_moved(packets, pictures), silence, key=_packet_seconds):
        sendable.mux(packet)


def _moved(packets: Iterator[_Packet], stream: VideoStream) -> Iterator[_Packet]:
    for packet in packets:
        packet.stream = stream
        yield packet


def _packet_seconds(packet: _Packet) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _silence(sound: AudioStream, seconds: float) -> Iterator[_Packet]:
    for start in range(0, max(1, round(seconds * _SILENCE_RATE)), _SILENCE_SAMPLES_PER_FRAME):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=_SILENCE_SAMPLES_PER_FRAME)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = _SILENCE_RATE
        frame.pts = start
        yield from sound.encode(frame)
    yield from sound.encode(None)
