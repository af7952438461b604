"""docs/dialog.md, row by row: every step meets every input."""

import httpx
import pytest

from domain.orders import BRIEF_TEXT_CHARS_MAX
from store.database import Database
from tests.bot.chat import Person, RunningBot, button_data, labels, picture, running_bot

QUESTIONS = {
    "idle": "Short videos of your product",
    "photo": "Send me one photo",
    "template": "What shall the video be?",
    "product_text": "What is the product",
    "wishes": "Any wishes",
    "own_prompt": "Write what happens",
    "count": "How many videos?",
    "confirm": "press Generate",
}
MID_DIALOG = [step for step in QUESTIONS if step not in {"idle", "photo"}]
REPLACE = "for it, or for a new one"


async def test_the_way_to_an_order(ann: Person, bot: RunningBot) -> None:
    (menu,) = await ann.text("/start")
    assert "My balance" in " ".join(labels(menu))
    (template,) = await ann.photo()
    assert [each.split(" ", 1)[1] for each in labels(template)] == ["UGC", "Ad", "Own prompt"]
    (product,) = await ann.press("UGC")
    assert labels(product) == ["Skip"]
    (wishes,) = await ann.text("A mug <3")
    assert labels(wishes) == ["Skip"]
    (count,) = await ann.text("On a beach")
    assert labels(count) == ["1", "3", "5"]
    (card,) = await ann.press("3")
    assert card["kind"] == "photo"
    for words in ("UGC", "A mug <3", "On a beach", "3 videos", "Price: 3 credits", "Balance: 3 credits"):
        assert words in card["text"]
    await ann.press("Generate")
    accepted = (await ann.messages())[-1]
    assert accepted["message_id"] == card["message_id"]
    assert "Accepted" in accepted["text"]
    assert "Video 1 of 3" in accepted["text"]
    assert labels(accepted)[0] == "🔁 More of this product"
    assert bot.starts.started == [button_data(card, "Generate").split(":")[1]]


async def test_the_own_prompt_needs_two_questions(ann: Person) -> None:
    await ann.to_step("own_prompt")
    (count,) = await ann.text("It turns slowly")
    assert "How many" in count["text"]
    (card,) = await ann.press("1")
    assert "Prompt: It turns slowly" in card["text"]


@pytest.mark.parametrize("step", QUESTIONS)
async def test_an_unreadable_message_gets_a_kind_sentence_and_the_question(ann: Person, step: str) -> None:
    await ann.to_step(step)
    await ann.do("voice")
    (answer,) = await ann.answers()
    assert "cannot listen" in answer["text"]
    assert QUESTIONS[step] in answer["text"]


@pytest.mark.parametrize("step", QUESTIONS)
async def test_a_text_file_gets_a_kind_sentence_and_the_question(ann: Person, step: str) -> None:
    await ann.to_step(step)
    (answer,) = await ann.document(b"notes", "notes.txt", "text/plain")
    assert "not a picture" in answer["text"]
    assert QUESTIONS[step] in answer["text"]


@pytest.mark.parametrize("step", QUESTIONS)
async def test_an_unknown_command_points_to_help(ann: Person, step: str) -> None:
    await ann.to_step(step)
    (answer,) = await ann.text("/fly")
    assert "/help" in answer["text"]
    assert QUESTIONS[step] in answer["text"]


@pytest.mark.parametrize("step", QUESTIONS)
async def test_an_old_button_is_answered_with_the_present(ann: Person, step: str) -> None:
    await ann.to_step(step)
    stale, fresh = await ann.press_data("gen:00000000000000000000")
    assert "older card" in stale["text"]
    assert ("Price:" if step == "confirm" else QUESTIONS[step]) in fresh["text"]


@pytest.mark.parametrize("step", ["idle", "photo"])
async def test_a_photo_starts_a_draft(ann: Person, step: str) -> None:
    await ann.to_step(step)
    (answer,) = await ann.photo()
    assert QUESTIONS["template"] in answer["text"]


@pytest.mark.parametrize("step", MID_DIALOG)
async def test_a_photo_with_an_open_draft_asks_what_it_is_for(ann: Person, step: str) -> None:
    await ann.to_step(step)
    (answer,) = await ann.photo(picture(color="red"))
    assert REPLACE in answer["text"]
    assert labels(answer) == ["Replace", "New order"]


@pytest.mark.parametrize("step", MID_DIALOG)
async def test_replace_goes_on_where_the_draft_was(ann: Person, step: str) -> None:
    await ann.to_step(step)
    await ann.photo(picture(color="red"))
    (answer,) = await ann.press("Replace")
    assert ("Price:" if step == "confirm" else QUESTIONS[step]) in answer["text"]


@pytest.mark.parametrize("step", MID_DIALOG)
async def test_new_order_begins_anew(ann: Person, step: str) -> None:
    await ann.to_step(step)
    await ann.photo(picture(color="red"))
    (answer,) = await ann.press("New order")
    assert QUESTIONS["template"] in answer["text"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("idle", "starts with a photo"),
        ("photo", "starts with a photo"),
        ("template", "one of the buttons"),
        ("count", "one of the buttons"),
        ("confirm", "press Generate"),
        ("product_text", "Any wishes"),
        ("wishes", "How many"),
        ("own_prompt", "How many"),
    ],
)
async def test_text_answers_a_question_or_gets_a_hint(ann: Person, step: str, said: str) -> None:
    await ann.to_step(step)
    (answer,) = await ann.text("A blue mug")
    assert said in answer["text"]


@pytest.mark.parametrize("step", QUESTIONS)
async def test_cancel_drops_the_open_draft(ann: Person, step: str) -> None:
    await ann.to_step(step)
    (answer,) = await ann.text("/cancel")
    assert ("no order is open" if step == "idle" else "Dropped") in answer["text"]
    (again,) = await ann.text("/cancel")
    assert "no order is open" in again["text"]


@pytest.mark.parametrize("step", QUESTIONS)
async def test_menu_help_and_balance_leave_the_draft_alone(ann: Person, step: str) -> None:
    await ann.to_step(step)
    (balance,) = await ann.text("/balance")
    assert "3 credits" in balance["text"]
    (helped,) = await ann.text("/help")
    assert "@help" in helped["text"]
    (menu,) = await ann.text("/start")
    assert ("open order" in menu["text"]) is (step != "idle")
    await ann.do("voice")
    (answer,) = await ann.answers()
    assert QUESTIONS[step] in answer["text"]


@pytest.mark.parametrize("step", ["product_text", "wishes", "own_prompt"])
async def test_a_300_page_text_is_answered_once_and_the_question_stays(ann: Person, step: str) -> None:
    await ann.to_step(step)
    answers = await ann.text("many words " * 54_000)
    assert [each["text"] for each in answers] == [answers[0]["text"]]
    assert str(BRIEF_TEXT_CHARS_MAX) in answers[0]["text"]
    (answer,) = await ann.text("A blue mug")
    assert ("Any wishes" if step == "product_text" else "How many") in answer["text"]


@pytest.mark.parametrize("step", ["idle", "template", "confirm"])
async def test_a_long_text_nobody_asked_for_is_answered_once(ann: Person, step: str) -> None:
    await ann.to_step(step)
    (answer,) = await ann.text("many words " * 4_000)
    assert QUESTIONS[step] in answer["text"]


async def test_two_parts_of_one_text_are_one_text(ann: Person, bot: RunningBot) -> None:
    await ann.to_step("wishes")
    await bot.stop()
    await ann.do("text", text="On a beach")
    await ann.do("text", text="at sunset")
    bot.start()
    (answer,) = await ann.answers()
    assert "How many" in answer["text"]
    (card,) = await ann.press("1")
    assert "Wishes: On a beach\nat sunset" in card["text"]


async def test_parts_that_are_too_long_together_are_refused_once(ann: Person, bot: RunningBot) -> None:
    await ann.to_step("wishes")
    await bot.stop()
    for words in ("x" * 1_000, "y" * 1_000, "z"):
        await ann.do("text", text=words)
    bot.start()
    count, refusal = await ann.answers()
    assert "How many" in count["text"]
    assert str(BRIEF_TEXT_CHARS_MAX) in refusal["text"]
    (again,) = await ann.text("A beach")
    assert "How many" in again["text"]


async def test_quick_answers_are_answers(ann: Person) -> None:
    await ann.to_step("product_text")
    (wishes,) = await ann.text("A blue mug")
    assert "Any wishes" in wishes["text"]
    (count,) = await ann.text("On a beach")
    assert "How many" in count["text"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(picture(200, 600), "too small"), (picture(299, 299), "too small")],
)
async def test_a_small_photo_is_refused_at_once(ann: Person, content: bytes, said: str) -> None:
    (answer,) = await ann.photo(content)
    assert said in answer["text"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (picture(200, 600, "PNG"), "too small"),
        (picture(5_100, 5_000, "PNG"), "too large"),
        (b"\x89PNG\r\n\x1a\n broken", "cannot open"),
        (picture(400, 400, "PNG")[:900], "cannot open"),
        (b"x" * (10 * 1024 * 1024 + 1), "too large"),
    ],
)
async def test_a_picture_file_is_looked_into(ann: Person, content: bytes, said: str) -> None:
    (answer,) = await ann.document(content)
    assert said in answer["text"]


async def test_a_picture_file_is_shown_as_a_photo(ann: Person) -> None:
    (template,) = await ann.document(picture(800, 600, "WEBP"), "mug.webp", "image/webp")
    assert QUESTIONS["template"] in template["text"]
    await ann.press("Own prompt")
    await ann.text("It turns")
    (card,) = await ann.press("1")
    assert card["kind"] == "photo"
    (copy,) = (await ann.press_data("count:3"))[1:]
    assert copy["kind"] == "photo"


async def test_without_a_script_writer_only_the_own_prompt_is_offered(
    database: Database, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with running_bot(database, telegram_base, offers_templates=False):
        ann = await Person.join(http, 501)
        (template,) = await ann.photo()
        assert labels(template) == ["✍️ Own prompt"]
        stale, _ = await ann.press_data("tpl:ugc")
        assert "older card" in stale["text"]


async def test_the_language_is_the_users_choice(ann: Person, http: httpx.AsyncClient) -> None:
    await ann.text("/language")
    (menu,) = await ann.press("Русский")
    assert "Короткие видео" in menu["text"]
    (question,) = await ann.photo()
    assert "Каким будет видео" in question["text"]
    bek = await Person.join(http, 502, language="kk")
    (menu,) = await bek.text("/start")
    assert "Короткие видео" in menu["text"]


async def test_the_dialog_survives_a_restart(ann: Person, bot: RunningBot) -> None:
    await ann.to_step("wishes")
    await bot.stop()
    bot.start()
    (count,) = await ann.text("On a beach")
    assert "How many" in count["text"]
