"""Any answer changed from the confirm card: a new card in the place of the old one."""

from pathlib import Path
from typing import Any

import pytest

from domain.actions import Action, Button
from domain.failures import Failure, FailureClass
from domain.ids import video_id
from domain.orders import BRIEF_TEXT_CHARS_MAX, Template, VideoOptions, VideoState
from store.database import Database
from tests.bot.chat import Person, RunningBot, button_data, labels, picture, running_bot

PARTS = ["Photo", "Style", "Product", "Wishes", "How many", "Format", "Length", "Leave it as it is"]


def id_of(card: dict[str, Any]) -> str:
    return button_data(card, "Generate").split(":")[1]


def names(card: dict[str, Any]) -> list[str]:
    return [label.split(" ", 1)[1] for label in labels(card)]


async def to_card(person: Person, count: str = "1") -> dict[str, Any]:
    """The confirm card of an order for which everything was said."""
    await person.to_step("wishes")
    await person.text("On a beach")
    (card,) = await person.press(count)
    return card


async def change(person: Person, part: str) -> list[dict[str, Any]]:
    await person.press("Change")
    return await person.press(part)


async def test_what_can_be_changed_is_listed(ann: Person) -> None:
    await to_card(ann)
    (listed,) = await ann.press("Change")
    assert names(listed) == PARTS


async def test_an_own_prompt_has_no_product_text(ann: Person) -> None:
    await ann.to_step("own_prompt")
    await ann.text("It turns")
    await ann.press("1")
    (listed,) = await ann.press("Change")
    assert names(listed) == ["Photo", "Style", "Prompt", "How many", "Format", "Length", "Leave it as it is"]


@pytest.mark.parametrize(
    ("part", "answer", "shown", "kept"),
    [
        ("Product", "text:A red mug", "Product: A red mug", "Wishes: On a beach"),
        ("Wishes", "text:In a forest", "Wishes: In a forest", "Product: A blue mug"),
        ("How many", "press:5", "5 videos", "Wishes: On a beach"),
        ("Style", "press:Ad", "<b>Ad</b>", "Wishes: On a beach"),
        ("Format", "press:16:9", "16:9", "Wishes: On a beach"),
        ("Length", "press:10 s", "10 s", "Wishes: On a beach"),
    ],
)
async def test_one_answer_changes_and_the_rest_is_kept(
    ann: Person, bot: RunningBot, part: str, answer: str, shown: str, kept: str
) -> None:
    old = await to_card(ann)
    await change(ann, part)
    kind, _, words = answer.partition(":")
    (card,) = await (ann.text(words) if kind == "text" else ann.press(words))
    assert card["kind"] == "photo"
    assert shown.removeprefix("<b>").removesuffix("</b>") in card["text"]
    assert kept in card["text"]
    assert id_of(card) != id_of(old)
    stale, *_ = await ann.press_data(button_data(old, "Generate"))
    assert "older card" in stale["text"]
    assert bot.starts.started == []


async def test_another_photo_keeps_everything(ann: Person, bot: RunningBot, tmp_path: Path) -> None:
    await to_card(ann)
    await change(ann, "Format")
    await ann.press("1:1")
    (asked,) = await change(ann, "Photo")
    assert "keep everything else" in asked["text"]
    (card,) = await ann.photo(picture(color="red"))
    for words in ("A blue mug", "On a beach", "1:1"):
        assert words in card["text"]
    await change(ann, "Photo")
    await ann.album(tmp_path, 3)
    await ann.until("one product, or several")
    (card,) = await ann.press("One product")
    assert "Photos: 3" in card["text"]
    await ann.press("Generate")
    order = await bot.parts.orders.read(bot.starts.started[0])
    assert order.options == VideoOptions("1:1")
    assert order.photo.file_id == (await ann.own())[-3]["media"]["file_id"]


async def test_more_videos_and_longer_ones_cost_more(ann: Person, bot: RunningBot) -> None:
    await to_card(ann)
    await change(ann, "How many")
    (card,) = await ann.press("3")
    assert "Price: 3 credits" in card["text"]
    await change(ann, "Length")
    (card,) = await ann.press("10 s")
    assert "Price: 6 credits" in card["text"]
    await change(ann, "How many")
    (card,) = await ann.press("1")
    assert "Price: 2 credits" in card["text"]
    await ann.press("Generate")
    assert (await bot.parts.ledger.balance(ann.id)).available == 1


async def test_a_style_that_needs_a_text_asks_for_it(ann: Person, bot: RunningBot) -> None:
    await to_card(ann)
    await change(ann, "Style")
    (asked,) = await ann.press("Own prompt")
    assert "Write what happens" in asked["text"]
    (card,) = await ann.text("It turns slowly")
    assert "Prompt: It turns slowly" in card["text"]
    assert "On a beach" not in card["text"]
    await change(ann, "Style")
    (asked,) = await ann.press("UGC")
    assert "What is the product" in asked["text"]
    (card,) = await ann.press("Skip")
    assert "Prompt" not in card["text"]
    draft = await bot.parts.drafts.get(id_of(card), ann.id)
    assert draft is not None
    assert draft.offer.brief.template is Template.UGC
    assert draft.offer.brief.own_prompt == ""


async def test_a_text_can_be_taken_back(ann: Person) -> None:
    await to_card(ann)
    await change(ann, "Wishes")
    (card,) = await ann.press("Skip")
    assert "Wishes" not in card["text"]
    assert "Product: A blue mug" in card["text"]


async def test_leaving_it_shows_the_card_again(ann: Person, bot: RunningBot) -> None:
    old = await to_card(ann)
    await change(ann, "Wishes")
    (copy,) = await ann.press("Leave it as it is")
    assert id_of(copy) == id_of(old)
    (hint,) = await ann.text("In a forest")
    assert "press Generate" in hint["text"]
    await ann.press("Generate")
    assert bot.starts.started == [id_of(old)]


async def test_a_text_that_is_too_long_leaves_the_question_open(ann: Person) -> None:
    await to_card(ann)
    await change(ann, "Product")
    (refused,) = await ann.text("x" * (BRIEF_TEXT_CHARS_MAX + 1))
    assert str(BRIEF_TEXT_CHARS_MAX) in refused["text"]
    (card,) = await ann.text("A red mug")
    assert "Product: A red mug" in card["text"]
    assert "Wishes: On a beach" in card["text"]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("Style", "press one of the buttons"),
        ("Photo", "starts with a photo"),
        ("How many", "one of the buttons"),
    ],
)
async def test_a_text_that_was_not_asked_for_gets_a_hint(ann: Person, part: str, said: str) -> None:
    await to_card(ann)
    (asked,) = await change(ann, part)
    (hint,) = await ann.text("something")
    assert said in hint["text"]
    assert asked["text"] in hint["text"]


async def test_a_photo_while_a_text_is_asked_for_can_take_the_place_of_the_old_one(ann: Person) -> None:
    await to_card(ann)
    await change(ann, "Wishes")
    (asked,) = await ann.photo(picture(color="red"))
    assert labels(asked) == ["Replace", "New order"]
    (card,) = await ann.press("Replace")
    assert "Wishes: On a beach" in card["text"]


async def test_a_changed_card_of_an_earlier_order_leaves_the_open_dialog_alone(
    ann: Person, bot: RunningBot
) -> None:
    card = await to_card(ann)
    await ann.press("Generate")
    await ann.to_step("wishes")
    (more,) = await ann.press_data(Button("", Action.MORE, id_of(card)).callback_data)
    await ann.press("Change", message_id=more["message_id"])
    await ann.press("How many")
    (changed,) = await ann.press("3")
    assert "3 videos" in changed["text"]
    (count,) = await ann.text("By the sea")
    assert "How many" in count["text"]
    (own,) = await ann.press("1")
    assert "Wishes: By the sea" in own["text"]
    await ann.press("Generate", message_id=own["message_id"])
    assert bot.starts.started == [id_of(card), id_of(own)]


async def test_cards_of_try_again_and_make_fewer_change_too(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann, "3")
    await ann.press("Generate")
    for number in (1, 2):
        await bot.parts.videos.settle(
            video_id(id_of(card), number), VideoState.FAILED, Failure(FailureClass.TEMPORARY)
        )
    (again,) = await ann.press_data(Button("", Action.TRY_AGAIN, id_of(card)).callback_data)
    assert "2 videos" in again["text"]
    await change(ann, "Wishes")
    (changed,) = await ann.text("In a forest")
    assert "2 videos" in changed["text"]
    await change(ann, "How many")
    await ann.press("5")
    await ann.press("Generate")
    (fewer,) = await ann.press("Make 1")
    assert "Wishes: In a forest" in fewer["text"]
    await change(ann, "Product")
    (changed,) = await ann.text("A red mug")
    assert "1 video" in changed["text"]
    await ann.press("Generate")
    assert bot.starts.started == [id_of(card), id_of(changed)]


async def test_the_same_again_with_changes(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    await ann.press("Generate")
    (listed,) = await ann.press_data(Button("", Action.CHANGED_AGAIN, id_of(card)).callback_data)
    assert names(listed) == PARTS
    await ann.press("Wishes")
    (changed,) = await ann.text("In a forest")
    for words in ("Product: A blue mug", "Wishes: In a forest", "1 video"):
        assert words in changed["text"]
    await ann.press("Generate")
    assert bot.starts.started == [id_of(card), id_of(changed)]
    (listed,) = await ann.press_data(Button("", Action.CHANGED_AGAIN, id_of(card)).callback_data)
    (same,) = await ann.press("Leave it as it is")
    assert "Wishes: On a beach" in same["text"]


async def test_a_bought_card_does_not_change(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    (asked,) = await change(ann, "Wishes")
    await ann.press("Generate", message_id=card["message_id"])
    assert bot.starts.started == [id_of(card)]
    (menu_hint,) = await ann.text("In a forest")
    assert "starts with a photo" in menu_hint["text"]
    for data in (f"chg:{id_of(card)}", f"part:wishes.{id_of(card)}", button_data(asked, "Leave it")):
        stale, _ = await ann.press_data(data)
        assert "older card" in stale["text"]


@pytest.mark.parametrize(
    "data",
    ["chg:", "chg:nonsense", "part:", "part:wishes", "part:wishes.nonsense", "fmt:16x9", "fmt:4x3", "sec:10",
     "sec:999", "count:5", "count:9", "tpl:own", "skip:wishes", "album_one:open", "album_many:nonsense"],
)  # fmt: skip
async def test_made_up_choices_change_nothing(ann: Person, bot: RunningBot, data: str) -> None:
    card = await to_card(ann)
    stale, copy = await ann.press_data(data)
    assert "older card" in stale["text"]
    assert id_of(copy) == id_of(card)
    await ann.press("Generate")
    assert bot.starts.started == [id_of(card)]


@pytest.mark.parametrize("part", ["sec:7", "sec:", "fmt:4x3", "count:2", "tpl:nonsense", "skip:product"])
async def test_made_up_answers_leave_the_question_open(ann: Person, part: str) -> None:
    await to_card(ann)
    name = {"sec": "Length", "fmt": "Format", "count": "How many", "tpl": "Style", "skip": "Wishes"}
    (asked,) = await change(ann, name[part.split(":", maxsplit=1)[0]])
    stale, again = await ann.press_data(part)
    assert "older card" in stale["text"]
    assert again["text"] == asked["text"]


async def test_somebody_elses_card_does_not_change(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    bob = await Person.join(ann.http, 502)
    await bob.text("/start")
    for data in (f"chg:{id_of(card)}", f"part:wishes.{id_of(card)}", f"alter:{id_of(card)}"):
        stale, _ = await bob.press_data(data)
        assert "older card" in stale["text"]
    await ann.press("Generate")
    assert bot.starts.started == [id_of(card)]


async def test_without_a_script_writer_the_style_is_no_choice(
    database: Database, telegram_base: str, ann: Person, bot: RunningBot
) -> None:
    await bot.stop()
    async with running_bot(database, telegram_base, offers_templates=False):
        await ann.to_step("own_prompt")
        await ann.text("It turns")
        await ann.press("1")
        (listed,) = await ann.press("Change")
        assert "Style" not in names(listed)


async def test_a_repeated_answer_changes_once(ann: Person, bot: RunningBot) -> None:
    await to_card(ann)
    await change(ann, "Wishes")
    sent = await ann.do("text", text="In a forest")
    (card,) = await ann.answers()
    await ann.http.post("/control/updates/repeat", json={"update_id": sent["update_ids"][0]})
    assert await ann.answers() == []
    await ann.press("Generate")
    assert bot.starts.started == [id_of(card)]


async def test_a_change_cut_off_by_a_crash_is_made_once(ann: Person, bot: RunningBot) -> None:
    card = await to_card(ann)
    await change(ann, "Wishes")
    draft = await bot.parts.drafts.get(id_of(card), ann.id)
    assert draft is not None
    made = await bot.parts.drafts.change(draft.id, ann.id, [draft.offer])  # and then the bot was gone
    assert made is not None
    (shown,) = await ann.text("In a forest")
    assert id_of(shown) == made[0].id
    await ann.press("Generate")
    assert bot.starts.started == [made[0].id]
