"""Captions, and answers that are edited in the chat: they count until Generate."""

from typing import Any

import pytest

from domain.orders import BRIEF_TEXT_CHARS_MAX
from tests.bot.chat import Person, RunningBot, button_data, labels, picture

TOO_LONG = "x" * (BRIEF_TEXT_CHARS_MAX + 1)
TEMPLATE = "What shall the video be?"


def id_of(card: dict[str, Any]) -> str:
    return button_data(card, "Generate").split(":")[1]


async def said(person: Person, words: str) -> int:
    """The number of his message that says this."""
    return next(int(each["message_id"]) for each in reversed(await person.own()) if each["text"] == words)


async def shown(person: Person, card: dict[str, Any]) -> dict[str, Any]:
    """The card as it looks now."""
    return next(each for each in await person.messages() if each["message_id"] == card["message_id"])


async def to_card(person: Person) -> dict[str, Any]:
    await person.to_step("wishes")
    await person.text("On a beach")
    (card,) = await person.press("1")
    return card


# -- captions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("caption", ["A blue mug", "/start", "/help me"])
async def test_a_caption_is_the_product_text(ann: Person, caption: str) -> None:
    (template,) = await ann.photo(caption=caption)
    assert TEMPLATE in template["text"]
    (wishes,) = await ann.press("UGC")
    assert "Any wishes" in wishes["text"]
    await ann.press("Skip")
    (card,) = await ann.press("1")
    assert f"Product: {caption}" in card["text"]


async def test_an_own_prompt_has_no_use_for_a_caption(ann: Person, bot: RunningBot) -> None:
    await ann.photo(caption="A blue mug")
    (asked,) = await ann.press("Own prompt")
    assert "Write what happens" in asked["text"]
    await ann.text("It turns")
    (card,) = await ann.press("1")
    assert "A blue mug" not in card["text"]
    draft = await bot.parts.drafts.get(id_of(card), ann.id)
    assert draft is not None
    assert draft.offer.brief.product_text == ""


async def test_a_caption_that_is_too_long_is_said_once_and_asked_for(ann: Person) -> None:
    # Telegram's own limit for captions is lower for most people, and higher for some.
    told, template = await ann.photo(caption=TOO_LONG)
    assert str(BRIEF_TEXT_CHARS_MAX) in told["text"]
    assert TEMPLATE in template["text"]
    (product,) = await ann.press("UGC")
    assert "What is the product" in product["text"]
    own = await ann.own()
    (wishes,) = await ann.edit(own[-1]["message_id"], "A blue mug")
    assert "Any wishes" in wishes["text"]


async def test_the_caption_of_a_new_photo_takes_the_place_of_the_product_text(ann: Person) -> None:
    await to_card(ann)
    await ann.photo(picture(color="red"), caption="A red mug")
    (card,) = await ann.press("Replace")
    assert "Product: A red mug" in card["text"]
    assert "Wishes: On a beach" in card["text"]


async def test_a_caption_answers_the_open_question(ann: Person) -> None:
    await ann.to_step("product_text")
    await ann.photo(picture(color="red"), caption="A red mug")
    (wishes,) = await ann.press("Replace")
    assert "Any wishes" in wishes["text"]


# -- before the card ------------------------------------------------------------------------------


async def test_an_edit_in_the_middle_of_the_questions_counts(ann: Person) -> None:
    await ann.to_step("wishes")
    (taken,) = await ann.edit(await said(ann, "A blue mug"), "A red mug")
    assert "edited text counts" in taken["text"]
    assert "Any wishes" in taken["text"]
    await ann.text("On a beach")
    (taken,) = await ann.edit(await said(ann, "On a beach"), "In a forest")
    assert "How many" in taken["text"]
    (card,) = await ann.press("1")
    for words in ("Product: A red mug", "Wishes: In a forest"):
        assert words in card["text"]


async def test_a_text_that_was_too_long_is_answered_by_its_edit(ann: Person) -> None:
    await ann.to_step("product_text")
    await ann.text(TOO_LONG)
    (still,) = await ann.edit(await said(ann, TOO_LONG), TOO_LONG + "x")
    assert str(BRIEF_TEXT_CHARS_MAX) in still["text"]
    (wishes,) = await ann.edit(await said(ann, TOO_LONG + "x"), "A blue mug")
    assert "Any wishes" in wishes["text"]


async def test_an_edited_caption_counts(ann: Person) -> None:
    await ann.photo(caption="A blue mug")
    photo_id = (await ann.own())[-1]["message_id"]
    (taken,) = await ann.edit(photo_id, "A red mug")
    assert TEMPLATE in taken["text"]
    await ann.press("UGC")
    await ann.press("Skip")
    (card,) = await ann.press("1")
    assert "Product: A red mug" in card["text"]
    assert await ann.edit(photo_id, "A green mug") == []
    assert "Product: A green mug" in (await shown(ann, card))["text"]


# -- the open card --------------------------------------------------------------------------------


async def test_an_edit_changes_the_open_card_in_place(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    assert await ann.edit(await said(ann, "A blue mug"), "A <red> mug") == []
    assert await ann.edit(await said(ann, "On a beach"), "In a forest") == []
    now = await shown(ann, card)
    for words in ("Product: A <red> mug", "Wishes: In a forest", "Price: 1 credit"):
        assert words in now["text"]
    assert labels(now) == labels(card)
    await ann.press("Generate")
    order = await bot.parts.orders.read(id_of(card))
    assert (order.brief.product_text, order.brief.wishes) == ("A <red> mug", "In a forest")


async def test_an_edited_prompt_changes_the_open_card(ann: Person) -> None:
    await ann.to_step("own_prompt")
    await ann.text("It turns")
    (card,) = await ann.press("1")
    await ann.edit(await said(ann, "It turns"), "It jumps")
    assert "Prompt: It jumps" in (await shown(ann, card))["text"]


async def test_an_edit_reaches_a_card_that_was_changed_since(ann: Person) -> None:
    await to_card(ann)
    await ann.press("Change")
    await ann.press("How many")
    (card,) = await ann.press("3")
    await ann.edit(await said(ann, "On a beach"), "In a forest")
    now = await shown(ann, card)
    assert "Wishes: In a forest" in now["text"]
    assert "3 videos" in now["text"]


async def test_an_edited_text_of_a_change_counts(ann: Person) -> None:
    await to_card(ann)
    await ann.press("Change")
    await ann.press("Wishes")
    await ann.text(TOO_LONG)
    (card,) = await ann.edit(await said(ann, TOO_LONG), "In a forest")
    assert "Wishes: In a forest" in card["text"]
    await ann.edit(await said(ann, "In a forest"), "On a hill")
    assert "Wishes: On a hill" in (await shown(ann, card))["text"]
    assert await ann.edit(await said(ann, "On a beach"), "Nowhere") == []  # no longer in any card
    assert "Wishes: On a hill" in (await shown(ann, card))["text"]


async def test_an_edit_that_is_too_long_is_refused(ann: Person) -> None:
    card = await to_card(ann)
    (refused,) = await ann.edit(await said(ann, "On a beach"), TOO_LONG)
    assert str(BRIEF_TEXT_CHARS_MAX) in refused["text"]
    assert "Wishes: On a beach" in (await shown(ann, card))["text"]


async def test_one_text_for_several_products_is_edited_in_every_open_card(
    ann: Person, bot: RunningBot
) -> None:
    for color in ("red", "blue", "teal"):
        await ann._upload("photo", picture(color=color), "p.jpg", "image/jpeg", media_group_id="g")
    await ann.until("one product, or several")
    await ann.press("Several products")
    await ann.press("UGC")
    await ann.text("A mug")
    await ann.press("Skip")
    first, second, third = await ann.press("1")
    await ann.press("Generate", message_id=second["message_id"])
    (late,) = await ann.edit(await said(ann, "A mug"), "A cup")
    assert "too late" in late["text"]
    for card in (first, third):
        assert "Product: A cup" in (await shown(ann, card))["text"]
    assert (await bot.parts.orders.read(id_of(second))).brief.product_text == "A mug"


# -- too late, and not meant ----------------------------------------------------------------------


async def test_after_generate_an_edit_is_too_late_and_that_is_said_once(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    await ann.press("Generate")
    (late,) = await ann.edit(await said(ann, "A blue mug"), "A red mug")
    assert "too late" in late["text"]
    assert labels(late) == ["🔁 More of this product"]
    assert await ann.edit(await said(ann, "A red mug"), "A green mug") == []
    assert await ann.edit(await said(ann, "On a beach"), TOO_LONG) == []
    assert (await bot.parts.orders.read(id_of(card))).brief.product_text == "A blue mug"
    (again,) = await ann.press("More of this product", message_id=late["message_id"])
    assert "Product: A blue mug" in again["text"]


async def test_an_edit_of_a_dropped_order_is_passed_over(ann: Person) -> None:
    await to_card(ann)
    await ann.text("/cancel")
    assert await ann.edit(await said(ann, "A blue mug"), "A red mug") == []


async def test_an_edit_of_anything_else_is_passed_over(ann: Person) -> None:
    await ann.text("/start")
    await ann.text("hello")
    assert await ann.edit(await said(ann, "hello"), "good morning") == []
    assert await ann.edit(await said(ann, "/start"), "/help") == []
    card = await to_card(ann)
    assert await ann.edit(await said(ann, "good morning"), "A red mug") == []
    assert (await shown(ann, card))["text"] == card["text"]


async def repeat_as_edit(person: Person, message_id: int, words: str, user_id: int) -> None:
    """Telegram reports some edits that change no word."""
    message = {
        "message_id": message_id,
        "date": 1,
        "edit_date": 2,
        "chat": {"id": user_id, "type": "private", "first_name": "Ann"},
        "from": {"id": user_id, "is_bot": False, "first_name": "Ann", "language_code": "en"},
        "text": words,
    }
    await person.http.post("/control/updates", json={"update": {"edited_message": message}})
    await person.settled()


async def test_an_edit_without_a_change_is_passed_over(ann: Person) -> None:
    card = await to_card(ann)
    message_id = await said(ann, "A blue mug")
    await repeat_as_edit(ann, message_id, "A blue mug", ann.id)
    await ann.press("Generate", message_id=card["message_id"])
    await repeat_as_edit(ann, message_id, "A blue mug", ann.id)
    assert await ann.answers() == []


async def test_somebody_elses_message_of_the_same_number_is_not_meant(ann: Person) -> None:
    card = await to_card(ann)
    await Person.join(ann.http, 502)
    await repeat_as_edit(ann, await said(ann, "On a beach"), "In a forest", 502)
    assert (await shown(ann, card))["text"] == card["text"]


async def test_a_card_that_cannot_be_edited_any_more_comes_anew(ann: Person) -> None:
    card = await to_card(ann)
    told = {"ok": False, "error_code": 400, "description": "Bad Request: message can't be edited"}
    refusal = {"where": "editMessageCaption", "status": 400, "body": told}
    (await ann.http.post("/control/faults", json=refusal)).raise_for_status()
    (copy,) = await ann.edit(await said(ann, "On a beach"), "In a forest")
    assert id_of(copy) == id_of(card)
    assert "Wishes: In a forest" in copy["text"]
