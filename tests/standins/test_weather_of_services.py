"""Each service is unwell in its own words, and loses, repeats or forges what it sends by itself."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from standins.kie.app import kie_app
from standins.kie.weather import bad_answer as kie_bad_answer
from standins.openai.app import openai_app
from standins.server import running
from standins.telegram.app import build_app
from tests.standins.kie_parts import Rig as KieRig
from tests.standins.telegram_parts import TOKEN, telegram
from tests.standins.test_telegram_webhook import hooked


@asynccontextmanager
async def _calling(app: Starlette, **weather: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await http.post("/control/weather", json={"share": 1, **weather})
        assert answer.status_code == 200, answer.text
        yield http


async def test_telegram_says_when_to_come_again(tmp_path: Path) -> None:
    async with _calling(build_app(tmp_path), kinds=["answer_429"]) as http:
        answer = await http.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": 1, "text": "hello"})
    seconds = answer.json()["parameters"]["retry_after"]
    assert answer.status_code == answer.json()["error_code"] == 429
    assert answer.json()["description"] == f"Too Many Requests: retry after {seconds}"
    assert seconds >= 1


async def test_telegram_has_trouble_of_its_own(tmp_path: Path) -> None:
    async with _calling(build_app(tmp_path), kinds=["answer_5xx"]) as http:
        answer = await http.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": 1, "text": "hello"})
    assert answer.status_code == answer.json()["error_code"] >= 500
    assert answer.json()["ok"] is False


async def test_telegram_keeps_delivering_updates_in_any_weather(tmp_path: Path) -> None:
    async with _calling(build_app(tmp_path), kinds=["drop_request"]) as http:
        for method in ("getUpdates", "getWebhookInfo", "deleteWebhook"):
            answer = await http.post(f"/bot{TOKEN}/{method}", json={})
            assert answer.json()["ok"] is True, method


async def test_kie_refuses_inside_http_200_or_with_a_page() -> None:
    answers = [await _kie_answer("answer_5xx", seed) for seed in range(30)]
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 200}
    pages = {answer.status_code for answer in answers if answer.status_code != 200}
    assert codes == {455, 500}
    assert pages <= {502, 503}
    assert pages
    limited = await _kie_answer("answer_429", 1)
    assert (limited.status_code, limited.json()["code"]) == (200, 429)


async def _kie_answer(kind: str, seed: int) -> httpx.Response:
    async with _calling(kie_app(any_key=True), kinds=[kind], seed=seed) as http:
        return await http.post("/api/v1/jobs/createTask", json={}, headers={"authorization": "Bearer k"})


def _kie_response(where: str, kind: str) -> Response:
    return kie_bad_answer(where, kind, random.Random(1))  # noqa: S311 - no secret


def test_files_of_kie_are_refused_by_status_and_uploads_as_uploads() -> None:
    assert _kie_response("result", "answer_429").status_code == 429
    assert _kie_response("file", "answer_5xx").status_code in {502, 503}
    assert b'"success":false' in _kie_response("upload", "answer_429").body


@pytest.mark.parametrize(
    ("kind", "statuses", "code"),
    [("answer_429", {429}, "rate_limit_exceeded"), ("answer_5xx", {500, 502, 503}, None)],
)
async def test_openai_has_errors_of_its_own_shape(kind: str, statuses: set[int], code: str | None) -> None:
    async with _calling(openai_app(), kinds=[kind]) as http:
        answer = await http.post("/v1/responses", json={"model": "gpt", "input": "hello"})
    assert answer.status_code in statuses
    assert answer.json()["error"]["code"] == code


# -- what a service sends by itself -------------------------------------------------------------------


async def _weather(http: httpx.AsyncClient, **order: Any) -> None:
    assert (await http.post("/control/weather", json={"share": 0, **order})).status_code == 200


async def _callback_statuses(rig: KieRig, task_id: str) -> list[int]:
    await rig.finished(task_id)
    (task,) = [each for each in await rig.tasks() if each["id"] == task_id]
    return [each["status"] for each in task["callbacks"]]


async def test_callbacks_are_lost(rig: KieRig) -> None:
    await _weather(rig.http, lose_callbacks=1)
    lost = await rig.new_task(callback=f"{rig.receiver.url}/kie/1")
    await rig.finished(lost)
    await rig.http.delete("/control/weather")
    await rig.new_task(callback=f"{rig.receiver.url}/kie/2")
    await rig.until(lambda: len(rig.receiver.got) == 1)
    assert await _callback_statuses(rig, lost) == []


async def test_callbacks_are_repeated_and_forged(rig: KieRig) -> None:
    await _weather(rig.http, repeat_callbacks=1, forge_callbacks=1)
    task_id = await rig.new_task(callback=f"{rig.receiver.url}/kie/1")
    await rig.until(lambda: len(rig.receiver.got) == 3)
    named = [body["data"]["taskId"] == task_id for _, body in rig.receiver.got]
    assert named == [False, True, True]


async def test_updates_are_delivered_twice(tmp_path: Path) -> None:
    async with telegram(tmp_path) as standin, hooked(standin) as hook:
        await _weather(standin.http, repeat_updates=1)
        await standin.person()
        first, second = (await hook.until(2))[:2]
        assert first == second
