"""Our client and the stand-in were written apart, from the same notes: they must agree on every row."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from PIL import Image
from pydantic import SecretStr

from clients.kie import KieClient, KieRecord, KieRefused, KieTaskState, RecordNotVisible
from domain.failures import FailureClass
from domain.keys import KeyRef, KieKey
from domain.video_models import CATALOGUE
from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running

LIVE = [slug for slug, row in CATALOGUE.items() if row.live]
ATTEMPT = "0123456789abcdef0123-v1-a1"
PROMPT = 'A blue cup turns {slowly}. A voice says in Russian: "Тёплая".'


def photo() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (320, 480), "teal").save(target, "JPEG")
    return target.getvalue()


@asynccontextmanager
async def kie(*, true_status: bool = False) -> AsyncIterator[KieClient]:
    settings = KieSettings(generation_seconds=0.1, true_status=true_status)
    async with running(kie_app(settings, {"real-key": "alpha"})) as url:
        client = KieClient(
            [
                KieKey(KeyRef("key1", "alpha"), SecretStr("real-key")),
                KieKey(KeyRef("key2", "beta"), SecretStr("revoked-key")),
            ],
            api_base=url,
            upload_base=url,
            webhook_secret=SecretStr("callback secret"),
            public_base_url="http://127.0.0.1:9",  # nobody is there: polls only
        )
        try:
            yield client
        finally:
            await client.aclose()


async def finished(client: KieClient, kie_task_id: str) -> KieRecord:
    async with asyncio.timeout(30):
        while True:
            record = await client.record("key1", kie_task_id)
            if record.state in {KieTaskState.SUCCESS, KieTaskState.FAIL}:
                return record
            await asyncio.sleep(0.2)  # a key may ask 10 times a second


@pytest.mark.parametrize("slug", LIVE)
async def test_every_live_row_is_taken(slug: str) -> None:
    async with kie() as client:
        image_url = await client.upload("key1", "o1-v1-a1-beef.jpg", photo(), "image/jpeg")
        created = await client.create_task("key1", ATTEMPT, slug, PROMPT, image_url)
        record = await client.record("key1", created.kie_task_id)
        assert client.record_belongs(record, ATTEMPT, slug, PROMPT)
        assert not client.record_belongs(record, ATTEMPT.replace("-a1", "-a2"), slug, PROMPT)
        assert (record.video_model, record.prompt) == (slug, PROMPT)
        assert record.credits_consumed == (CATALOGUE[slug].kie_credits or record.credits_consumed)


async def test_from_photo_to_link() -> None:
    async with kie() as client:
        before = await client.balance("key1")
        image_url = await client.upload("key1", "o1-v1-a1-beef.jpg", photo(), "image/jpeg")
        created = await client.create_task("key1", ATTEMPT, LIVE[0], PROMPT, image_url)
        record = await finished(client, created.kie_task_id)
        assert record.state is KieTaskState.SUCCESS
        assert len(record.result_urls) == 1
        assert (await client.fresh_link("key1", record.result_urls[0])).startswith("http")
        assert await client.balance("key1") == before - (record.credits_consumed or 0)


@pytest.mark.parametrize("true_status", [False, True])
async def test_refusals_in_both_styles(*, true_status: bool) -> None:
    async with kie(true_status=true_status) as client:
        with pytest.raises(KieRefused) as paused:
            await client.create_task(
                "key1", ATTEMPT, "sora-2-image-to-video", PROMPT, "http://x.example/p.jpg"
            )
        with pytest.raises(KieRefused) as revoked:
            await client.create_task("key2", ATTEMPT, LIVE[0], PROMPT, "http://x.example/p.jpg")
        with pytest.raises(KieRefused) as wrong:
            await client.create_task("key1", ATTEMPT, LIVE[0], "x" * 1_001, "http://x.example/p.jpg")
        with pytest.raises(RecordNotVisible):
            await client.record("key1", "0f" * 16)
    assert paused.value.failure.failure_class is FailureClass.MODEL_UNAVAILABLE
    assert revoked.value.failure.failure_class is FailureClass.BILLING
    assert wrong.value.failure.failure_class is FailureClass.BAD_REQUEST
