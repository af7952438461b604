"""A system that encrypts: what an engineer sees of it in Temporal's Web UI and on the command line."""

import asyncio
import base64
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from local.processes import beside_python
from local.stack import Stack
from local.standins import Service
from tests.fixtures.browser import needs_chromium
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.world import World

pytestmark = pytest.mark.timeout(600)

TOKEN: Final = "codec-token-of-the-engineers"
KEY: Final = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
PATIENCE_SECONDS: Final = 60
REFUSED_SECONDS: Final = 5  # the command line asks again and again until then


@dataclass
class Made:
    """A delivered order of a system whose Web UI is there."""

    stack: Stack
    order_id: str

    @property
    def page_url(self) -> str:
        return f"{self.stack.temporal.ui_url}/namespaces/default/workflows/order-{self.order_id}"

    @property
    def codec_url(self) -> str:
        assert self.stack.codec_url is not None
        return self.stack.codec_url


@pytest_asyncio.fixture(scope="module")
async def made() -> AsyncIterator[Made]:
    with throw_away_folder() as folder:
        plan = plan_for(folder / "data", TEMPORAL_PAYLOAD_KEY=KEY, CODEC_TOKEN=TOKEN)
        async with Stack(replace(plan, web_ui=True)) as stack:
            yield Made(stack, await delivered_order(stack, draw_product(folder / "product.jpg")))


async def delivered_order(stack: Stack, photo: Path) -> str:
    kie, openai = (stack.standins[service].url for service in (Service.KIE, Service.OPENAI))
    world = World(stack.chat_url, kie, openai, stack.database_url, LocalSystem(stack), photo)
    seller = await world.seller("Encrypted")
    await seller.buy(photo, "turn it slowly")
    await seller.wait_for_videos(1)
    await world.facts(seller, "turn")
    (row,) = await world.rows("select id from orders")
    await world.close()
    return str(row["id"])


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A browser of its own: nobody is signed in."""
    opened = await browser.new_page(viewport={"width": 1280, "height": 1200}, locale="en-GB")
    yield opened
    await opened.close()


async def sign_in(page: Page, made: Made, token: str = TOKEN) -> None:
    await page.goto(made.codec_url)
    await page.get_by_label("CODEC_TOKEN").fill(token)
    await page.get_by_role("button", name="Sign in").click()


async def use_credentials(page: Page, made: Made) -> None:
    """Once per browser, as the page of the codec says."""
    await page.goto(made.page_url)
    await page.get_by_role("button", name="Codec Server").click()
    await page.get_by_text("Use my browser setting").click()
    await page.get_by_placeholder("Paste your endpoint here").fill(made.codec_url)
    await page.get_by_text("Include cross-origin credentials").click()
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_role("button", name="Apply")).to_be_hidden()
    await page.reload()


@needs_chromium
async def test_who_is_not_signed_in_sees_it_encrypted(page: Page, made: Made) -> None:
    await use_credentials(page, made)
    await expect(page.get_by_text("reserve_credits")).to_be_visible()
    await expect(page.get_by_text("Codec Server could not connect").last).to_be_visible()
    for hidden in ("order_id", "own: video 1 of 1", 'completed"'):
        await expect(page.get_by_text(hidden)).to_have_count(0)


@needs_chromium
async def test_an_engineer_signs_in_and_reads_inputs_results_and_summaries(
    page: Page, made: Made, tmp_path: Path
) -> None:
    await sign_in(page, made)
    await expect(page.get_by_role("status")).to_contain_text("Signed in")
    await use_credentials(page, made)
    await expect(page.get_by_text("order_id").first).to_be_visible()
    await expect(page.get_by_text('"completed"').first).to_be_visible()
    for summary in ("own: video 1 of 1", "until long-wait sentence 1", "photo from Telegram"):
        await expect(page.get_by_text(summary).first).to_be_visible()
    await page.screenshot(path=tmp_path / "decrypted.png", full_page=True)
    await page.get_by_role("tab", name=re.compile("User Metadata")).click()
    metadata = ("own: 1 video", "its videos are its children", "closed: completed; 1 delivered")
    for place, words in enumerate(metadata):
        await expect(page.frame_locator("iframe").nth(place).get_by_text(words)).to_be_visible()


@needs_chromium
async def test_a_wrong_token_opens_nothing(page: Page, made: Made) -> None:
    await sign_in(page, made, "not the token")
    await expect(page.get_by_role("status")).to_contain_text("not the token")
    assert not await page.context.cookies()


async def shown(made: Made, *options: str, seconds: int = PATIENCE_SECONDS) -> str:
    program = beside_python("temporal")
    assert program is not None
    where = ("--address", made.stack.temporal.address, "--command-timeout", f"{seconds}s")
    process = await asyncio.create_subprocess_exec(
        *(program, "workflow", "show", "-w", f"order-{made.order_id}", "-o", "json"),
        *where,
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()


def is_readable(history: str) -> bool:
    datas = re.findall(r'"data":\s*"([^"]+)"', history)
    return any(b"order_id" in base64.b64decode(data) for data in datas)


async def test_the_command_line_reads_with_the_token_only(made: Made) -> None:
    endpoint = ("--codec-endpoint", made.codec_url)
    plain, wrong, right = await asyncio.gather(
        shown(made),
        shown(made, *endpoint, "--codec-auth", f"Bearer {TOKEN}x", seconds=REFUSED_SECONDS),
        shown(made, *endpoint, "--codec-auth", f"Bearer {TOKEN}"),
    )
    assert base64.b64encode(b"binary/encrypted").decode() in plain
    assert [is_readable(each) for each in (plain, wrong, right)] == [False, False, True]
