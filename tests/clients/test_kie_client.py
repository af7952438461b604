"""The wire as it was recorded, read over a real socket."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from clients.kie import (
    KieAmbiguous,
    KieClient,
    KieRecord,
    KieRefused,
    KieTaskState,
    KieUnavailable,
    RecordNotVisible,
)
from clients.kie_callbacks import callback_token, callback_url
from clients.kie_wire import clean_raw
from domain.failures import Failure, FailureClass, FailureReason
from domain.keys import KeyRef, KieKey
from tests.clients.raw_http import RawServer, http_json, raw_server

SECRET = SecretStr("callback secret")
ATTEMPT = "0123456789abcdef0123-v1-a1"
MODEL = "bytedance/seedance-1.5-pro"
PROMPT = 'a cup {turns} "slowly"'
TASK = "0f" * 16
IMAGE = "https://files.example/p.jpg"
PUBLIC = "https://bot.example.com"
CALLBACK = callback_url(PUBLIC, SECRET, ATTEMPT)


@asynccontextmanager
async def kie(*answers: bytes, public_base_url: str = "") -> AsyncIterator[tuple[KieClient, RawServer]]:
    keys = [
        KieKey(KeyRef("key1", "one"), SecretStr("secret-one")),
        KieKey(KeyRef("key2", "two"), SecretStr("secret-two")),
    ]
    async with raw_server(*answers) as server:
        client = KieClient(
            keys,
            api_base=f"{server.origin}/",
            upload_base=server.origin,
            webhook_secret=SECRET,
            public_base_url=public_base_url,
        )
        try:
            yield client, server
        finally:
            await client.aclose()


def sent(server: RawServer) -> tuple[str, Any]:
    """The head of the last request, and its JSON."""
    head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    return head.decode(), json.loads(body) if body.startswith(b"{") else body


def ok(data: object) -> bytes:
    return http_json(200, {"code": 200, "msg": "success", "data": data})


def record_of(**fields: Any) -> dict[str, Any]:
    param = {
        "model": MODEL,
        "callBackUrl": CALLBACK,
        "input": json.dumps({"prompt": PROMPT, "input_urls": [IMAGE]}),
    }
    return {
        "taskId": TASK,
        "model": MODEL,
        "state": "waiting",
        "param": json.dumps(param),
        "resultJson": "",
        "failCode": None,
        "failMsg": None,
        "costTime": None,
        "creditsConsumed": 35,
        **fields,
    }


async def record(data: object) -> KieRecord:
    async with kie(ok(data)) as (client, _):
        return await client.record("key1", TASK)


# -- create -------------------------------------------------------------------------------------------


async def test_create_sends_the_models_own_input() -> None:
    async with kie(ok({"taskId": TASK, "recordId": TASK})) as (client, server):
        created = await client.create_task("key2", ATTEMPT, MODEL, PROMPT, IMAGE)
        head, body = sent(server)
    assert created.kie_task_id == TASK
    assert head.startswith("POST /api/v1/jobs/createTask HTTP/1.1")
    assert "Bearer secret-two" in head
    assert "User-Agent: neurocards/" in head
    assert body == {
        "model": MODEL,
        "input": {
            "prompt": PROMPT,
            "input_urls": [IMAGE],
            "aspect_ratio": "9:16",
            "duration": 5,
            "resolution": "720p",
            "generate_audio": True,
        },
    }


async def test_create_asks_to_be_called_back_where_kie_can_reach_us() -> None:
    async with kie(ok({"taskId": TASK}), public_base_url=PUBLIC) as (client, server):
        await client.create_task("key1", ATTEMPT, MODEL, PROMPT, IMAGE)
        assert sent(server)[1]["callBackUrl"] == CALLBACK


@pytest.mark.parametrize("data", [{"taskId": TASK}, {"task_id": TASK}, {"recordId": TASK}])
async def test_a_task_id_is_believed_whatever_stands_around_it(data: dict[str, str]) -> None:
    """Forgetting a KIE task that exists would buy a second one."""
    for status, code in ((200, 200), (200, 500), (500, 500), (504, 504)):
        answer = http_json(status, {"code": code, "msg": "?", "data": data})
        async with kie(answer) as (client, _):
            assert (await client.create_task("key1", ATTEMPT, MODEL, PROMPT, IMAGE)).kie_task_id == TASK


@pytest.mark.parametrize("status", [200, 401, 422, 500])
@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (401, "You do not have access permissions", FailureClass.BILLING),
        ("402", "The current credits are insufficient. Please top up.", FailureClass.BILLING),
        (429, "Your call frequency is too high", FailureClass.RATE_LIMIT),
        (500, "This interface is temporarily paused", FailureClass.MODEL_UNAVAILABLE),
        (422, "This content may violate our guardrails", FailureClass.USER_VIOLATION),
        (200, "success", FailureClass.UNKNOWN),
    ],
)
async def test_the_body_code_decides_under_any_status(
    status: int, code: int | str, message: str, expected: FailureClass
) -> None:
    async with kie(http_json(status, {"code": code, "msg": message, "data": None})) as (client, _):
        with pytest.raises(KieRefused) as caught:
            await client.create_task("key1", ATTEMPT, MODEL, PROMPT, IMAGE)
    assert caught.value.failure.failure_class is expected
    assert caught.value.failure.code == str(code)
    assert message in caught.value.raw


async def test_the_status_decides_without_a_body_code() -> None:
    async with kie(http_json(402, {"msg": "no"})) as (client, _):
        with pytest.raises(KieRefused) as caught:
            await client.create_task("key1", ATTEMPT, MODEL, PROMPT, IMAGE)
    assert caught.value.failure == Failure(FailureClass.BILLING, code="402")


async def test_a_task_id_that_is_none_may_still_be_a_task() -> None:
    async with kie(ok({"taskId": "x" * 5_000})) as (client, _):
        with pytest.raises(KieAmbiguous):
            await client.create_task("key1", ATTEMPT, MODEL, PROMPT, IMAGE)


# -- record -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["waiting", "queuing", "generating", "Waiting"])
async def test_a_running_task(state: str) -> None:
    found = await record(record_of(state=state))
    assert found.state is KieTaskState(state.lower())
    assert (found.result_urls, found.failure) == ((), None)
    assert (found.video_model, found.prompt, found.callback_url) == (MODEL, PROMPT, CALLBACK)
    assert found.credits_consumed == 35.0


async def test_a_finished_task() -> None:
    result = json.dumps({"resultUrls": ["https://tempfile.aiquickdraw.com/a.mp4"]})
    found = await record(record_of(state="success", resultJson=result, costTime=63))
    assert found.state is KieTaskState.SUCCESS
    assert found.result_urls == ("https://tempfile.aiquickdraw.com/a.mp4",)


async def test_a_failed_task() -> None:
    text = "We currently do not support uploads of images containing photorealistic people."
    found = await record(record_of(state="fail", failCode="500", failMsg=text))
    assert found.state is KieTaskState.FAIL
    assert found.failure == Failure(FailureClass.USER_VIOLATION, FailureReason.PERSON, "500")
    assert (found.fail_code, found.fail_msg) == ("500", text)


@pytest.mark.parametrize("code", [408, 501])
async def test_a_task_whose_failure_stands_around_the_record(code: int) -> None:
    for data in (None, record_of(state="fail")):
        answer = http_json(200, {"code": code, "msg": "Generation failed", "data": data})
        async with kie(answer) as (client, _):
            found = await client.record("key1", TASK)
        assert found.state is KieTaskState.FAIL
        assert found.failure == Failure(FailureClass.TEMPORARY, code=str(code))


@pytest.mark.parametrize("status", [200, 422])
async def test_a_record_that_is_not_there_yet(status: int) -> None:
    answer = http_json(status, {"code": 422, "msg": "recordInfo is null", "data": None})
    async with kie(answer) as (client, server):
        with pytest.raises(RecordNotVisible):
            await client.record("key1", TASK)
        assert sent(server)[0].startswith(f"GET /api/v1/jobs/recordInfo?taskId={TASK} ")


SPARSE: list[dict[str, Any]] = [
    {"state": "generating"},
    {"state": "generating", "param": "", "resultJson": None, "creditsConsumed": "nan"},
    {"state": "generating", "param": "{broken", "resultJson": "[1]", "creditsConsumed": "much"},
    {"state": "generating", "param": {"input": {"prompt": 5}}, "resultJson": {"resultUrls": None}},
    {"state": "generating", "param": json.dumps(json.dumps({"input": "no"})), "failCode": ["?"]},
    {"state": "generating", "param": "[" * 100_000},
]


@pytest.mark.parametrize("data", SPARSE)
async def test_fields_that_miss_or_changed_are_empty(data: dict[str, Any]) -> None:
    found = await record(data)
    assert found.state is KieTaskState.GENERATING
    assert (found.result_urls, found.prompt, found.callback_url) == ((), "", "")
    assert found.credits_consumed is None


@pytest.mark.parametrize(
    "urls", ["https://x.example/a.mp4", ["https://x.example/a.mp4", 5, "file:///etc/passwd", "https://a b"]]
)
async def test_only_web_addresses_are_results(urls: Any) -> None:
    found = await record({"state": "success", "resultJson": json.dumps({"resultUrls": urls})})
    assert found.result_urls == ("https://x.example/a.mp4",)


@pytest.mark.parametrize(
    "data", [None, 5, "text", [], {}, {"state": ""}, {"state": "dreaming"}, {"state": {"a": 1}}]
)
async def test_another_shape_is_asked_again_and_kept_for_engineers(data: object) -> None:
    with pytest.raises(KieUnavailable) as caught:
        await record(data)
    assert '"msg": "success"' in caught.value.raw


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (401, "You do not have access permissions", KieRefused),
        (402, "The current credits are insufficient", KieRefused),
        (429, "Your call frequency is too high", KieUnavailable),
        (500, "Server exception, please try again later", KieUnavailable),
        (422, "taskId is required", KieUnavailable),
        (404, "Not found", KieUnavailable),
    ],
)
async def test_a_running_task_is_given_up_only_for_want_of_a_key(
    code: int, message: str, expected: type[Exception]
) -> None:
    async with kie(http_json(200, {"code": code, "msg": message})) as (client, _):
        with pytest.raises(expected):
            await client.record("key1", TASK)


async def test_what_is_kept_of_an_answer_can_be_stored_and_holds_no_token() -> None:
    found = await record(record_of(state="fail", failMsg="bad \x00 \x1b[31m thing", failCode="500"))
    assert "\x00" not in found.fail_msg + found.raw
    assert callback_token(SECRET, ATTEMPT) not in found.raw
    assert callback_token(SECRET, ATTEMPT) not in repr(found)
    assert PROMPT not in repr(found)


@pytest.mark.parametrize("slash", ["/", "\\/", "\\\\/"])
def test_a_token_is_found_however_its_address_is_escaped(slash: str) -> None:
    assert (
        clean_raw(f'..{slash}kie{slash}{ATTEMPT}{slash}{"0f" * 32}"')
        == f'..{slash}kie{slash}{ATTEMPT}{slash}…"'
    )


# -- adoption -----------------------------------------------------------------------------------------


async def test_whose_task_it_is() -> None:
    ours = KieRecord(KieTaskState.WAITING, video_model=MODEL, prompt=PROMPT, callback_url=CALLBACK)
    mute = KieRecord(KieTaskState.WAITING, video_model=MODEL, prompt=PROMPT)
    async with kie(b"") as (client, _):
        assert client.record_belongs(ours, ATTEMPT, MODEL, "any prompt")
        assert not client.record_belongs(ours, ATTEMPT.replace("-a1", "-a2"), MODEL, PROMPT)
        assert client.record_belongs(mute, ATTEMPT, MODEL, PROMPT)
        assert not client.record_belongs(mute, ATTEMPT, "wan/2-7-image-to-video", PROMPT)
        assert not client.record_belongs(mute, ATTEMPT, MODEL, "another prompt")
        assert not client.record_belongs(KieRecord(KieTaskState.WAITING), ATTEMPT, "", "")


# -- uploads, links, balance --------------------------------------------------------------------------


async def test_upload() -> None:
    answer = ok({"fileName": "a.jpg", "downloadUrl": "https://tempfile.redpandaai.co/a.jpg"})
    async with kie(answer) as (client, server):
        url = await client.upload("key1", "o1-v1-a1-beef.jpg", b"\xff\xd8bytes", "image/jpeg")
        request = server.requests[-1]
    assert url == "https://tempfile.redpandaai.co/a.jpg"
    assert request.startswith(b"POST /api/file-stream-upload HTTP/1.1")
    assert (
        b'name="file"; filename="o1-v1-a1-beef.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8bytes'
        in request
    )
    assert b'name="uploadPath"\r\n\r\nneurocards\r\n' in request
    assert b'name="fileName"\r\n\r\no1-v1-a1-beef.jpg\r\n' in request


@pytest.mark.parametrize("data", ["https://x.example/a.mp4?sig=1", {"url": "https://x.example/a.mp4?sig=1"}])
async def test_fresh_link(data: object) -> None:
    async with kie(ok(data)) as (client, server):
        assert await client.fresh_link("key1", "https://x.example/a.mp4") == "https://x.example/a.mp4?sig=1"
        assert sent(server)[1] == {"url": "https://x.example/a.mp4"}


@pytest.mark.parametrize("data", [None, "", 7, {"downloadUrl": "ftp://x"}, {"other": 1}])
async def test_an_answer_without_a_link(data: object) -> None:
    async with kie(ok(data)) as (client, _):
        with pytest.raises(KieUnavailable):
            await client.fresh_link("key1", "https://x.example/a.mp4")
        with pytest.raises(KieUnavailable):
            await client.upload("key1", "a.jpg", b"x", "image/jpeg")


async def test_an_upload_that_is_refused() -> None:
    async with kie(http_json(200, {"code": 422, "msg": "image format incorrect"})) as (client, _):
        with pytest.raises(KieRefused) as caught:
            await client.upload("key1", "a.jpg", b"x", "image/jpeg")
    assert caught.value.failure.failure_class is FailureClass.BAD_REQUEST


@pytest.mark.parametrize(("data", "expected"), [(12.5, 12.5), (0, 0.0), ("7.25", 7.25)])
async def test_balance(data: object, expected: float) -> None:
    async with kie(ok(data)) as (client, _):
        assert await client.balance("key1") == expected


@pytest.mark.parametrize("data", [None, "much", {"credits": 1}, "inf", True])
async def test_a_balance_that_is_no_number(data: object) -> None:
    async with kie(ok(data)) as (client, _):
        with pytest.raises(KieUnavailable):
            await client.balance("key1")
