"""What KIE refuses: keys, credits, too much at once, wrong requests, paused models."""

from typing import Any

import httpx
import pytest

from standins.kie.app import kie_app
from standins.server import running
from tests.standins.kie_parts import KLING, Rig


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
    await rig.control("settings", creates_window_seconds=600)
    await rig.control("hold")
    photo = await rig.upload()
    codes = [(await rig.create(photo=photo, key=f"key-{1 + number % 2}"))["code"] for number in range(22)]
    assert codes == [200] * 20 + [429, 429]
    assert (await rig.create(photo=photo, key="key-3"))["code"] == 200
    await rig.control("settings", creates_window_seconds=0.1)
    await rig.polled(lambda: rig.create(photo=photo), lambda answer: answer["code"] == 200)
    assert len(await rig.tasks()) == 22


async def test_too_many_questions_and_too_many_running_tasks(rig: Rig) -> None:
    task_id = await rig.new_task()
    await rig.control("settings", queries_max=2, queries_window_seconds=600)
    assert [(await rig.record(task_id))["code"] for _ in range(3)] == [200, 200, 429]
    await rig.control("settings", queries_window_seconds=0.1)
    await rig.polled(lambda: rig.record(task_id), lambda record: record["code"] == 200)
    await rig.control("settings", running_max=1, queries_max=1000)
    assert (await rig.finished(task_id))["state"] == "success"
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


async def test_any_key_is_an_account_of_its_own() -> None:
    async with running(kie_app(any_key=True)) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await http.get("/api/v1/chat/credit", headers={"authorization": "Bearer whatever"})
        assert answer.json() == JSON_100_000
        await http.post("/control/accounts", json={"account": "whatever", "credits": 3})
        answer = await http.get("/api/v1/chat/credit", headers={"authorization": "Bearer whatever"})
        assert answer.json()["data"] == 3
        assert (await http.get("/api/v1/chat/credit")).json()["code"] == 401


JSON_100_000 = {"code": 200, "msg": "success", "data": 100_000.0}
