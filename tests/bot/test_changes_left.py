"""/cancel and New order while one part of a card is changed."""

from pathlib import Path
from typing import Any

import pytest

from bot.states import Step
from bot.turn import begin_turn
from domain.actions import Action, Button
from tests.bot.chat import Person, RunningBot, button_data
from tests.bot.test_changes import change, id_of, to_card


async def test_cancel_drops_what_is_being_changed(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    await change(ann, "Wishes")
    (dropped,) = await ann.text("/cancel")
    assert "Dropped" in dropped["text"]
    await ann.press_data(button_data(card, "Generate"))
    assert bot.starts.started == []


async def half_way_beside_a_change(person: Person) -> dict[str, Any]:
    """A card of an earlier order is changed while the wishes of another one are asked for."""
    card = await to_card(person)
    await person.press("Generate")
    await person.to_step("wishes")
    (more,) = await person.press_data(Button("", Action.MORE, id_of(card)).callback_data)
    await person.press("Change", message_id=more["message_id"])
    await person.press("Product")
    return more


async def test_cancel_at_a_change_leaves_a_dialog_half_way_where_it_stood(
    ann: Person, bot: RunningBot
) -> None:
    more = await half_way_beside_a_change(ann)
    (dropped,) = await ann.text("/cancel")
    assert "only the card you were changing" in dropped["text"]
    assert "Any wishes" in dropped["text"]
    (count,) = await ann.text("By the sea")
    assert "How many" in count["text"]
    (own,) = await ann.press("1")
    assert "Wishes: By the sea" in own["text"]
    stale, *_ = await ann.press_data(button_data(more, "Generate"))
    assert "older card" in stale["text"], "the other one is dropped"
    await ann.press("Generate", message_id=own["message_id"])
    assert bot.starts.started[1:] == [id_of(own)]


async def test_a_cancel_cut_off_by_a_crash_drops_no_second_thing(ann: Person, bot: RunningBot) -> None:
    more = await half_way_beside_a_change(ann)
    user = await bot.parts.users.register(ann.id, "en")
    turn = await begin_turn(bot.parts, user, update_id=7)
    await turn.dialog.leave(id_of(more), marked=True)
    again = await begin_turn(bot.parts, user, update_id=7)
    assert (again.dialog.step, again.dialog.applied) == (Step.wishes, True)


async def test_cancel_at_a_change_leaves_the_other_cards(
    ann: Person, bot: RunningBot, tmp_path: Path
) -> None:
    first, second = await two_cards(ann, tmp_path)
    await ann.press("Change", message_id=first["message_id"])
    await ann.press("Wishes")
    (dropped,) = await ann.text("/cancel")
    assert "only the card you were changing" in dropped["text"]
    assert "press Generate" in dropped["text"]
    stale, copy = await ann.press_data(button_data(first, "Generate"))
    assert "older card" in stale["text"]
    assert id_of(copy) == id_of(second)
    await ann.press("Generate", message_id=second["message_id"])
    assert bot.starts.started == [id_of(second)]


async def two_cards(person: Person, folder: Path) -> list[dict[str, Any]]:
    await person.album(folder, 2)
    await person.until("one product, or several")
    for answer in ("Several products", "UGC", "Skip", "Skip"):
        await person.press(answer)
    return await person.press("1")


async def test_a_new_order_at_a_change_drops_the_only_card(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    await change(ann, "Wishes")
    (asked,) = await ann.press_data(Button("", Action.NEW_ORDER).callback_data)
    assert "Send me one photo" in asked["text"]
    stale, *_ = await ann.press_data(button_data(card, "Generate"))
    assert "older card" in stale["text"]
    assert bot.starts.started == []


@pytest.mark.parametrize("changing", [True, False])
async def test_a_new_order_leaves_several_cards_as_they_are(
    ann: Person, bot: RunningBot, tmp_path: Path, *, changing: bool
) -> None:
    shown = await two_cards(ann, tmp_path)
    if changing:
        await ann.press("Change", message_id=shown[0]["message_id"])
        await ann.press("Wishes")
    await ann.press_data(Button("", Action.NEW_ORDER).callback_data)
    (template,) = await ann.photo()
    assert "What shall the video be" in template["text"]
    for card in shown:
        await ann.press("Generate", message_id=card["message_id"])
    assert bot.starts.started == [id_of(card) for card in shown]


async def test_a_new_order_leaves_a_card_that_stands_for_itself(ann: Person, bot: RunningBot) -> None:
    more = await half_way_beside_a_change(ann)
    (asked,) = await ann.press_data(Button("", Action.NEW_ORDER).callback_data)
    assert "Send me one photo" in asked["text"]
    await ann.press("Generate", message_id=more["message_id"])
    assert bot.starts.started[1:] == [id_of(more)]
