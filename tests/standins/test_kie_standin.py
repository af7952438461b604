import json

from tests.standins.kie_parts import Rig


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
    assert done["costTime"] < 1000  # seconds, though the times beside it are milliseconds
    assert done["completeTime"] >= done["createTime"] > 1_700_000_000_000


async def test_a_record_shows_generating_only_where_told(rig: Rig) -> None:
    await rig.control("outcomes", match="plain", generating=False, hold=True)
    await rig.control("outcomes", match="open", generating=True, hold=True)
    plain, shown = await rig.new_task("plain"), await rig.new_task("open")
    await rig.polled(lambda: rig.record(shown), lambda record: record["data"]["state"] == "generating")
    assert (await rig.record(plain))["data"]["state"] == "waiting", "the older one would show it by now"
    await rig.control("release", task_id=shown)
    assert (await rig.finished(shown))["state"] == "success"
    assert (await rig.record(plain))["data"]["state"] == "waiting"


async def test_unknown_foreign_and_young_tasks_are_null(rig: Rig) -> None:
    null = {"code": 422, "msg": "recordInfo is null", "data": None}
    assert await rig.record("0" * 32) == null
    task_id = await rig.new_task()
    assert await rig.record(task_id, key="key-3") == null
    assert (await rig.record(task_id, key="key-2"))["code"] == 200
    await rig.control("outcomes", match="young", invisible_seconds=600)
    assert await rig.record(await rig.new_task("young")) == null
    await rig.control("outcomes", match="older", invisible_seconds=0.2)
    older = await rig.new_task("older")
    await rig.polled(lambda: rig.record(older), lambda record: record["code"] == 200)


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


async def test_nonsense_orders_are_refused_with_their_field(rig: Rig) -> None:
    for path, order in (
        ("outcomes", {"matc": "x"}),
        ("settings", {"generation_seconds": -1}),
        ("settings", {"generation_second": 1}),
    ):
        refused = await rig.http.post(f"/control/{path}", json=order)
        assert refused.status_code == 400
        assert next(iter(order)) in refused.text
