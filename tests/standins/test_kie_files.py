"""What goes in and out as files: uploads, the photo, the finished video and its links."""

import base64
import io
import json
from typing import Any

import av
import pytest
from PIL import Image

from tests.standins.kie_parts import Rig, picture


def streams(movie: bytes) -> dict[str, Any]:
    opened: Any = av.open(io.BytesIO(movie), "r")
    with opened as container:
        video = container.streams.video[0]
        frames = [frame.to_image() for frame in container.decode(video=0)]
        first, last = frames[0], frames[-1]
        return {
            "codec": video.codec_context.name,
            "pixels": video.codec_context.pix_fmt,
            "size": (video.width, video.height),
            "seconds": float(container.duration or 0) / 1e6,
            "audio": [audio.codec_context.name for audio in container.streams.audio],
            "colour": first.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)),
            "moves": first.tobytes() != last.tobytes(),
            "index_first": movie.index(b"moov") < movie.index(b"mdat"),
        }


async def test_a_photo_becomes_a_video_of_itself(rig: Rig) -> None:
    created = await rig.create()
    task_id = created["data"]["taskId"]
    assert created == {"code": 200, "msg": "success", "data": {"taskId": task_id, "recordId": task_id}}
    assert len(bytes.fromhex(task_id)) == 16
    seen = streams(await rig.video(task_id))
    assert (seen["codec"], seen["pixels"], seen["audio"]) == ("h264", "yuv420p", [])
    assert seen["moves"]
    assert seen["size"] == (720, 1080)
    assert 2.5 < seen["seconds"] < 3.5
    red, green, blue = seen["colour"]
    assert red < 30, "teal has no red"
    assert abs(green - 128) < 20
    assert abs(blue - 128) < 20


async def test_sound_and_shape_follow_the_input(rig: Rig) -> None:
    with_sound = await rig.new_task(sound=True)
    assert streams(await rig.video(with_sound))["audio"] == ["aac"]
    photo = await rig.upload("wide.jpg", picture(600, 400))
    given = {
        "prompt": "a cup turns",
        "input_urls": [photo],
        "aspect_ratio": "9:16",
        "duration": 5,
        "generate_audio": True,
    }
    answer = await rig.call(
        "POST", "/api/v1/jobs/createTask", json={"model": "bytedance/seedance-1.5-pro", "input": given}
    )
    seen = streams(await rig.video(answer["data"]["taskId"]))
    assert (seen["size"], seen["audio"]) == ((720, 1280), ["aac"])


async def test_two_tasks_of_one_photo_are_two_files(rig: Rig) -> None:
    photo = await rig.upload()
    first, second = [await rig.video(await rig.new_task(photo=photo)) for _ in range(2)]
    assert first != second
    assert streams(first) == streams(second)


async def test_a_photo_is_fetched_from_any_address_and_must_be_one(rig: Rig) -> None:
    far = await rig.new_task(photo=f"{rig.receiver.url}/photo.jpg")
    assert streams(await rig.video(far))["colour"][0] > 200, "orange is red"
    away = await rig.finished(await rig.new_task(photo=f"{rig.receiver.url}/none.jpg"))
    assert (away["state"], away["failCode"], away["failMsg"]) == ("fail", "451", "Failed to fetch the image")
    text = await rig.upload("t.jpg", b"not a picture at all")
    assert (await rig.finished(await rig.new_task(photo=text)))["failMsg"] == "image format incorrect"
    webp = await rig.upload("w.webp", picture(kind="WEBP"))
    assert (await rig.finished(await rig.new_task(photo=webp)))["failMsg"] == "image format incorrect"
    cut = await rig.upload("cut.jpg", picture(1500, 1500, kind="PNG")[:-400])
    assert (await rig.finished(await rig.new_task(photo=cut)))["failMsg"] == "image format incorrect"


async def test_uploads_overwrite_by_name_expire_and_come_as_base64(rig: Rig) -> None:
    first = await rig.upload("same.jpg", picture(color="red"))
    assert await rig.upload("same.jpg", picture(color="blue")) == first
    assert (await rig.http.get(first)).content == picture(color="blue")
    body = {
        "base64Data": "data:image/png;base64," + base64.b64encode(picture(kind="PNG")).decode(),
        "uploadPath": "images",
    }
    answer = await rig.call("POST", "/api/file-base64-upload", json=body)
    got = await rig.http.get(answer["data"]["downloadUrl"])
    assert (got.content, got.headers["content-type"]) == (picture(kind="PNG"), "image/png")
    assert (await rig.call("POST", "/api/file-base64-upload", json={"uploadPath": "a"}))["code"] == 400
    await rig.control("settings", upload_ttl_seconds=0)
    assert (await rig.http.get(await rig.upload("short.jpg"))).status_code == 404


async def test_result_links_expire_and_a_fresh_one_helps_unless_it_is_gone(rig: Rig) -> None:
    task_id = await rig.new_task()
    url = json.loads((await rig.finished(task_id))["resultJson"])["resultUrls"][0]
    assert await rig.control("results", task_id=task_id) == 1
    assert (await rig.http.get(url)).status_code == 404
    fresh = (await rig.call("POST", "/api/v1/common/download-url", json={"url": url}))["data"]
    assert (await rig.http.get(fresh)).status_code == 200
    await rig.control("results", task_id=task_id, gone=True)
    assert (await rig.call("POST", "/api/v1/common/download-url", json={"url": url}))["code"] == 422
    elsewhere = {"url": "https://example.com/a.mp4"}
    assert (await rig.call("POST", "/api/v1/common/download-url", json=elsewhere))["code"] == 422


async def test_bad_results_on_order(rig: Rig) -> None:
    await rig.control("outcomes", match="none", resultless=True)
    await rig.control("outcomes", match="mute", result="mute")
    await rig.control("outcomes", match="huge", result="too_large", result_bytes=3_000_000)
    await rig.control("outcomes", match="page", result="not_a_video")
    await rig.control("outcomes", match="late", result="index_last")
    await rig.control("outcomes", match="away", result_urls=["https://elsewhere.invalid/a.mp4"])
    none = await rig.finished(await rig.new_task("none"))
    assert json.loads(none["resultJson"]) == {"resultUrls": []}
    away = await rig.finished(await rig.new_task("away"))
    assert json.loads(away["resultJson"])["resultUrls"] == ["https://elsewhere.invalid/a.mp4"]
    assert streams(await rig.video(await rig.new_task("mute", sound=True)))["audio"] == []
    huge = await rig.video(await rig.new_task("huge"))
    assert len(huge) == 3_000_000
    assert streams(huge)["codec"] == "h264"
    with pytest.raises(av.error.InvalidDataError):
        streams(await rig.video(await rig.new_task("page")))
    assert not streams(await rig.video(await rig.new_task("late")))["index_first"]
    assert streams(await rig.video(await rig.new_task("normal")))["index_first"]
