"""An engineer's browser: signed in at the codec, and with the columns the runbook asks for."""

import json
from typing import Final
from urllib.parse import quote

from playwright.async_api import Browser, Page, expect

from tests.webui.showroom import TOKEN, Showroom

WIDTH_PX: Final = 1500
COLUMNS: Final = ("Status", "Workflow ID", "OrderStage", "FailureClass", "TgUserId", "VideoModel", "Start")


async def engineers_page(browser: Browser, showroom: Showroom) -> Page:
    """What the Web UI keeps in the browser is put there, as its dialogs would; the sign-in is by hand."""
    page = await browser.new_page(viewport={"width": WIDTH_PX, "height": 1200}, locale="en-GB")
    page.set_default_timeout(60_000)
    await page.goto(showroom.codec_url)
    await page.get_by_label("CODEC_TOKEN").fill(TOKEN)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_contain_text("Signed in")
    await page.context.add_init_script(kept_by_the_ui(showroom.codec_url))
    return page


def kept_by_the_ui(codec_url: str) -> str:
    kept = {
        "endpoint": json.dumps(codec_url),
        "includeCredentials": "true",
        "overrideRemoteCodecConfiguration": "true",
        "namespace-workflow-table-columns": json.dumps({"default": [{"label": each} for each in COLUMNS]}),
    }
    return "".join(
        f"localStorage.setItem({json.dumps(name)}, {json.dumps(value)});" for name, value in kept.items()
    )


async def open_list(page: Page, showroom: Showroom, query: str) -> None:
    await page.goto(f"{showroom.ui_url}/namespaces/default/workflows?query={quote(query)}")
    await expect(page.get_by_role("columnheader", name="FailureClass")).to_be_visible()


async def open_workflow(page: Page, showroom: Showroom, workflow_id: str, tab: str = "") -> None:
    await page.goto(f"{showroom.ui_url}/namespaces/default/workflows/{workflow_id}")
    await expect(page.get_by_role("heading", name=workflow_id)).to_be_visible()
    if tab:
        await page.get_by_role("tab", name=tab).click()


async def workflow_ids(page: Page, count: int) -> list[str]:
    """Of the list, once it holds so many."""
    links = page.locator("tbody").get_by_role("link", name="order-")
    await expect(links).to_have_count(count)
    return [await link.inner_text() for link in await links.all()]
