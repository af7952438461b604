"""What an engineer sees in Temporal's Web UI without opening the code."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FloatRect, Page, expect

from tests.fixtures.browser import needs_chromium
from tests.runbook.reading import visibility_queries
from tests.webui.browsing import WIDTH_PX, engineers_page, open_list, open_workflow, workflow_ids
from tests.webui.showroom import BROKEN, REFUSED_SHOWN, REFUSED_WORDS, Showroom, open_showroom

pytestmark = [needs_chromium, pytest.mark.timeout(900)]

DOCS: Final = Path(__file__).parents[2] / "docs"
PICTURE_BYTES_MAX: Final = 400_000
FAILED: Final = -1  # whichever of the three it was
VIDEO_MODEL: Final = "kling-2.6/image-to-video"

_SEVERAL: Final = tuple(("several", number) for number in (1, 2, 3))
# What each query of the runbook finds here: (order, number of the video), 0 being the order itself.
FOUND: Final[dict[str, set[tuple[str, int]]]] = {
    "stage": {("making", 1)},
    "user": {("several", 0), *_SEVERAL},
    "video model": {("delivered", 1), ("refused", 1), ("broken", 1), ("making", 1), *_SEVERAL},
    "failure class": {("broken", 1)},
    "everything that failed": {("refused", 1), ("broken", 1), ("several", FAILED)},
    "orders that are open": {("making", 0)},
    "stuck on a bug": set(),
}


@pytest_asyncio.fixture(scope="module")
async def showroom() -> AsyncIterator[Showroom]:
    async with open_showroom() as opened:
        yield opened


@pytest_asyncio.fixture
async def page(browser: Browser, showroom: Showroom) -> AsyncIterator[Page]:
    opened = await engineers_page(browser, showroom)
    yield opened
    await opened.close()


async def take_picture(page: Page, name: str, tmp_path: Path, height_px: float = 1200) -> None:
    """`make pictures` renews those of the documentation; they end where nothing more is shown."""
    picture = (DOCS if os.environ.get("UPDATE_PICTURES") == "1" else tmp_path) / name
    shown = FloatRect(x=0, y=0, width=WIDTH_PX, height=height_px)
    await page.screenshot(path=picture, animations="disabled", clip=shown)
    assert picture.stat().st_size < PICTURE_BYTES_MAX


async def failed_of_several(showroom: Showroom) -> int:
    (row,) = await showroom.world.rows(
        "select number from videos where order_id = $1 and state = 'FAILED'", showroom.orders["several"]
    )
    return int(row["number"])


async def ids_of(showroom: Showroom, found: set[tuple[str, int]]) -> set[str]:
    failed = await failed_of_several(showroom)
    numbered = {(name, failed if number == FAILED else number) for name, number in found}
    return {showroom.video(*each) if each[1] else showroom.order(each[0]) for each in numbered}


@pytest.mark.parametrize("name", FOUND)
async def test_the_queries_of_the_runbook_find(
    page: Page, showroom: Showroom, name: str, tmp_path: Path
) -> None:
    query = visibility_queries()[name].replace("700000001", str(showroom.sellers["several"].id))
    await open_list(page, showroom, query)
    wanted = await ids_of(showroom, FOUND[name])
    assert set(await workflow_ids(page, len(wanted))) == wanted
    if name == "everything that failed":
        await expect(page.get_by_role("cell", name="USER_VIOLATION")).to_be_visible()
        await take_picture(page, "webui-list.png", tmp_path, 480)


def test_no_query_of_the_runbook_is_left_out() -> None:
    assert visibility_queries().keys() == FOUND.keys()


async def test_a_refused_video_shows_its_class_and_what_the_provider_answered(
    page: Page, showroom: Showroom, tmp_path: Path
) -> None:
    await open_workflow(page, showroom, showroom.video("refused"))
    result = page.get_by_role("textbox", name="Result")
    for words in ('"USER_VIOLATION"', '"person"', '"400"', REFUSED_SHOWN, VIDEO_MODEL):
        await expect(result).to_contain_text(words)
    await expect(page.get_by_text("refund: USER_VIOLATION 400 (person)")).to_be_visible()
    await take_picture(page, "webui-failed.png", tmp_path)
    await page.get_by_role("button", name="Event check_kie_task: Failed").click()
    await expect(page.get_by_text(f"flagged: {REFUSED_SHOWN}").last).to_be_visible()
    await expect(page.get_by_text(REFUSED_WORDS)).to_have_count(0)


async def test_a_video_on_its_way_says_where_it_stands(
    page: Page, showroom: Showroom, tmp_path: Path
) -> None:
    await open_workflow(page, showroom, showroom.video("making"), "User Metadata")
    shown = [page.frame_locator("iframe").nth(place) for place in range(3)]
    await expect(shown[0].get_by_text("own: video 1 of 1")).to_be_visible()
    await expect(shown[1].get_by_text(showroom.order("making"))).to_be_visible()
    await expect(shown[2].get_by_text("is being made on")).to_contain_text(f"{VIDEO_MODEL} (account ")
    await expect(shown[2].get_by_text("KIE’s callback, or a poll in")).to_be_visible()
    await take_picture(page, "webui-making.png", tmp_path, 650)


@pytest.mark.parametrize(
    ("name", "number", "state", "words"),
    [
        ("making", 1, "Started", "KIE's callback, or a poll"),
        ("making", 0, "Started", "until long-wait sentence"),  # the first one, or a later one here
        ("broken", 1, "Fired", "before attempt 2: TEMPORARY 500"),
        ("broken", 1, "Fired", "before attempt 3: TEMPORARY 500"),
        ("broken", 1, "Canceled", "KIE's callback, or a poll"),
    ],
)
async def test_a_timer_says_what_is_waited_for(
    page: Page, showroom: Showroom, name: str, number: int, state: str, words: str
) -> None:
    """The Web UI calls a timer by its number and its length."""
    workflow_id = showroom.video(name, number) if number else showroom.order(name)
    await open_workflow(page, showroom, workflow_id)
    timers = page.get_by_role("button", name=re.compile(rf"^Event \d+ \(.+\): {state}$"))
    timer = timers.filter(has_text=words).first
    await expect(timer).to_be_visible()
    await timer.click()
    await expect(page.get_by_text("Timer Started").first).to_be_visible()


async def test_an_order_of_several_reads_as_a_story(page: Page, showroom: Showroom, tmp_path: Path) -> None:
    await open_workflow(page, showroom, showroom.order("several"))
    for step in ("reserve_credits • 3 videos", "fetch_photo • photo from Telegram", "own: video 3 of 3"):
        await expect(page.get_by_text(step).first).to_be_visible()
    await expect(page.get_by_role("textbox", name="Result")).to_contain_text('"failed": 1')
    await take_picture(page, "webui-order.png", tmp_path)


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("several", 0, "closed: completed; 2 delivered, 1 failed"),
        ("making", 0, "making: 0 of 1 video closed"),
        ("refused", 1, "failed, refunded: USER_VIOLATION 400 (person), answered: The prompt ‘…’ was"),
        ("broken", 1, f"failed, refunded: TEMPORARY 500, answered: {BROKEN}"),
        ("delivered", 1, f"delivered, captured: {VIDEO_MODEL}, 1 attempt"),
    ],
)
async def test_every_state_is_told_in_words(
    page: Page, showroom: Showroom, name: str, number: int, words: str
) -> None:
    workflow_id = showroom.video(name, number) if number else showroom.order(name)
    await open_workflow(page, showroom, workflow_id, "User Metadata")
    await expect(page.frame_locator("iframe").nth(2).locator("body")).to_contain_text(words)
