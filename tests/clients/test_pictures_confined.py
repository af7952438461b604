"""Photos as the bot and the worker open them: in a process of its own, that may fail in every way."""

import asyncio
import io
import os
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from clients.confined import PHOTO_LIMITS, Confined, ConfinedCutOff, ConfinedLimits
from clients.opened import PHOTO_BYTES_MAX, PictureRefused
from domain.failures import FailureReason
from tests.clients.bombs import dearest_photos, jpeg_of_scans, noise, picture_bombs, saved

BOMBS = dict(picture_bombs())
ENDED = (psutil.NoSuchProcess, psutil.AccessDenied)  # whose parent has not yet heard of it belongs to root
DEAR = jpeg_of_scans(5_000, 5_000, 29)  # just below what is refused: a second or more of work


def children(pid: int | None = None) -> list[psutil.Process]:
    """The confined ones: a test process has servers among its children, too."""
    return [child for child in psutil.Process(pid).children() if _is_confined(child)]


def _is_confined(child: psutil.Process) -> bool:
    try:
        return "clients.confined_main" in child.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


async def first_child(pid: int | None = None) -> psutil.Process:
    async with asyncio.timeout(20):
        while not (found := children(pid)):  # noqa: ASYNC110 - what another process does
            await asyncio.sleep(0.002)
    return found[0]


@pytest.mark.parametrize("name", BOMBS)
async def test_bomb_is_refused(name: str) -> None:
    computed_before = seconds_computed_by_children()
    with pytest.raises(PictureRefused) as caught:
        await Confined().prepare_photo(BOMBS[name])
    assert caught.value.reason in {FailureReason.PHOTO_FORMAT, FailureReason.PHOTO_TOO_LARGE}
    # What it cost, however long the machine took for it; the benchmark looks closer.
    assert seconds_computed_by_children() - computed_before < 5


def seconds_computed_by_children() -> float:
    """By those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def test_the_dearest_legal_photos_go_through() -> None:
    for name, data in dearest_photos():
        prepared = await Confined().prepare_photo(data)
        assert max(prepared.width, prepared.height) <= 2_048, name
        assert Image.open(io.BytesIO(prepared.jpeg)).size == (prepared.width, prepared.height)


SEE_THROUGH = saved(Image.new("RGBA", (4_000, 4_000)), "PNG", compress_level=1)


async def test_too_many_bytes_start_nothing() -> None:
    with pytest.raises(PictureRefused) as caught:
        await Confined().prepare_photo(bytes(PHOTO_BYTES_MAX + 1))
    assert caught.value.reason is FailureReason.PHOTO_TOO_LARGE


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ConfinedLimits(150 * 2**20, 10, 16_000_000, 60), FailureReason.PHOTO_TOO_LARGE),
        (ConfinedLimits(768 * 2**20, 10, 1_000, 60), FailureReason.PHOTO_FORMAT),
        (ConfinedLimits(20 * 2**20, 10, 16_000_000, 60), FailureReason.PHOTO_FORMAT),  # not even a start
    ],
)
async def test_limits_hold(limits: ConfinedLimits, reason: FailureReason) -> None:
    with pytest.raises(PictureRefused) as caught:
        await Confined(photo_limits=limits).prepare_photo(SEE_THROUGH)
    assert caught.value.reason is reason


ENDLESS = """
from clients.confined_main import confine
confine({"memory_bytes_max": 2**30, "cpu_seconds_max": 1, "written_bytes_max": 1_000})
while True:
    pass
"""


def test_what_computes_too_long_is_ended_as_its_own_fault() -> None:
    """By another signal than a kill: that would be tried again."""
    ended = subprocess.run([sys.executable, "-c", ENDLESS], check=False, timeout=120)  # noqa: S603 - our own text
    assert ended.returncode == -signal.SIGXCPU


async def test_more_work_than_any_photo_is_not_even_begun() -> None:
    with pytest.raises(PictureRefused):
        await Confined().prepare_photo(DEAR + DEAR[2:-2])  # twice the scans


async def test_what_hangs_is_not_blamed_on_the_photo() -> None:
    limits = ConfinedLimits(768 * 2**20, 10, 16_000_000, 0.01)
    with pytest.raises(ConfinedCutOff):
        await Confined(photo_limits=limits).prepare_photo(DEAR)


async def test_what_somebody_killed_is_started_again() -> None:
    opening = asyncio.create_task(Confined().prepare_photo(DEAR))
    (await first_child()).kill()
    assert (await opening).width == 2_048


async def test_killed_again_it_is_left_to_whoever_asked() -> None:
    opening = asyncio.create_task(Confined().prepare_photo(DEAR))
    async with asyncio.timeout(30):
        while not opening.done():
            for child in children():
                child.kill()
            await asyncio.sleep(0.01)
    with pytest.raises(ConfinedCutOff):
        await opening


async def test_it_knows_no_secret_and_no_other_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "canary")
    opening = asyncio.create_task(Confined().prepare_photo(DEAR))
    child, looks = await first_child(), 0
    while (environment := environment_of(child)) or not looks:
        assert list(environment) == ["PYTHONPATH"]
        with suppress(*ENDED):
            assert not child.net_connections()
            assert child.num_fds() <= 10
            looks += 1
        await asyncio.sleep(0.02)
    await opening


def environment_of(child: psutil.Process) -> dict[str, str]:
    """Nothing is left of it as soon as the process ends."""
    with suppress(*ENDED):
        environment: dict[str, str] = child.environ()
        return environment
    return {}


async def test_so_many_at_a_time_and_none_when_idle() -> None:
    confined, most = Confined(processes_max=2), 0
    opening = asyncio.gather(*(confined.prepare_photo(DEAR) for _ in range(4)))
    while not opening.done():
        most = max(most, len(children()))
        await asyncio.sleep(0.02)
    assert most == 2
    assert children() == []


ORPHAN = """
import asyncio, sys
from clients.confined import Confined
asyncio.run(Confined().prepare_photo(sys.stdin.buffer.read()))
"""


async def test_it_ends_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, env=dict(os.environ))  # noqa: ASYNC220, S603
    assert parent.stdin is not None
    parent.stdin.write(DEAR)
    parent.stdin.close()
    child = await first_child(parent.pid)
    parent.kill()
    parent.wait()
    await asyncio.to_thread(psutil.wait_procs, [child], timeout=PHOTO_LIMITS.cpu_seconds_max + 10)
    assert not child.is_running()


# -- what a photo says besides what it shows

CANARY = b"59.93N 30.31E Ann"


def _jpeg() -> bytes:
    image = noise(800, 600)
    exif = image.getexif()
    exif[0x010F] = CANARY.decode()
    exif.get_ifd(0x8825)[29] = CANARY.decode()
    exif.get_ifd(0x8769)[0x927C] = CANARY
    xmp = b"<x:xmpmeta>" + CANARY + b"</x:xmpmeta>"
    whole = saved(image, "JPEG", exif=exif, xmp=xmp, comment=CANARY, icc_profile=_profile())
    thumbnail = saved(image.resize((160, 120)), "JPEG", comment=CANARY)
    more = [(0xED, b"Photoshop 3.0\0" + CANARY), (0xE1, b"Exif\0\0" + thumbnail), (0xEF, CANARY)]
    segments = b"".join(b"\xff%c" % kind + struct.pack(">H", len(said) + 2) + said for kind, said in more)
    return whole[:2] + segments + whole[2:] + CANARY


def _png() -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", CANARY.decode())
    told.add_text("Comment", CANARY.decode(), zip=True)
    told.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    told.add(b"eXIf", b"II*\0" + CANARY)
    return saved(noise(800, 600), "PNG", pnginfo=told, icc_profile=_profile()) + CANARY


def _webp() -> bytes:
    image = noise(800, 600)
    exif = image.getexif()
    exif[0x010E] = CANARY.decode()
    return saved(image, "WEBP", exif=exif.tobytes(), xmp=CANARY, icc_profile=_profile())


def _profile() -> bytes:
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return whole.replace("sRGB built-in".encode("utf-16-be"), CANARY[:13].decode().encode("utf-16-be"))


@pytest.mark.parametrize("make", [_jpeg, _png, _webp])
async def test_nothing_but_the_picture_leaves_us(make: Callable[[], bytes]) -> None:
    data = make()
    assert CANARY in data
    jpeg = (await Confined().prepare_photo(data)).jpeg
    for form in (
        CANARY,
        CANARY[:13].decode().encode("utf-16-be"),
        b"Exif",
        b"xmp",
        b"ICC_PROFILE",
        b"Photoshop",
    ):
        assert form not in jpeg
    assert segments_of(jpeg) <= {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
    assert jpeg.endswith(b"\xff\xd9")


def segments_of(jpeg: bytes) -> set[int]:
    """Kinds of all segments up to the picture's data."""
    kinds, at = set(), 2
    while jpeg[at + 1] != 0xDA:
        kinds.add(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return kinds


async def test_colours_of_another_profile_are_shown_as_meant() -> None:
    """The same numbers mean another red where the profile says so."""
    red = Image.new("RGB", (400, 400), (200, 50, 50))
    data = saved(red, "PNG", icc_profile=_swapped_profile())
    shown = Image.open(io.BytesIO((await Confined().prepare_photo(data)).jpeg)).convert("RGB")
    pixel = shown.getpixel((200, 200))
    assert isinstance(pixel, tuple)
    assert pixel[1] > 150 > pixel[0]


def _swapped_profile() -> bytes:
    """What it calls red is green, and the other way round."""
    whole = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = whole.index(b"rXYZ"), whole.index(b"gXYZ")
    whole[red : red + 4], whole[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(whole)
