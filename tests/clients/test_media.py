from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clients.media import MediaMissing, MediaStorage, MediaUnavailable, photo_key, video_key
from local.processes import free_port
from tests.clients.raw_http import http, raw_server


@pytest.fixture
def storage(tmp_path: Path) -> MediaStorage:
    return MediaStorage(f"file://{tmp_path}/kept")


async def test_what_is_put_comes_back(storage: MediaStorage, tmp_path: Path) -> None:
    source = tmp_path / "movie.mp4"
    source.write_bytes(b"movie" * 2_000_000)  # more than one part of an upload
    await storage.put(photo_key("o1"), b"photo")
    await storage.put(video_key("o1-v1"), source)
    assert await storage.get("orders/o1/photo.jpg") == b"photo"
    assert await storage.get("videos/o1-v1.mp4") == source.read_bytes()


async def test_put_again_replaces(storage: MediaStorage, tmp_path: Path) -> None:
    await storage.put("a/b", b"long content")
    await storage.put("a/b", b"short")
    assert await storage.get("a/b") == b"short"
    assert [each.name for each in (tmp_path / "kept" / "a").iterdir()] == ["b"]


async def test_get_to_file_leaves_no_half_file(storage: MediaStorage, tmp_path: Path) -> None:
    await storage.put("a", b"content")
    await storage.get_to_file("a", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"content"
    with pytest.raises(MediaMissing):
        await storage.get_to_file("b", tmp_path / "other")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy", "kept"]


async def test_missing_is_told_apart(storage: MediaStorage) -> None:
    await storage.put("a", b"")
    assert await storage.exists("a")
    assert not await storage.exists("b")
    with pytest.raises(MediaMissing):
        await storage.get("b")


@pytest.mark.parametrize(
    "key", ["", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/.b", "a\\b", "a%2Fb", "a\n", "a/"]
)
async def test_key_cannot_leave_the_storage(storage: MediaStorage, key: str) -> None:
    with pytest.raises(ValueError, match="not a media key"):
        await storage.put(key, b"x")
    with pytest.raises(ValueError, match="not a media key"):
        await storage.get(key)


async def test_old_media_are_deleted_with_their_folders(storage: MediaStorage, tmp_path: Path) -> None:
    await storage.put(photo_key("o1"), b"photo")
    now = datetime.now(UTC)
    assert await storage.delete_older_than(now - timedelta(days=30)) == 0
    assert await storage.delete_older_than(now + timedelta(days=1)) == 1
    assert not await storage.exists(photo_key("o1"))
    assert not (tmp_path / "kept" / "orders" / "o1").exists()


@pytest.mark.parametrize("url", ["file://./here/media", "file://here/media"])
async def test_relative_address(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await MediaStorage(url).put("a", b"x")
    assert (tmp_path / "here" / "media" / "a").read_bytes() == b"x"


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return monkeypatch


async def test_s3_is_asked_once_and_its_trouble_told_without_secrets(
    aws_environment: pytest.MonkeyPatch,
) -> None:
    async with raw_server(http(503, b"<Error/>", "application/xml"), http(404, b"")) as server:
        aws_environment.setenv("AWS_ENDPOINT_URL", server.origin)
        storage = MediaStorage("s3://bucket/prefix")
        with pytest.raises(MediaUnavailable) as caught:
            await storage.put("a", b"x")
        assert not await storage.exists("a")
    assert "made-up" not in str(caught.value)
    assert len(server.requests) == 2
    assert server.requests[0].startswith(b"PUT /bucket/prefix/a")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "InvalidAccessKeyId", "it answered 403 InvalidAccessKeyId"),
        (500, "", "it answered 500"),
        (404, "NoSuchBucket", "there is no such bucket"),
        (301, "PermanentRedirect", "it is in another region"),
    ],
)
async def test_what_s3_refuses_is_told_in_words(
    aws_environment: pytest.MonkeyPatch, status: int, code: str, said: str
) -> None:
    body = f"<Error><Code>{code}</Code><Key>made-up</Key></Error>".encode() if code else b""
    async with raw_server(http(status, body, "application/xml")) as server:
        aws_environment.setenv("AWS_ENDPOINT_URL", server.origin)
        with pytest.raises(MediaUnavailable) as caught:
            await MediaStorage("s3://bucket/prefix").put("a", b"x")
    assert str(caught.value) == f"a: {said}"


async def test_an_s3_that_is_not_there_is_told_in_words(aws_environment: pytest.MonkeyPatch) -> None:
    aws_environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(MediaUnavailable, match="a: nobody answers at its address"):
        await MediaStorage("s3://bucket/prefix").put("a", b"x")
