"""Who gives credits gives them once, whatever becomes of the answer."""

import re
import shlex

from tests.admin.operator import USER, Operator, Shop
from tests.admin.postgres_wire import PostgresWire

REASON = "it's a present"
GIFT = (str(USER), "5", REASON)


async def notes(shop: Shop) -> list[tuple[int, str]]:
    async with shop.database.connection() as connection:
        rows = await connection.fetch(
            "select e.available_delta, n.note from credit_entries e join entry_notes n using (cause)"
        )
    return [(row["available_delta"], row["note"]) for row in rows]


async def test_a_lost_answer_is_asked_for_again(shop: Shop, operator: Operator) -> None:
    async with PostgresWire(operator.settings["DATABASE_URL"], lost=2) as wire:
        told = await Operator({**operator.settings, "DATABASE_URL": wire.url}).says("grant", "--yes", *GIFT)
    assert wire.commits == 3
    assert (told.code, told.err) == (0, "")
    assert told.out == f"user {USER}: +5, now 5 available and 0 reserved\n"
    assert await notes(shop) == [(5, REASON)]
    assert [deed for deed, _, _ in await shop.deeds()] == ["grant"]


async def test_where_nobody_answers_any_more_it_says_how_to_look_and_repeats_safely(
    shop: Shop, operator: Operator
) -> None:
    async with PostgresWire(operator.settings["DATABASE_URL"], lost=1, then_away=True) as wire:
        told = await Operator({**operator.settings, "DATABASE_URL": wire.url}).says("grant", "--yes", *GIFT)
    assert (told.code, told.out) == (1, "")
    assert "the credits may have been given, or not" in told.err
    assert f"Look with: user {USER}." in told.err
    printed = shlex.split(told.err.partition("if it was not done: ")[2])
    again = await operator.says(printed[0], "--yes", *printed[1:])
    assert again.out == f"user {USER}: +5, now 5 available and 0 reserved\n"
    assert await notes(shop) == [(5, REASON)]
    assert [deed for deed, _, _ in await shop.deeds()] == ["grant"]


async def test_a_grant_id_is_of_one_grant(shop: Shop, operator: Operator) -> None:
    first = await operator.reads("grant", "--yes", *GIFT)
    named = ("grant", "--yes", "--grant-id", first["grant_id"])
    for other in (("--", str(USER), "6", REASON), ("--", str(USER + 1), "5", REASON)):
        told = await operator.says(*named, *other)
        assert (told.code, "nothing was changed: grant" in told.err) == (1, True)
    nonsense = await operator.says("grant", "--yes", "--grant-id", "deed-17", *GIFT)
    assert (nonsense.code, "a grant id is 16 of 0-9" in " ".join(nonsense.err.split())) == (2, True)
    assert re.fullmatch("[0-9a-f]{16}", first["grant_id"])
    assert await notes(shop) == [(5, REASON)]


async def test_what_was_taken_is_not_taken_again(shop: Shop, operator: Operator) -> None:
    """Though there is less than that now."""
    await operator.says("grant", "--yes", *GIFT)
    async with PostgresWire(operator.settings["DATABASE_URL"], lost=1) as wire:
        by_wire = Operator({**operator.settings, "DATABASE_URL": wire.url})
        told = await by_wire.says("grant", "--yes", "--", str(USER), "-4", "a mistake")
    assert (told.code, told.out) == (0, f"user {USER}: -4, now 1 available and 0 reserved\n")
    assert await notes(shop) == [(5, REASON), (-4, "a mistake")]
