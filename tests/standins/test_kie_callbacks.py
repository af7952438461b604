import asyncio
import base64
import hashlib
import hmac
import time

import httpx
import pytest

from tests.standins.kie_parts import Rig


async def test_a_callback_comes_once_with_the_record(rig: Rig) -> None:
    task_id = await rig.new_task(callback=f"{rig.receiver.url}/kie/a1")
    await rig.called_back(1)
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
    assert abs(int(stamp) - time.time()) < 60


async def test_a_callback_is_tried_four_times(rig: Rig) -> None:
    rig.receiver.answers = [503, 500, 404, 503, 200]
    await rig.new_task(callback=f"{rig.receiver.url}/kie/a1")
    await rig.called_back(4)
    await asyncio.sleep(0.3)
    assert rig.receiver.answers == [200], "the fifth never came"
    assert [sent["status"] for sent in await rig.called_back(4)] == [503, 500, 404, 503]


async def test_a_silent_receiver_is_given_up_after_its_timeout(rig: Rig) -> None:
    await rig.control("settings", callback_timeout_seconds=0.1, callback_retries_max=1)

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side has had enough
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await rig.new_task(callback=f"http://127.0.0.1:{port}/kie/a1")
        sent = await rig.called_back(2)
    assert [each["status"] for each in sent] == [None, None]
    # While the machine stands still, the time may be over before the connection is there.
    assert {each["error"] for each in sent} <= {"ReadTimeout", "ConnectTimeout", "WriteTimeout"}


async def test_callbacks_get_lost_doubled_and_forged_on_order(rig: Rig) -> None:
    await rig.control("outcomes", match="lost", callback="lost")
    await rig.control("outcomes", match="twice", callback="twice")
    await rig.control("outcomes", match="forged", callback="forged")
    for kind, expected in (("lost", 0), ("twice", 2), ("forged", 4)):
        await rig.finished(await rig.new_task(kind, callback=f"{rig.receiver.url}/kie/{kind}"))
        await rig.received(expected)
    assert len(rig.receiver.got) == 4
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


async def test_reset_forgets_tasks_and_their_callbacks(rig: Rig) -> None:
    await rig.control("accounts", account="alpha", credits=60)
    photo = f"{rig.receiver.url}/lost.jpg"  # without it the task ends at once, and calls back
    task_id = await rig.new_task(photo=photo, callback=f"{rig.receiver.url}/kie/a1")
    await rig.http.post("/control/reset")
    rig.receiver.photo_is_looked_for.set()
    await asyncio.sleep(0.5)
    assert rig.receiver.got == []
    assert (await rig.record(task_id))["code"] == 422
    assert (await rig.call("GET", "/api/v1/chat/credit"))["data"] == 100_000
