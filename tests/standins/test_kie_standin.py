import asyncio
import base64
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
import httpx
import pytest
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running

KLING = "kling-2.6/image-to-video"
KEYS = {"key-1": "alpha", "key-2": "alpha", "key-3": "beta"}


def picture(width: int = 400, height: int = 600, color: str = "teal", kind: str = "JPEG") -> bytes:
    """One colour, with a frame around it: a zoom shows."""
    target = io.BytesIO()
    image = Image.new("RGB", (width, height), color)
    ImageDraw.Draw(image).rectangle((20, 20, width - 20, height - 20), outline="black", width=2)
    image.save(target, kind)
    return target.getvalue()


class Receiver:
    """Somebody who is called back, and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answers: list[int] = []
        self.url = ""

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.json()))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    async def photo(self, _request: Request) -> Response:
        return Response(picture(color="orange"), media_type="image/jpeg")

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/kie/{attempt}", self.take, methods=["POST"]),
                Route("/photo.jpg", self.photo),
            ]
        )


class Rig:
    def __init__(self, http: httpx.AsyncClient, receiver: Receiver) -> None:
        self.http = http
        self.receiver = receiver

    async def call(self, method: str, path: str, key: str = "key-1", **kwargs: Any) -> dict[str, Any]:
        answer = await self.http.request(method, path, headers={"authorization": f"Bearer {key}"}, **kwargs)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def control(self, path: str, **order: Any) -> Any:
        answer = await self.http.post(f"/control/{path}", json=order)
        assert answer.status_code == 200, answer.text
        return answer.json()["done"][0]

    async def upload(self, name: str = "a.jpg", content: bytes | None = None, key: str = "key-1") -> str:
        answer = await self.call(
            "POST",
            "/api/file-stream-upload",
            key,
            files={"file": ("x.jpg", content or picture(), "image/jpeg")},
            data={"uploadPath": "images/orders", "fileName": name},
        )
        assert answer["success"] is True
        assert answer["code"] == 200
        return str(answer["data"]["downloadUrl"])

    async def create(self, prompt: str = "a cup turns", key: str = "key-1", **more: Any) -> dict[str, Any]:
        photo = more.pop("photo", None) or await self.upload(key=key)
        callback = {"callBackUrl": more.pop("callback")} if "callback" in more else {}
        given = {"prompt": prompt, "image_urls": [photo], "sound": False, "duration": "5", **more}
        body = {"model": KLING, "input": given, **callback}
        return await self.call("POST", "/api/v1/jobs/createTask", key, json=body)

    async def new_task(self, prompt: str = "a cup turns", **more: Any) -> str:
        answer = await self.create(prompt, **more)
        assert answer["code"] == 200, answer
        return str(answer["data"]["taskId"])

    async def record(self, task_id: str, key: str = "key-1") -> dict[str, Any]:
        return await self.call("GET", "/api/v1/jobs/recordInfo", key, params={"taskId": task_id})

    async def finished(self, task_id: str, key: str = "key-1") -> dict[str, Any]:
        for _ in range(100):
            data: dict[str, Any] = (await self.record(task_id, key))["data"]
            if data["state"] in {"success", "fail"}:
                return data
            await asyncio.sleep(0.11)
        raise AssertionError(f"task {task_id} never ended")

    async def video(self, task_id: str) -> bytes:
        url = json.loads((await self.finished(task_id))["resultJson"])["resultUrls"][0]
        answer = await self.http.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "video/mp4"
        return answer.content

    async def tasks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.http.get("/control/tasks")).json()["tasks"]
        return found

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - what is awaited happens in another place
                await asyncio.sleep(0.02)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    receiver = Receiver()
    settings = KieSettings(generation_seconds=0.05, callback_retry_seconds=0.05, queries_max=1000)
    async with (
        running(receiver.app()) as receiver.url,
        running(kie_app(settings, KEYS)) as url,
        httpx.AsyncClient(base_url=url, timeout=10) as http,
    ):
        yield Rig(http, receiver)


def streams(movie: bytes) -> dict[str, Any]:
    with av.open(io.BytesIO(movie), "r") as container:
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


async def test_the_record_is_json_inside_json(rig: Rig) -> None:
    await rig.control("hold")
    task_id = await rig.new_task("чашка", callback=f"{rig.receiver.url}/kie/a1")
    running_record = (await rig.record(task_id))["data"]
    assert (running_record["state"], running_record["resultJson"]) == ("waiting", "")
    assert running_record["creditsConsumed"] == 55
    assert running_record["costTime"] is None
    param = json.loads(running_record["param"])
    assert json.loads(param["input"])["prompt"] == "чашка"
    assert param["callBackUrl"] == f"{rig.receiver.url}/kie/a1"
    await rig.control("release")
    done = await rig.finished(task_id)
    assert json.loads(done["resultJson"])["resultUrls"][0].endswith(".mp4")
    assert done["costTime"] < 10
    assert done["completeTime"] >= done["createTime"] > 1_700_000_000_000


async def test_a_record_shows_generating_only_where_told(rig: Rig) -> None:
    await rig.control("outcomes", match="plain", generating=False, hold=True)
    await rig.control("outcomes", match="open", generating=True, hold=True)
    plain, shown = await rig.new_task("plain"), await rig.new_task("open")
    await asyncio.sleep(0.3)
    assert (await rig.record(plain))["data"]["state"] == "waiting"
    assert (await rig.record(shown))["data"]["state"] == "generating"
    await rig.control("release", task_id=shown)
    assert (await rig.finished(shown))["state"] == "success"
    assert (await rig.record(plain))["data"]["state"] == "waiting"


async def test_unknown_foreign_and_young_tasks_are_null(rig: Rig) -> None:
    null = {"code": 422, "msg": "recordInfo is null", "data": None}
    assert await rig.record("0" * 32) == null
    task_id = await rig.new_task()
    assert await rig.record(task_id, key="key-3") == null
    assert (await rig.record(task_id, key="key-2"))["code"] == 200
    await rig.control("outcomes", match="young", invisible_seconds=0.4)
    young = await rig.new_task("young")
    assert await rig.record(young) == null
    await asyncio.sleep(0.45)
    assert (await rig.record(young))["code"] == 200


async def test_keys_are_checked_and_revoked(rig: Rig) -> None:
    for path, method in (("chat/credit", "GET"), ("models", "GET"), ("jobs/recordInfo", "GET")):
        refused = await rig.call(method, f"/api/v1/{path}", "nonsense")
        assert (refused["code"], refused["data"]) == (401, None)
    assert (await rig.http.get("/api/v1/chat/credit")).json()["code"] == 401
    assert (await rig.create(key="key-2"))["code"] == 200
    photo = await rig.upload()
    await rig.control("keys", key="key-2", revoked=True)
    refused = await rig.create(key="key-2", photo=photo)
    assert refused == {"code": 401, "msg": "You do not have access permissions", "data": None}
    await rig.control("settings", true_status=True)
    answer = await rig.http.get("/api/v1/chat/credit", headers={"authorization": "Bearer key-2"})
    assert (answer.status_code, answer.json()["code"]) == (401, 401)
    await rig.control("keys", key="key-9", account="alpha")
    assert (await rig.call("GET", "/api/v1/chat/credit", "key-9"))["code"] == 200


async def test_credits_go_down_come_back_after_a_failure_and_run_out(rig: Rig) -> None:
    await rig.control("accounts", account="alpha", credits=120.5)
    await rig.finished(await rig.new_task())
    assert (await rig.call("GET", "/api/v1/chat/credit"))["data"] == 65.5
    await rig.control("outcomes", fail_msg="internal server error")
    await rig.finished(await rig.new_task())
    assert (await rig.call("GET", "/api/v1/chat/credit", "key-2"))["data"] == 65.5
    await rig.new_task()
    refused = await rig.create()
    assert (refused["code"], refused["msg"]) == (
        402,
        "The current credits are insufficient. Please top up.",
    )
    assert (await rig.create(key="key-3"))["code"] == 200, "the other account pays for itself"
    assert [task["billed_credits"] for task in await rig.tasks()] == [55, 0, 55, 55]


async def test_twenty_creates_in_the_window_of_an_account(rig: Rig) -> None:
    await rig.control("settings", creates_window_seconds=1.5)
    await rig.control("hold")
    photo = await rig.upload()
    codes = [(await rig.create(photo=photo, key=f"key-{1 + number % 2}"))["code"] for number in range(22)]
    assert codes == [200] * 20 + [429, 429]
    assert (await rig.create(photo=photo, key="key-3"))["code"] == 200
    await asyncio.sleep(1.6)
    assert (await rig.create(photo=photo))["code"] == 200
    assert len(await rig.tasks()) == 22


async def test_too_many_questions_and_too_many_running_tasks(rig: Rig) -> None:
    task_id = await rig.new_task()
    await rig.control("settings", queries_max=2, queries_window_seconds=0.3)
    assert [(await rig.record(task_id))["code"] for _ in range(3)] == [200, 200, 429]
    await asyncio.sleep(0.35)
    assert (await rig.finished(task_id))["state"] == "success"
    await rig.control("settings", running_max=1, queries_max=1000)
    await rig.control("hold", match="first")
    await rig.new_task("first")
    second = await rig.finished(await rig.new_task("second"))
    assert second["failMsg"] == "concurrent generation limit reached"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"model": "kling-9"}, 422, "The model name you specified is not supported"),
        ({"model": "sora-2-image-to-video"}, 500, "This interface is temporarily paused"),
        ({"input": None}, 500, "input is required"),
        ({"prompt": ""}, 500, "prompt is required"),
        ({"image_urls": []}, 500, "image_urls is required"),
        ({"duration": None}, 500, "duration is required"),
        ({"duration": 5}, 422, "duration is not within the range"),
        ({"sound": "yes"}, 422, "sound is not within the range"),
        ({"prompt": "x" * 1001}, 422, "text length"),
        ({"image_urls": "http://a/b.jpg"}, 422, "image_urls must be an array"),
        ({"image_urls": ["http://a/b.jpg"] * 2}, 422, "image_urls cannot exceed 1"),
        ({"image_urls": ["file:///etc/passwd"]}, 422, "file type not supported"),
    ],
)
async def test_a_wrong_create_is_refused_and_costs_nothing(
    rig: Rig, change: dict[str, Any], code: int, words: str
) -> None:
    given = {"prompt": "p", "image_urls": ["http://a/b.jpg"], "sound": False, "duration": "5"}
    body = {"model": KLING, "input": given}
    target = body if change.keys() & {"model", "input"} else given
    target.update(change)
    refused = await rig.call("POST", "/api/v1/jobs/createTask", json=body)
    assert (refused["code"], refused["data"]) == (code, None)
    assert words in refused["msg"]
    assert await rig.tasks() == []


async def test_models_pause_and_return(rig: Rig) -> None:
    listed = [row["model"] for row in (await rig.call("GET", "/api/v1/models"))["data"]["models"]]
    assert KLING in listed
    assert "sora-2-image-to-video" not in listed
    await rig.control("models", model=KLING, paused=True)
    assert (await rig.create())["msg"] == "This interface is temporarily paused"
    await rig.control("models", model=KLING, paused=False)
    assert (await rig.create())["code"] == 200


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


async def test_outcomes_are_aimed_and_counted(rig: Rig) -> None:
    await rig.control(
        "outcomes", match="order-7", skip=1, times=2, fail_code="422", fail_msg="Image contains faces"
    )
    ends = []
    for prompt in ("order-8", "order-7", "order-7", "order-7", "order-7"):
        record = await rig.finished(await rig.new_task(prompt))
        ends.append((record["state"], record["failCode"], record["failMsg"]))
    good, bad = ("success", None, None), ("fail", "422", "Image contains faces")
    assert ends == [good, good, bad, bad, good]


async def test_a_callback_comes_once_with_the_record(rig: Rig) -> None:
    task_id = await rig.new_task(callback=f"{rig.receiver.url}/kie/a1")
    await rig.until(lambda: bool(rig.receiver.got))
    await asyncio.sleep(0.2)
    ((headers, body),) = rig.receiver.got
    assert body["code"] == 200
    assert body["data"] == await rig.finished(task_id)
    assert "x-webhook-signature" not in headers
    journal = (await rig.http.get("/control/journal", params={"where": "callback"})).json()["entries"]
    assert [entry["outcome"] for entry in journal] == ["200"]


async def test_a_failed_task_calls_back_with_501_and_is_signed_when_asked(rig: Rig) -> None:
    await rig.control("settings", callback_secret="hush")
    await rig.control("outcomes", fail_msg="Service Unavailable")
    task_id = await rig.new_task(callback=f"{rig.receiver.url}/kie/a1")
    await rig.until(lambda: bool(rig.receiver.got))
    headers, body = rig.receiver.got[0]
    assert (body["code"], body["data"]["failMsg"]) == (501, "Service Unavailable")
    stamp = headers["x-webhook-timestamp"]
    digest = hmac.new(b"hush", f"{task_id}.{stamp}".encode(), hashlib.sha256).digest()
    assert headers["x-webhook-signature"] == base64.b64encode(digest).decode()
    assert abs(int(stamp) - time.time()) < 5


async def test_a_callback_is_tried_four_times(rig: Rig) -> None:
    rig.receiver.answers = [503, 500, 404, 503, 200]
    await rig.new_task(callback=f"{rig.receiver.url}/kie/a1")
    await rig.until(lambda: len(rig.receiver.got) == 4)
    await asyncio.sleep(0.3)
    assert rig.receiver.answers == [200], "the fifth never came"
    (task,) = await rig.tasks()
    assert [sent["status"] for sent in task["callbacks"]] == [503, 500, 404, 503]


async def test_a_silent_receiver_is_given_up_after_its_timeout(rig: Rig) -> None:
    await rig.control("settings", callback_timeout_seconds=0.1, callback_retries_max=1)

    async def swallow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await rig.finished(await rig.new_task(callback=f"http://127.0.0.1:{port}/kie/a1"))
        await asyncio.sleep(0.6)
    (task,) = await rig.tasks()
    assert [sent["error"] for sent in task["callbacks"]] == ["ReadTimeout", "ReadTimeout"]


async def test_callbacks_get_lost_doubled_and_forged_on_order(rig: Rig) -> None:
    await rig.control("outcomes", match="lost", callback="lost")
    await rig.control("outcomes", match="twice", callback="twice")
    await rig.control("outcomes", match="forged", callback="forged")
    for kind in ("lost", "twice", "forged"):
        await rig.finished(await rig.new_task(kind, callback=f"{rig.receiver.url}/kie/{kind}"))
    await rig.until(lambda: len(rig.receiver.got) == 4)
    lost, twice, forged = await rig.tasks()
    bodies = [body["data"] for _, body in rig.receiver.got]
    assert lost["callbacks"] == []
    assert [body["taskId"] for body in bodies[:2]] == [twice["id"]] * 2
    assert bodies[2]["taskId"] != forged["id"], "the forged one comes first, and speaks of another task"
    assert bodies[2]["state"] == "success"
    assert bodies[3]["taskId"] == forged["id"]
    await rig.control("callbacks", task_id=lost["id"])
    await rig.control("callbacks", task_id=lost["id"], body={"code": 200, "data": {"taskId": "f" * 32}})
    assert rig.receiver.got[4][1]["data"]["taskId"] == lost["id"]
    assert rig.receiver.got[5][1]["data"]["taskId"] == "f" * 32


async def test_a_create_whose_answer_is_lost_is_billed_and_calls_back(rig: Rig) -> None:
    await rig.http.post("/control/faults", json={"where": "createTask", "match": "a1", "kind": "drop_answer"})
    with pytest.raises(httpx.RemoteProtocolError):
        await rig.create(callback=f"{rig.receiver.url}/kie/a1")
    await rig.until(lambda: bool(rig.receiver.got))
    (task,) = await rig.tasks()
    assert task["billed_credits"] == 55
    assert rig.receiver.got[0][1]["data"]["taskId"] == task["id"]


async def test_faults_about_a_task_are_found_by_its_prompt_or_account(rig: Rig) -> None:
    marked, other = await rig.new_task("marker-5"), await rig.new_task()
    page = {"status": 502, "body": "<html>Bad gateway</html>"}
    await rig.http.post("/control/faults", json={"where": "recordInfo", "match": "marker-5", **page})
    await rig.http.post("/control/faults", json={"where": "credit", "user": "beta", **page})
    ask = {"params": {"taskId": marked}, "headers": {"authorization": "Bearer key-1"}}
    assert (await rig.record(other))["code"] == 200
    assert (await rig.http.get("/api/v1/jobs/recordInfo", **ask)).status_code == 502  # type: ignore[arg-type]  # a dict of keywords
    assert (await rig.record(marked))["code"] == 200
    assert (await rig.call("GET", "/api/v1/chat/credit"))["code"] == 200
    beta = await rig.http.get("/api/v1/chat/credit", headers={"authorization": "Bearer key-3"})
    assert beta.status_code == 502


async def test_release_now_does_not_wait_for_the_generation_time(rig: Rig) -> None:
    await rig.control("outcomes", generation_seconds=60)
    task_id = await rig.new_task()
    await rig.control("release", task_id=task_id, now=True)
    assert (await rig.finished(task_id))["state"] == "success"


async def test_reset_forgets_tasks_and_their_callbacks(rig: Rig) -> None:
    await rig.control("outcomes", generation_seconds=0.3)
    await rig.control("accounts", account="alpha", credits=60)
    task_id = await rig.new_task(callback=f"{rig.receiver.url}/kie/a1")
    await rig.http.post("/control/reset")
    await asyncio.sleep(0.5)
    assert rig.receiver.got == []
    assert (await rig.record(task_id))["code"] == 422
    assert (await rig.call("GET", "/api/v1/chat/credit"))["data"] == 100_000


async def test_nonsense_orders_are_refused_with_their_field(rig: Rig) -> None:
    for path, order in (
        ("outcomes", {"matc": "x"}),
        ("settings", {"generation_seconds": -1}),
        ("settings", {"generation_second": 1}),
    ):
        refused = await rig.http.post(f"/control/{path}", json=order)
        assert refused.status_code == 400
        assert next(iter(order)) in refused.text


async def test_any_key_is_an_account_of_its_own() -> None:
    async with running(kie_app(any_key=True)) as url, httpx.AsyncClient(base_url=url) as http:
        answer = await http.get("/api/v1/chat/credit", headers={"authorization": "Bearer whatever"})
        assert answer.json() == JSON_100_000
        await http.post("/control/accounts", json={"account": "whatever", "credits": 3})
        answer = await http.get("/api/v1/chat/credit", headers={"authorization": "Bearer whatever"})
        assert answer.json()["data"] == 3
        assert (await http.get("/api/v1/chat/credit")).json()["code"] == 401


JSON_100_000 = {"code": 200, "msg": "success", "data": 100_000.0}
