"""The real `openai` package against a real socket."""

import asyncio
import json
import socket
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from clients.openai import (
    OpenAiError,
    OpenAiFailed,
    OpenAiNotSent,
    OpenAiTimeouts,
    Pictures,
    ScriptsAnswer,
    ScriptWriter,
)
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import Language
from domain.scripts import SCRIPT_CHARS_MIN, PhotoStatus
from tests.clients.raw_http import DROP, RawServer, http, http_json, raw_server

KEY = "sk-test-0123456789abcdef"
PHOTO = b"\xff\xd8photo"
DATA_URL = "data:image/jpeg;base64,/9hwaG90bw=="
CUP = "A blue ceramic cup stands on a wooden table."
HAND = 'A hand lifts the cup. An off-screen voice says in Russian: "Тёплая с утра".'


SOON_OVER = OpenAiTimeouts(connect_seconds=20.0, total_seconds=1.0)


def client_of(origin: str, timeouts: OpenAiTimeouts | None = None) -> ScriptWriter:
    return ScriptWriter(
        SecretStr(KEY),
        base_url=f"{origin}/v1",
        model="gpt-5-mini",
        timeouts=timeouts,
    )


@asynccontextmanager
async def writer(
    *answers: bytes, delay_seconds: float = 0, timeouts: OpenAiTimeouts | None = None
) -> AsyncIterator[tuple[ScriptWriter, RawServer]]:
    async with raw_server(*answers, delay_seconds=delay_seconds) as server:
        client = client_of(server.origin, timeouts)
        try:
            yield client, server
        finally:
            await client.aclose()


async def write(client: ScriptWriter, count: int = 2, prompt_chars_max: int = 1_000) -> ScriptsAnswer:
    return await client.write_scripts(
        "Write.", '{"product": "кружка"}', Pictures(PHOTO), count, prompt_chars_max, Language.RU
    )


def response(
    text: str | None, *, status: str = "completed", reason: str | None = None, refusal: str | None = None
) -> bytes:
    content: list[dict[str, Any]] = []
    if text is not None:
        content.append({"type": "output_text", "text": text, "annotations": []})
    if refusal is not None:
        content.append({"type": "refusal", "refusal": refusal})
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": content}
    return http_json(
        200,
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": "gpt-5-mini",
            "status": status,
            "incomplete_details": {"reason": reason} if reason else None,
            "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, message],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        },
    )


def written(*scripts: str, photo_status: str = "ok") -> bytes:
    return response(json.dumps({"photo_status": photo_status, "scripts": scripts}, ensure_ascii=False))


def moderated(**flags: bool) -> bytes:
    """`sexual__minors` stands for `sexual/minors`."""
    categories = {name.replace("__", "/"): flag for name, flag in flags.items()}
    result = {"flagged": any(flags.values()), "categories": categories, "category_scores": {}}
    return http_json(200, {"id": "modr-1", "model": "omni-moderation-latest", "results": [result]})


def error_body(code: str | None = None, kind: str = "some_error") -> dict[str, Any]:
    return {"error": {"message": f"Incorrect API key provided: {KEY}", "type": kind, "code": code}}


def body_of(server: RawServer) -> Any:
    return json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])


async def failure_of(page: bytes, *, count: int = 2, prompt_chars_max: int = 1_000) -> OpenAiFailed:
    async with writer(page) as (client, server):
        with pytest.raises(OpenAiFailed) as caught:
            await write(client, count, prompt_chars_max)
        assert len(server.requests) == 1  # one attempt per call
    return caught.value


# -- scripts ------------------------------------------------------------------------------------------


async def test_scripts() -> None:
    async with writer(written(CUP, HAND)) as (client, server):
        answer = await write(client)
        body = body_of(server)
    assert answer == ScriptsAnswer(PhotoStatus.OK, (CUP, HAND))
    assert server.requests[0].startswith(b"POST /v1/responses ")
    assert (body["model"], body["instructions"], body["store"]) == ("gpt-5-mini", "Write.", False)
    text, image = body["input"][0]["content"]
    assert '{"product": "кружка"}' in text["text"]
    assert image["image_url"] == DATA_URL


async def test_gpt_sees_the_photo_first_and_then_the_views() -> None:
    async with writer(written(CUP, HAND)) as (client, server):
        seen = Pictures(PHOTO, (b"side", b"back"))
        await client.write_scripts("Write.", "{}", seen, 2, 1_000, Language.EN)
        _, *images = body_of(server)["input"][0]["content"]
    assert [image["image_url"].partition(",")[2] for image in images] == [
        "/9hwaG90bw==",
        "c2lkZQ==",
        "YmFjaw==",
    ]


@pytest.mark.parametrize("count", [1, 3, 5])
async def test_the_schema_says_how_many(count: int) -> None:
    scripts = [f"{CUP} Then {'very ' * each}slowly it turns." for each in range(count)]
    async with writer(written(*scripts)) as (client, server):
        assert len((await write(client, count)).scripts) == count
        asked = body_of(server)["text"]["format"]
    assert (asked["type"], asked["strict"]) == ("json_schema", True)
    listed = asked["schema"]["properties"]["scripts"]
    assert (listed["minItems"], listed["maxItems"]) == (count, count)
    statuses = json.dumps(asked["schema"])
    assert '["ok", "no_product", "blurred", "covered"]' in statuses
    assert asked["schema"]["required"] == ["photo_status", "scripts"]
    assert asked["schema"]["additionalProperties"] is False


@pytest.mark.parametrize("status", ["no_product", "blurred", "covered"])
async def test_a_useless_photo_needs_no_scripts(status: str) -> None:
    async with writer(written("none", "none", photo_status=status)) as (client, _):
        assert await write(client) == ScriptsAnswer(PhotoStatus(status))


async def test_what_gpt_writes_is_data() -> None:
    dirty = f"\x00{CUP}\x1b It\u202e turns\u200b  slowly."
    async with writer(written(dirty, HAND)) as (client, _):
        assert (await write(client)).scripts[0] == f"{CUP} It turns slowly."


async def test_a_script_that_breaks_the_rules_is_asked_for_again() -> None:
    error = await failure_of(written(CUP, f"{HAND} See https://evil.example/x for more."))
    trouble = Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, "script_holds_a_link")
    assert (error.failure, error.retryable) == (trouble, True)


async def test_a_field_nobody_asked_for_makes_it_no_answer() -> None:
    page = response(json.dumps({"photo_status": "ok", "scripts": [CUP, HAND], "refund": True}))
    assert (await failure_of(page)).failure == Failure(FailureClass.TEMPORARY, code="scripts_shape")


async def test_a_long_script_ends_with_a_sentence() -> None:
    async with writer(written(f"{CUP} And then it turns and turns", HAND[:21])) as (client, _):
        answer = await write(client, prompt_chars_max=50)
    assert answer.scripts == (CUP, HAND[:21])


@pytest.mark.parametrize(
    ("scripts", "code"),
    [
        ((CUP, f"1) {CUP.upper()}"), "two_scripts_are_the_same"),
        ((CUP, "x" * (SCRIPT_CHARS_MIN - 1)), "a_script_is_too_short"),
        ((CUP, "x" * 2_000), "a_script_is_too_long"),
        ((CUP,), "scripts_shape"),
        ((CUP, HAND, CUP), "scripts_shape"),
    ],
)
async def test_scripts_of_no_use_are_asked_for_again(scripts: tuple[str, ...], code: str) -> None:
    error = await failure_of(written(*scripts))
    assert (error.failure, error.retryable) == (Failure(FailureClass.TEMPORARY, code=code), True)


@pytest.mark.parametrize(
    ("page", "failure", "retryable"),
    [
        (
            response(None, refusal="I cannot help with that."),
            Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, "refusal"),
            False,
        ),
        (
            response('{"photo_status": "o', status="incomplete", reason="content_filter"),
            Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, "content_filter"),
            False,
        ),
        (
            response('{"photo_status": "o', status="incomplete", reason="max_output_tokens"),
            Failure(FailureClass.TEMPORARY, code="max_output_tokens"),
            True,
        ),
        (response(None, status="failed"), Failure(FailureClass.TEMPORARY, code="failed"), True),
        (response("{}"), Failure(FailureClass.TEMPORARY, code="scripts_shape"), True),
        (response("no JSON"), Failure(FailureClass.TEMPORARY, code="scripts_shape"), True),
        (response(None), Failure(FailureClass.TEMPORARY, code="scripts_shape"), True),
        (
            response('{"photo_status": "dreamy", "scripts": ["a", "b"]}'),
            Failure(FailureClass.TEMPORARY, code="scripts_shape"),
            True,
        ),
        (
            http(200, b"<html>hello</html>", "text/html"),
            Failure(FailureClass.TEMPORARY, code="response_shape"),
            True,
        ),
        (http_json(200, [1]), Failure(FailureClass.TEMPORARY, code="response_shape"), True),
        (http_json(200, {}), Failure(FailureClass.TEMPORARY, code="no_status"), True),
    ],
)
async def test_answers_that_are_none(page: bytes, failure: Failure, *, retryable: bool) -> None:
    error = await failure_of(page)
    assert (error.failure, error.retryable) == (failure, retryable)


@pytest.mark.parametrize(
    ("status", "code", "expected", "retryable"),
    [
        (400, "invalid_value", FailureClass.BAD_REQUEST, False),
        (400, "content_policy_violation", FailureClass.USER_VIOLATION, False),
        (401, "invalid_api_key", FailureClass.BILLING, False),
        (403, None, FailureClass.BILLING, False),
        (404, "model_not_found", FailureClass.BAD_REQUEST, False),
        (408, None, FailureClass.TEMPORARY, True),
        (409, None, FailureClass.TEMPORARY, True),
        (422, None, FailureClass.BAD_REQUEST, False),
        (429, "rate_limit_exceeded", FailureClass.RATE_LIMIT, True),
        (429, "insufficient_quota", FailureClass.BILLING, False),
        (500, None, FailureClass.TEMPORARY, True),
        (503, None, FailureClass.TEMPORARY, True),
        (418, None, FailureClass.UNKNOWN, False),
    ],
)
async def test_a_status_is_a_failure_class(
    status: int, code: str | None, expected: FailureClass, *, retryable: bool
) -> None:
    error = await failure_of(http_json(status, error_body(code)))
    assert (error.failure.failure_class, error.retryable) == (expected, retryable)
    assert error.failure.code == (code or "some_error")


async def test_a_gateway_page_is_temporary() -> None:
    error = await failure_of(http(502, b"<html>Bad gateway</html>", "text/html"))
    assert (error.failure, error.retryable) == (Failure(FailureClass.TEMPORARY, code="502"), True)


async def test_quota_may_stand_in_the_type() -> None:
    error = await failure_of(http_json(429, error_body(None, "insufficient_quota")))
    assert error.failure.failure_class is FailureClass.BILLING


async def test_the_key_never_comes_out() -> None:
    error = await failure_of(http_json(401, error_body("invalid_api_key")))
    assert "Incorrect API key" in error.raw
    assert KEY not in error.raw + str(error) + repr(error)


# -- moderation ---------------------------------------------------------------------------------------


async def test_moderation_looks_at_text_and_photo() -> None:
    async with writer(moderated(sexual=False, violence=False)) as (client, server):
        assert await client.moderate("кружка", Pictures(PHOTO)) is None
        body = body_of(server)
    assert server.requests[0].startswith(b"POST /v1/moderations ")
    assert body["model"] == "omni-moderation-latest"
    assert {"type": "text", "text": "кружка"} in body["input"]
    assert {"type": "image_url", "image_url": {"url": DATA_URL}} in body["input"]


async def test_a_photo_alone_is_moderated_too() -> None:
    async with writer(moderated(sexual=False)) as (client, server):
        await client.moderate("  ", Pictures(PHOTO))
        assert [part["type"] for part in body_of(server)["input"]] == ["image_url"]


def moderated_input(request: bytes) -> Any:
    return json.loads(request.partition(b"\r\n\r\n")[2])["input"]


async def test_every_view_is_moderated_by_itself_and_the_text_once() -> None:
    async with writer(moderated(sexual=False)) as (client, server):
        assert await client.moderate("кружка", Pictures(PHOTO, (b"side", b"back"))) is None
        asked = [moderated_input(request) for request in server.requests]
    kinds = sorted([part["type"] for part in parts] for parts in asked)
    assert kinds == [["image_url"], ["image_url"], ["image_url", "text"]]
    assert len({parts[0]["image_url"]["url"] for parts in asked}) == 3


@pytest.mark.parametrize("other", [moderated(sexual=False), http_json(500, {})])
async def test_one_forbidden_picture_is_enough(other: bytes) -> None:
    async with writer(other, other, moderated(violence=True)) as (client, _):
        failure = await client.moderate("text", Pictures(PHOTO, (b"side", b"back")))
    assert failure == Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, "violence")


async def test_a_view_nobody_looked_at_lets_nothing_through() -> None:
    async with writer(moderated(sexual=False), http_json(500, {})) as (client, _):
        with pytest.raises(OpenAiFailed):
            await client.moderate("text", Pictures(PHOTO, (b"side",)))


@pytest.mark.parametrize(
    ("flags", "reason", "code"),
    [
        ({"sexual": True, "sexual__minors": True}, FailureReason.MINOR, "sexual,sexual/minors"),
        ({"sexual": True, "violence": True}, FailureReason.ADULT, "sexual,violence"),
        ({"violence": True, "sexual": False}, FailureReason.CONTENT, "violence"),
    ],
)
async def test_what_is_forbidden(flags: dict[str, bool], reason: FailureReason, code: str) -> None:
    async with writer(moderated(**flags)) as (client, _):
        failure = await client.moderate("text", Pictures(PHOTO))
    assert failure == Failure(FailureClass.USER_VIOLATION, reason, code)


@pytest.mark.parametrize("page", [http_json(200, {}), http_json(200, {"results": []}), http(200, b"hello")])
async def test_moderation_that_says_nothing_lets_nothing_through(page: bytes) -> None:
    async with writer(page) as (client, _):
        with pytest.raises(OpenAiFailed) as caught:
            await client.moderate("text", Pictures(PHOTO))
    assert (caught.value.failure.code, caught.value.retryable) == ("moderation_shape", True)


# -- transport ----------------------------------------------------------------------------------------

HALF = b'HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"id"'


@pytest.mark.parametrize("page", [DROP, HALF, b"not HTTP\r\n"])
async def test_an_answer_that_got_lost_is_asked_for_again(page: bytes) -> None:
    error = await failure_of(page)
    assert (error.failure.failure_class, error.retryable) == (FailureClass.TEMPORARY, True)


async def test_silence_ends() -> None:
    started = asyncio.get_running_loop().time()
    async with writer(written(CUP, HAND), delay_seconds=30, timeouts=SOON_OVER) as (client, _):
        with pytest.raises(OpenAiFailed) as caught:
            await write(client)
    assert asyncio.get_running_loop().time() - started < 20  # of 30 s
    assert (caught.value.failure.failure_class, caught.value.retryable) == (FailureClass.TEMPORARY, True)


async def not_sent(origin: str) -> OpenAiError:
    client = client_of(origin)
    with pytest.raises(OpenAiError) as caught:
        await write(client)
    await client.aclose()
    return caught.value


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await not_sent(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert type(error) is OpenAiNotSent
    assert KEY not in "".join(traceback.format_exception(error))


async def test_no_such_name() -> None:
    assert type(await not_sent("http://openai.invalid")) is OpenAiNotSent
