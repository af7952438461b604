"""Refunds, as an administrator asks for them."""

import pytest

from store.database import Database
from tests.bot.chat import Person, RunningBot, labels
from tests.bot.test_admin import available, only_text, rows, text_of


async def paid(bot: RunningBot, database: Database, charge_id: str = "stx-charge") -> None:
    """As if 5 credits had been bought for 150 stars."""
    user = await bot.parts.users.find(501)
    assert user is not None
    async with database.connection() as connection:
        await connection.execute(
            """insert into payments (charge_id, provider, user_id, package_id, amount, currency, credits,
                                     paid_at)
               values ($1, 'stars', $2, '5c150s', 150, 'XTR', 5, now())""",
            charge_id, user.id,
        )  # fmt: skip


async def state_of(database: Database, charge_id: str = "stx-charge") -> tuple[str, int]:
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "select state, debt_credits from payments where charge_id = $1", charge_id
        )
    assert row is not None
    return row["state"], row["debt_credits"]


async def test_a_payment_is_refunded_from_the_card_of_its_user(
    boss: Person, ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.text("/start")
    await paid(bot, database)
    await bot.parts.ledger.grant(501, 5, "what the payment brought", "g")
    (card,) = await boss.text("/user 501")
    assert "150 ⭐ → 5 credits, paid" in card["text"]
    (asked,) = await boss.press("Refund 150 ⭐", message_id=card["message_id"])
    assert "Send 150 ⭐ back to 501" in asked["text"]
    assert (await state_of(database))[0] == "PAID"
    await boss.press("Yes", message_id=asked["message_id"])
    assert "on its way back" in await text_of(boss, asked)
    assert (await state_of(database))[0] != "PAID"
    assert await available(bot) == 3
    assert [row["action"] for row in await rows(database)] == ["look", "refund"]
    assert (await rows(database))[1]["details"] == {"credits": 5, "charge_id": "stx-charge"}


async def test_a_spent_payment_is_refunded_only_by_force(
    boss: Person, ann: Person, bot: RunningBot, database: Database
) -> None:
    await ann.text("/start")
    await paid(bot, database)
    (asked,) = await boss.text("/refund stx-charge")
    await boss.press("Yes", message_id=asked["message_id"])
    assert "2 credits missing" in await text_of(boss, asked)
    assert await state_of(database) == ("PAID", 0)
    (forced,) = await boss.press("Refund all the same", message_id=asked["message_id"])
    assert "written down as a debt" in forced["text"]
    await boss.press("Yes", message_id=forced["message_id"])
    assert "on its way back" in await text_of(boss, forced)
    assert (await state_of(database))[1] == 2
    shown = [each["text"] for each in await boss.text("/user 501")]  # or that Telegram refuses the refund
    assert any("debt after refunds: 2 credits" in each for each in shown)


@pytest.mark.parametrize("command", ["/refund stx-charge", "/refund stx-charge forced"])
async def test_what_was_refunded_before_is_said_and_not_asked(
    boss: Person, ann: Person, bot: RunningBot, database: Database, command: str
) -> None:
    await ann.text("/start")
    await paid(bot, database)
    await bot.parts.payments.mark_refunded("stx-charge")
    (said,) = await boss.text(command)
    assert "was refunded before" in said["text"]
    assert labels(said) == ["🛠 Panel"]
    assert await rows(database, "admin_deeds") == []


@pytest.mark.parametrize(
    ("state", "words"), [("REFUNDING", "being refunded"), ("REFUND_REFUSED", "the refund was refused")]
)
async def test_a_refund_that_was_begun_is_asked_for_as_a_repeated_call(
    boss: Person, ann: Person, bot: RunningBot, database: Database, state: str, words: str
) -> None:
    await ann.text("/start")
    await paid(bot, database)
    async with database.connection() as connection:
        await connection.execute("update payments set state = $1, refund_next_try_at = null", state)
    (asked,) = await boss.text("/refund stx-charge")
    assert "only the call to the provider is repeated" in asked["text"]
    assert words in asked["text"]
    await boss.press("Yes", message_id=asked["message_id"])
    assert "asked once more" in await text_of(boss, asked)
    assert await available(bot) == 3


async def test_an_unknown_charge_is_said_to_be_unknown(boss: Person) -> None:
    assert "no payment no-such" in only_text(await boss.text("/refund no-such"))
    assert "no payment no-such" in only_text(await boss.text("/refund no-such forced"))
