"""The tap and every settlement: once, whole, or not at all."""

import asyncio

import asyncpg
import pytest

from domain import ids
from domain.credits import Balance
from domain.failures import Failure, FailureClass, FailureReason
from domain.orders import VideoState
from store.database import Database
from store.orders import PlacementKind
from store.videos import AlreadySettled
from tests.store.order_rows import Rows, rows_of

USER = 1
_SOMEBODY_WAITS = """
    select count(*) from pg_locks where not granted
    and pid in (select pid from pg_stat_activity where datname = current_database())"""


@pytest.fixture
def rows(database: Database) -> Rows:
    return rows_of(database)


async def balance(rows: Rows) -> tuple[int, int]:
    now = await rows.ledger.balance(USER)
    return now.available, now.reserved


async def test_a_tap_reserves_the_whole_price(rows: Rows) -> None:
    placed = await rows.orders.place(await rows.draft(video_count=3), USER)
    assert placed.kind is PlacementKind.PLACED
    assert await balance(rows) == (0, 3)
    assert len(await rows.videos.of_order(placed.order_id)) == 3


async def test_too_few_credits_use_nothing_up_and_the_same_draft_buys_later(rows: Rows) -> None:
    draft = await rows.draft(video_count=5)
    short = await rows.orders.place(draft, USER)
    assert (short.kind, short.available, short.needed) == (PlacementKind.NOT_ENOUGH, 3, 5)
    assert await balance(rows) == (3, 0)
    await rows.ledger.grant(USER, 2, "a friend", "g1")
    assert (await rows.orders.place(draft, USER)).kind is PlacementKind.PLACED
    assert await balance(rows) == (0, 5)


async def test_many_taps_are_one_order(rows: Rows) -> None:
    draft = await rows.draft()
    placed = await asyncio.gather(*(rows.orders.place(draft, USER) for _ in range(10)))
    assert [each.kind for each in placed].count(PlacementKind.PLACED) == 1
    assert {each.kind for each in placed} == {PlacementKind.PLACED, PlacementKind.ALREADY_PLACED}
    assert await balance(rows) == (2, 1)


async def test_two_orders_at_once_never_spend_the_same_credit(rows: Rows) -> None:
    drafts = [await rows.draft(video_count=1) for _ in range(8)]
    placed = await asyncio.gather(*(rows.orders.place(draft, USER) for draft in drafts))
    assert [each.kind for each in placed].count(PlacementKind.PLACED) == 3
    assert await balance(rows) == (0, 3)


async def test_somebody_elses_draft_buys_nothing(rows: Rows) -> None:
    draft = await rows.draft()
    await rows.users.register(2, "en")
    assert (await rows.orders.place(draft, 2)).kind is PlacementKind.NOT_YOURS
    assert (await rows.orders.place("nonsense", USER)).kind is PlacementKind.NOT_YOURS


async def test_capture_and_refund_exclude_each_other(rows: Rows) -> None:
    placed = await rows.orders.place(await rows.draft(), USER)
    video = ids.video_id(placed.order_id, 1)
    failure = Failure(FailureClass.TEMPORARY)
    settled = await asyncio.gather(
        rows.videos.settle(video, VideoState.DELIVERED), rows.videos.settle(video, VideoState.FAILED, failure)
    )
    assert sorted(each.won for each in settled) == [False, True]
    assert settled[0].captured == settled[1].captured
    assert await balance(rows) == ((2, 0) if settled[0].captured else (3, 0))


async def test_a_closed_video_cannot_be_delivered_or_opened(rows: Rows) -> None:
    placed = await rows.orders.place(await rows.draft(), USER)
    video = ids.video_id(placed.order_id, 1)
    await rows.videos.settle(video, VideoState.FAILED, Failure(FailureClass.UNKNOWN))
    with pytest.raises(AlreadySettled):
        await rows.videos.begin_delivery(video)
    with pytest.raises(AlreadySettled):
        await rows.videos.open(video)


async def test_release_refunds_only_what_no_workflow_has_taken_up(rows: Rows) -> None:
    placed = await rows.orders.place(await rows.draft(video_count=3), USER)
    await rows.videos.open(ids.video_id(placed.order_id, 2))
    progress = await rows.orders.release(placed.order_id, FailureClass.USER_VIOLATION, FailureReason.PERSON)
    assert (progress.failed, progress.open) == (2, 1)
    assert await balance(rows) == (2, 1)


async def test_releasing_twice_refunds_once(rows: Rows) -> None:
    placed = await rows.orders.place(await rows.draft(video_count=3), USER)
    for _ in range(2):
        await rows.orders.release(placed.order_id, FailureClass.BILLING, FailureReason.NONE)
    assert await balance(rows) == (3, 0)
    assert await rows.orders.reserve(placed.order_id), "the first answer, for ever"
    assert await balance(rows) == (3, 0)


async def test_cancel_spares_what_is_being_delivered(rows: Rows) -> None:
    placed = await rows.orders.place(await rows.draft(video_count=3), USER)
    delivering = ids.video_id(placed.order_id, 1)
    await rows.videos.begin_delivery(delivering)
    cancelled = [await rows.videos.cancel(video) for video in await rows.videos.of_order(placed.order_id)]
    assert [each.state for each in cancelled] == [VideoState.DELIVERING, *[VideoState.CANCELLED] * 2]
    assert await balance(rows) == (2, 1)


async def test_a_grant_is_given_once_and_never_below_zero(rows: Rows) -> None:
    assert await rows.ledger.grant(USER, 5, "why", "g") == Balance(5, 0)
    assert await rows.ledger.grant(USER, 5, "why", "g") == Balance(5, 0)
    assert await rows.ledger.grant(USER, -2, "taken back", "g2") == Balance(3, 0)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (
            "select 1 from wallets for update",
            "select 1 from users for key share",
        ),  # a tap
        ("select 1 from users for update", "select 1 from wallets for update"),  # who forgets him
    ],
)
async def test_a_grant_waits_for_nobody_who_waits_for_it(
    rows: Rows, database: Database, held: str, wanted: str
) -> None:
    await rows.draft()
    async with database.transaction() as connection:
        await connection.execute(held)
        granting = asyncio.create_task(rows.ledger.grant(USER, 5, "why", "g"))
        while not await connection.fetchval(_SOMEBODY_WAITS):  # noqa: ASYNC110 - only PostgreSQL knows
            await asyncio.sleep(0.01)
        await connection.execute(wanted)
    assert await granting == Balance(8, 0)


@pytest.mark.parametrize(
    "statement", ["update credit_entries set available_delta = 9", "delete from credit_entries"]
)
async def test_the_ledger_cannot_be_edited(
    rows: Rows, database: Database, owner_url: str, statement: str
) -> None:
    await rows.ledger.grant(USER, 5, "why", "g")
    owner = await asyncpg.connect(owner_url)
    with pytest.raises(asyncpg.RaiseError):
        await owner.execute(statement)
    await owner.close()
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_release_cancel_and_settle_at_once_never_wait_in_a_ring(rows: Rows) -> None:
    await rows.ledger.grant(USER, 60, "many", "g-ring")
    for _ in range(20):
        placed = await rows.orders.place(await rows.draft(video_count=3), USER)
        videos = await rows.videos.of_order(placed.order_id)
        await asyncio.gather(
            rows.orders.release(placed.order_id, FailureClass.UNKNOWN, FailureReason.NONE),
            rows.videos.cancel(videos[2]),
            rows.videos.settle(videos[0], VideoState.FAILED, Failure(FailureClass.UNKNOWN)),
            rows.orders.reserve(placed.order_id),
        )
    assert await balance(rows) == (63, 0)
