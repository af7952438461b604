"""A link that wants us to call somebody else: no socket hears of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpcore
import pytest

from clients.addresses import AddressForbidden, CheckedBackend, is_public
from clients.results import ResultDownloader, ResultError, ResultNotReached, ResultRefused
from tests.clients.raw_http import http, raw_server
from tests.clients.traps import PUBLIC_ADDRESS, Dialler, Names, Traps, traps_set

HOST = "tempfile.aiquickdraw.com"
METADATA = "169.254.169.254"


@pytest.fixture
async def traps() -> AsyncIterator[Traps]:
    async with traps_set() as traps:
        yield traps


async def refused(url: str, names: Names, traps: Traps, path: Path) -> Dialler:
    dialler = Dialler(traps.port)
    downloader = ResultDownloader(["https://kie.example/api"], resolve=names, dial=dialler)
    try:
        with pytest.raises(ResultError):
            await downloader.download(url.replace("{port}", str(traps.port)), path)
    finally:
        await downloader.close()
    return dialler


@pytest.mark.parametrize(
    "url",
    [
        # another place, plainly
        "http://127.0.0.1:{port}/a.mp4",
        "https://127.0.0.2:{port}/a.mp4",
        "http://[::1]:{port}/a.mp4",
        "http://localhost:{port}/a.mp4",
        f"http://{METADATA}/latest/meta-data",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://100.100.100.200/latest/meta-data",
        "http://[fd00:ec2::254]/latest/meta-data",
        # the same address in other clothes
        "http://2130706433:{port}/a.mp4",
        "http://0x7f000001:{port}/a.mp4",
        "http://0x7f.0.0.1:{port}/a.mp4",
        "http://017700000001:{port}/a.mp4",
        "http://0177.0.0.1:{port}/a.mp4",
        "http://127.1:{port}/a.mp4",
        "http://127.0.1:{port}/a.mp4",
        "http://0:{port}/a.mp4",
        "http://127.0.0.1.:{port}/a.mp4",
        "http://[::ffff:127.0.0.1]:{port}/a.mp4",
        "http://[::ffff:7f00:1]:{port}/a.mp4",
        "http://[::127.0.0.1]:{port}/a.mp4",
        "http://[0:0:0:0:0:0:0:1]:{port}/a.mp4",
        "http://[::1%25lo]:{port}/a.mp4",
        "http://[64:ff9b::7f00:1]:{port}/a.mp4",
        "http://[2002:7f00:1::]:{port}/a.mp4",
        # the allowed name, but not as the host
        f"https://{HOST}@127.0.0.1:{{port}}/a.mp4",
        f"https://{HOST}:443@127.0.0.1:{{port}}/a.mp4",
        f"https://user:pass@{HOST}/a.mp4",
        f"https://@{HOST}/a.mp4",
        f"https://127.0.0.1:{{port}}\\@{HOST}/a.mp4",
        f"https://127.0.0.1:{{port}}/#@{HOST}/",
        f"https://127.0.0.1:{{port}}?@{HOST}/",
        f"https://127.0.0.1:{{port}}/{HOST}",
        f"https://{HOST}.127.0.0.1.nip.io:{{port}}/a.mp4",
        f"https://{HOST}.evil.example/a.mp4",
        f"https://evil-{HOST}/a.mp4",
        f"https://evil.{HOST}/a.mp4",
        "https://aiquickdraw.com/a.mp4",
        f"https://{HOST}#.evil.example:{{port}}\\a",
        # the allowed name, not quite
        f"https://{HOST}./a.mp4",
        f"https://{HOST}:{{port}}/a.mp4",
        f"https://{HOST}:0/a.mp4",
        f"https://{HOST}:65536/a.mp4",
        f"https://{HOST}:８０/a.mp4",
        f"http://{HOST}/a.mp4",
        f"http://{HOST}:443/a.mp4",
        "https://tempfile.aiquickdraw。com/a.mp4",
        "https://tempfile.aiquickdrаw.com/a.mp4",
        "https://ｔempfile.aiquickdraw.com/a.mp4",
        "https://tempfile.xn--aiquickdrw-32g.com/a.mp4",
        "https://tempfile%2Eaiquickdraw.com/a.mp4",
        f"https://{HOST}%00.evil.example/a.mp4",
        f"https://{HOST}%2F@evil.example/a.mp4",
        # controls and spaces, which parsers treat each in its own way
        f"https://{HOST}\t/a.mp4",
        "https://tempfile.aiquick\ndraw.com/a.mp4",
        f" https://{HOST}/a.mp4",
        f"https://{HOST}/a.mp4\r\nhost: evil.example",
        f"https://{HOST}\x00.evil.example/a.mp4",
        f"https://{HOST}/\u2028a.mp4",
        f"https:/{HOST}/a.mp4",
        f"https:\\\\{HOST}\\a.mp4",
        f"//{HOST}/a.mp4",
        f"https:{HOST}",
        "https://[::1/a.mp4",
        # other schemes
        "file:///etc/passwd",
        f"file://{HOST}/etc/passwd",
        "data:video/mp4;base64,AAAAGGZ0eXBpc29t",
        "gopher://127.0.0.1:{port}/_GET",
        f"ftp://{HOST}/a.mp4",
        f"dict://{HOST}/a.mp4",
        "unix:///tmp/socket",
        f"https+unix://{HOST}/a.mp4",
        f"javascript://{HOST}/%0aalert(1)",
    ],
)
async def test_a_link_elsewhere_is_not_even_looked_up(url: str, traps: Traps, tmp_path: Path) -> None:
    names = Names()
    dialler = await refused(url, names, traps, tmp_path / "a")
    assert (names.asked, dialler.dialled, traps.calls) == ([], [], [])


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["127.0.0.1", "127.0.0.2", "127.8.9.10", "::1"],
        ["10.0.0.5", "192.168.1.1", "172.16.0.1"],
        [METADATA],
        ["100.64.0.1"],
        ["0.0.0.0"],  # noqa: S104 - an answer
        ["::"],
        ["::ffff:127.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["::127.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:7f00:1::1"],
        ["2001:0:4136:e378:8000:63bf:80ff:fffe"],
        ["fe80::1%1"],
        ["fd00:ec2::254"],
        ["ff02::1"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["127.1"],
        ["2130706433"],
        ["not an address"],
    ],
)
async def test_a_name_that_leads_inside_is_refused(answers: list[str], traps: Traps, tmp_path: Path) -> None:
    dialler = await refused(f"https://{HOST}/a.mp4", Names({HOST: [answers]}), traps, tmp_path / "a")
    assert (dialler.dialled, traps.calls) == ([], [])


async def test_of_several_answers_only_the_public_ones_are_called(traps: Traps, tmp_path: Path) -> None:
    names = Names({HOST: [["127.0.0.1", PUBLIC_ADDRESS, "::1", "10.0.0.1"]]})
    dialler = await refused(f"https://{HOST}/a.mp4", names, traps, tmp_path / "a")
    assert dialler.dialled == [(PUBLIC_ADDRESS, 443)]
    assert traps.calls == []


async def test_a_name_is_asked_once_and_its_second_answer_never_counts(traps: Traps, tmp_path: Path) -> None:
    names = Names({HOST: [[PUBLIC_ADDRESS], ["127.0.0.1"]]})
    dialler = await refused(f"https://{HOST}/a.mp4", names, traps, tmp_path / "a")
    assert (names.asked, dialler.dialled, traps.calls) == ([HOST], [(PUBLIC_ADDRESS, 443)], [])
    dialler = await refused(
        f"https://{HOST}/a.mp4", names, traps, tmp_path / "a"
    )  # now it is the private one
    assert (dialler.dialled, traps.calls) == ([], [])


@pytest.mark.parametrize(
    "location",
    [
        f"http://{METADATA}/latest/meta-data",
        "http://127.0.0.2:{port}/a.mp4",
        "https://127.8.9.10:{port}/a.mp4",
        "http://[::1]:{port}/a.mp4",
        "//127.0.0.2:{port}/a.mp4",
        "/a.mp4",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
async def test_nothing_is_followed(status: int, location: str, traps: Traps, tmp_path: Path) -> None:
    answer = http(status, b"", extra=f"location: {location.replace('{port}', str(traps.port))}\r\n")
    async with raw_server(answer) as server:
        dialler = Dialler(traps.port)
        downloader = ResultDownloader([server.origin], dial=dialler)
        with pytest.raises(ResultRefused):
            await downloader.download(f"{server.origin}/a.mp4", tmp_path / "a")
        await downloader.close()
        assert dialler.dialled == [("127.0.0.1", server.port)]
        assert len(server.requests) == 1
    assert traps.calls == []


async def test_what_the_operator_named_may_be_anywhere_but_only_there(traps: Traps, tmp_path: Path) -> None:
    own = f"http://kie.internal:{traps.port}"
    names = Names({"kie.internal": [["127.0.0.2"]], HOST: [["127.0.0.2"]]})
    dialler = Dialler(traps.port)
    downloader = ResultDownloader([f"{own}/api"], resolve=names, dial=dialler)
    for url in (
        f"{own}/a.mp4",
        f"http://kie.internal:{traps.port + 1}/a",
        f"https://{HOST}/a",
        "http://kie.internal/a",
    ):
        with pytest.raises(ResultError):
            await downloader.download(url, tmp_path / "a")
    await downloader.close()
    assert traps.calls == ["127.0.0.2"]
    assert dialler.dialled == [("127.0.0.2", traps.port)]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "0x7f000001", "0x7f.1", "017700000001", "2130706433", "0", "localhost"),
        *(
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "0.0.0.0",  # noqa: S104 - a host in a link
            "127.8.9.10",
            "LOCALHOST",
            "127.0.0.1.",
        ),
    ],
)
async def test_the_systems_own_reading_of_a_host_is_checked_too(host: str, traps: Traps) -> None:
    dialler = Dialler(traps.port)
    with pytest.raises((AddressForbidden, httpcore.ConnectError)):
        await CheckedBackend((), dial=dialler).connect_tcp(host, traps.port, timeout=5)
    assert (dialler.dialled, traps.calls) == ([], [])


async def test_no_address_at_all_is_an_outage(tmp_path: Path) -> None:
    async def away(_host: str, _port: int) -> list[str]:
        raise OSError("no name server")

    downloader = ResultDownloader([], resolve=away)
    with pytest.raises(ResultNotReached):
        await downloader.download(f"https://{HOST}/a.mp4", tmp_path / "a")
    await downloader.close()


@pytest.mark.parametrize(
    "address", ["8.8.8.8", PUBLIC_ADDRESS, "100.63.255.255", "172.32.0.1", "2606:2800:21f::1"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("", "localhost", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.255.0.1", METADATA),
        *("168.63.129.16", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1"),
        *("198.19.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.2.3", "240.0.0.1"),
        *("::", "::1", "::8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "100::1"),
        *("2001::1", "2001:20::1", "2001:db8::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1"),
        *("fd12::1", "fe80::1", "fe80::1%eth0", "2606:2800:21f::1%eth0", "fec0::1", "ff02::1"),
    ],
)
def test_addresses_that_are_not(address: str) -> None:
    assert not is_public(address)
