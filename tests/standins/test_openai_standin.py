"""The stand-in answers the real `openai` package, and ours."""

import io
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from pydantic import SecretStr

from clients.openai import OpenAiFailed, Pictures, ScriptsAnswer, ScriptWriter
from domain.failures import FailureClass, FailureReason
from domain.orders import Language
from domain.scripts import PhotoStatus
from standins.openai.app import openai_app
from standins.server import running


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (400, 400), "teal").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    async with running(openai_app()) as address:
        yield address


@pytest_asyncio.fixture
async def writer(url: str) -> AsyncIterator[ScriptWriter]:
    writer = ScriptWriter(SecretStr("sk-test"), base_url=f"{url}/v1", model="gpt-5-mini")
    yield writer
    await writer.aclose()


async def ruling(url: str, **what: object) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        (await http.post("/control/rulings", json=what)).raise_for_status()


async def scripts(writer: ScriptWriter, count: int = 3, product: str = "mug-mark") -> ScriptsAnswer:
    said = f'{{"product": "{product}", "wishes": ""}}'
    return await writer.write_scripts("Write.", said, Pictures(jpeg()), count, 1_000, Language.EN)


async def test_scripts_differ_and_speak_of_the_product(writer: ScriptWriter) -> None:
    answer = await writer.write_scripts(
        "Write.", '{"product": "mug-mark", "wishes": "gently"}', Pictures(jpeg()), 5, 1_000, Language.EN
    )
    assert answer.photo_status is PhotoStatus.OK
    assert len(set(answer.scripts)) == 5
    assert all("mug-mark" in script for script in answer.scripts)
    assert all("gently" in script for script in answer.scripts), "marker words of the README, as a wish"


async def test_a_verdict_on_order_concerns_only_its_seller(url: str, writer: ScriptWriter) -> None:
    await ruling(url, match="cat-mark", times=-1, fields={"photo_status": "no_product"})
    assert (await scripts(writer, product="cat-mark")).photo_status is PhotoStatus.NO_PRODUCT
    assert (await scripts(writer)).photo_status is PhotoStatus.OK


async def test_moderation_flags_what_was_ordered(url: str, writer: ScriptWriter) -> None:
    await ruling(url, match="bad-mark", categories=["sexual/minors"])
    failure = await writer.moderate("bad-mark", Pictures(jpeg()))
    assert failure is not None
    assert (failure.failure_class, failure.reason) == (FailureClass.USER_VIOLATION, FailureReason.MINOR)
    assert await writer.moderate("fine", Pictures(jpeg())) is None


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"refusal": "I can't help with that."}, FailureClass.USER_VIOLATION),
        ({"incomplete": "max_output_tokens"}, FailureClass.TEMPORARY),
        ({"text": "not json"}, FailureClass.TEMPORARY),
    ],
)
async def test_refusals_and_broken_answers(
    url: str, writer: ScriptWriter, order: dict[str, object], expected: FailureClass
) -> None:
    await ruling(url, **order)
    with pytest.raises(OpenAiFailed) as failed:
        await scripts(writer)
    assert failed.value.failure.failure_class is expected


async def test_an_empty_purse_on_order(url: str, writer: ScriptWriter) -> None:
    error = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        await http.post("/control/faults", json={"where": "responses", "status": 429, "body": error})
    with pytest.raises(OpenAiFailed) as failed:
        await scripts(writer)
    assert (failed.value.failure.failure_class, failed.value.retryable) == (FailureClass.BILLING, False)


async def test_a_moderation_takes_one_picture_as_openai_does(url: str, writer: ScriptWriter) -> None:
    headers = {"Authorization": "Bearer sk-x"}
    picture = {"type": "image_url", "image_url": {"url": Pictures(jpeg()).data_urls[0]}}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
        answer = await http.post("/v1/moderations", json={"input": [picture, picture]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_many_images")
    assert await writer.moderate("fine", Pictures(jpeg(), (jpeg(), jpeg()))) is None


async def test_without_a_key_or_with_a_broken_picture_nothing_is_answered(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        assert (await http.post("/v1/moderations", json={"input": "hi"})).status_code == 401
        broken = [{"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}]
        headers = {"Authorization": "Bearer sk-x"}
        answer = await http.post("/v1/moderations", json={"input": broken}, headers=headers)
        assert answer.status_code == 400
