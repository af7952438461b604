import asyncio
from datetime import timedelta

import pytest

from domain.admission import BlockSpans
from domain.failures import Failure, FailureClass
from store.accounts import Accounts, Block, Blocked
from store.database import Database
from tests.fixtures.kie_rows import START, HandClock, keys_of

KLING = "kling-2.6/image-to-video"
KEY_REFUSED = Failure(FailureClass.BILLING, code="401")
NO_MONEY = Failure(FailureClass.BILLING, code="402\x00")
BUSY = Failure(FailureClass.RATE_LIMIT, code="429")
PAUSED = Failure(FailureClass.MODEL_UNAVAILABLE, code="500")
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def accounts(database: Database, clock: HandClock) -> Accounts:
    return Accounts(database, clock, keys_of("a", "b", keys_each=2))


async def failed(accounts: Accounts, account: str, failure: Failure, key: int = 1) -> Block | None:
    return await accounts.apply_failure(
        account=account, key_id=f"{account}-key{key}", video_model=KLING, failure=failure
    )


async def test_a_refused_key_is_out_and_its_account_serves_with_the_other(accounts: Accounts) -> None:
    block = await failed(accounts, "a", KEY_REFUSED)
    assert block == Block(Blocked.KEY, "a-key1", START + DAY, newly=True, serving_accounts_left=2)
    assert await accounts.serving_accounts() == ("a", "b")
    assert await accounts.pollable_key("a", "a-key1") == "a-key2"


async def test_an_account_without_a_key_does_not_serve(accounts: Accounts) -> None:
    await failed(accounts, "a", KEY_REFUSED, 1)
    block = await failed(accounts, "a", KEY_REFUSED, 2)
    assert block is not None
    assert block.serving_accounts_left == 1
    assert await accounts.serving_accounts() == ("b",)
    assert await accounts.pollable_key("a") is None


async def test_an_empty_account_is_out_for_a_day_but_may_be_asked(
    accounts: Accounts, clock: HandClock
) -> None:
    block = await failed(accounts, "a", NO_MONEY)
    assert block == Block(Blocked.ACCOUNT, "a", START + DAY, newly=True, serving_accounts_left=1)
    assert await accounts.pollable_key("a", "a-key2") == "a-key2"
    again = await failed(accounts, "a", NO_MONEY)
    assert again is not None
    assert not again.newly
    clock.forward(86_401)
    assert await accounts.serving_accounts() == ("a", "b")


async def test_money_found_lifts_the_block(accounts: Accounts) -> None:
    await failed(accounts, "a", NO_MONEY)
    assert not await accounts.keep_balance("a", kie_credits=99, enough_kie_credits=100)
    assert await accounts.keep_balance("a", kie_credits=100, enough_kie_credits=100)
    assert not await accounts.keep_balance("a", kie_credits=100, enough_kie_credits=100)
    assert await accounts.serving_accounts() == ("a", "b")


async def test_a_busy_account_rests_an_hour_and_the_last_one_a_minute(accounts: Accounts) -> None:
    first, last = await failed(accounts, "a", BUSY), await failed(accounts, "b", BUSY)
    assert first is not None
    assert last is not None
    assert (first.until, last.until) == (START + timedelta(hours=1), START + timedelta(minutes=1))


async def test_two_busy_answers_at_once_leave_one_account_with_a_pause(database: Database) -> None:
    """Two processes, each with the last word about another account."""
    for n in range(10):
        clock = HandClock(START + n * timedelta(hours=2))
        one, two = (Accounts(database, clock, keys_of("a", "b")) for _ in range(2))
        blocks = await asyncio.gather(failed(one, "a", BUSY), failed(two, "b", BUSY))
        spans = sorted(block.until - clock() for block in blocks if block)
        assert spans == [timedelta(minutes=1), timedelta(hours=1)]


async def test_a_later_failure_never_shortens_a_block(accounts: Accounts) -> None:
    await failed(accounts, "a", NO_MONEY)
    busy = await failed(accounts, "a", BUSY)
    assert busy is not None
    assert (busy.until, busy.newly) == (START + DAY, False)
    status = (await accounts.statuses())[0]
    assert (status.blocked_until, status.block_reason) == (START + DAY, "BILLING 402")


async def test_a_paused_model_is_marked_once(accounts: Accounts, clock: HandClock) -> None:
    first, second = await failed(accounts, "a", PAUSED), await failed(accounts, "b", PAUSED)
    assert first is not None
    assert second is not None
    assert (first.what, first.name, first.newly, second.newly) == (Blocked.VIDEO_MODEL, KLING, True, False)
    assert [mark.video_model for mark in await accounts.model_marks()] == [KLING]
    clock.forward(3_601)
    assert await accounts.model_marks() == []


async def test_a_mark_can_be_lifted(accounts: Accounts) -> None:
    await failed(accounts, "a", PAUSED)
    assert await accounts.lift_mark(KLING)
    assert await accounts.model_marks() == []


@pytest.mark.parametrize(
    "failure_class",
    sorted(
        set(FailureClass) - {FailureClass.BILLING, FailureClass.RATE_LIMIT, FailureClass.MODEL_UNAVAILABLE}
    ),
)
async def test_other_failures_block_nothing(accounts: Accounts, failure_class: FailureClass) -> None:
    assert await failed(accounts, "a", Failure(failure_class)) is None
    assert await accounts.serving_accounts() == ("a", "b")


async def test_spans_are_scaled(database: Database, clock: HandClock) -> None:
    accounts = Accounts(database, clock, keys_of("a"), BlockSpans().scaled(0.01))
    block = await failed(accounts, "a", NO_MONEY)
    assert block is not None
    assert block.until == START + timedelta(seconds=864)


async def test_the_operator_blocks_by_hand(accounts: Accounts) -> None:
    until = START + timedelta(hours=3)
    await accounts.block_key("b-key2", until, "rotated")
    await accounts.block_account("a", until, "being audited")
    a, b = await accounts.statuses()
    assert (a.serves, a.blocked_until, a.block_reason) == (False, until, "being audited")
    assert (b.serves, [key.block_reason for key in b.keys]) == (True, ["", "rotated"])
    assert await accounts.pollable_key("b", "b-key2") == "b-key2"
    assert not await accounts.key_answers("b-key2"), "only the operator lifts what he blocked"


async def test_a_key_that_moved_to_another_account(database: Database, clock: HandClock) -> None:
    await Accounts(database, clock, keys_of("a")).serving_accounts()
    renamed = [type(key)(key.key_id, "shop") for key in keys_of("a")]
    moved = Accounts(database, clock, renamed)
    assert await moved.serving_accounts() == ("shop",)
    assert await moved.pollable_key("shop") == "a-key1"
