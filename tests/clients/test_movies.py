"""Movies are made here by PyAV: mute, with sound, index first or last."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from clients.movies import make_sendable, probe
from clients.opened import MovieFacts, MovieRefused

FPS = 10
SECONDS = 2


def make_movie(path: Path, *, sound: bool, index_first: bool) -> Path:
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", format="mp4", container_options=options) as movie:
        video = movie.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 64, 96, "yuv420p"
        audio = movie.add_stream("aac", rate=44_100, layout="mono") if sound else None
        for number in range(FPS * SECONDS):
            movie.mux(video.encode(_picture(number)))
        movie.mux(video.encode(None))
        if audio is not None:
            movie.mux([packet for start in range(0, 88_200, 1_024) for packet in audio.encode(_tone(start))])
            movie.mux(audio.encode(None))
    return path


def _picture(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(64, 96, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([number * 10 % 255]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    return frame


def _tone(start: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="fltp", layout="mono", samples=1_024)
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    frame.pts, frame.sample_rate = start, 44_100
    return frame


def packets_of(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    """The pictures as they are stored."""
    with av.open(str(path)) as movie:
        return [(each.pts, each.dts, bytes(each)) for each in movie.demux(video=0) if each.dts is not None]


def test_probe_tells_the_facts(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4", sound=True, index_first=True)
    facts = probe(path)
    assert facts == MovieFacts(64, 96, facts.seconds, True, True, path.stat().st_size)
    assert facts.seconds == pytest.approx(SECONDS, abs=0.1)
    assert facts.sendable


@pytest.mark.parametrize(("sound", "index_first"), [(False, False), (False, True), (True, False)])
def test_only_the_container_is_made_anew(tmp_path: Path, *, sound: bool, index_first: bool) -> None:
    path = make_movie(tmp_path / "a.mp4", sound=sound, index_first=index_first)
    before = probe(path)
    assert (before.has_audio, before.index_first) == (sound, index_first)
    after = make_sendable(path, tmp_path / "b.mp4")
    assert after.sendable
    assert (after.width, after.height) == (before.width, before.height)
    assert after.seconds == pytest.approx(before.seconds, abs=0.05)
    assert packets_of(tmp_path / "b.mp4") == packets_of(path)


def test_silent_track_lasts_as_long_as_the_pictures(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4", sound=False, index_first=True)
    make_sendable(path, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as movie:
        audio = movie.streams.audio[0]
        assert audio.codec_context.name == "aac"
        samples = [frame.samples for frame in movie.decode(audio)]
    assert sum(samples) / 44_100 == pytest.approx(SECONDS, abs=0.1)


def test_sendable_movie_stays_as_it_is(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4", sound=True, index_first=True)
    make_sendable(path, tmp_path / "b.mp4")
    assert (tmp_path / "b.mp4").read_bytes() == path.read_bytes()


def _sound_only(path: Path) -> bytes:
    with av.open(str(path), "w", format="mp4") as movie:
        audio = movie.add_stream("aac", rate=44_100, layout="mono")
        movie.mux([*audio.encode(_tone(0)), *audio.encode(None)])
    return path.read_bytes()


def _cut_off(path: Path) -> bytes:
    whole = make_movie(path, sound=True, index_first=True).read_bytes()
    return whole[: whole.index(b"mdat") + 8]


def test_what_is_no_movie_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "odd.mp4"
    contents = [
        b"",
        b"<html>expired</html>",
        b"#EXTM3U\nhttp://127.0.0.1/secret\n",
        b"\x00\x00\x00\x08ftyp",
        b"\x00\x00\x00\x01ftyp" + b"\xff" * 8,
        b"\x00\x00\x00\x18ftypisom" + b"\x00" * 100,
        _sound_only(tmp_path / "sound.mp4"),
        _cut_off(tmp_path / "cut.mp4"),
    ]
    for content in contents:
        odd.write_bytes(content)
        with pytest.raises(MovieRefused):
            probe(odd)


def test_too_large_movie_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(MovieRefused):
        probe(path)
