"""Photos that come together: asked about once, one product or several."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.actions import Action, Button
from domain.orders import BRIEF_TEXT_CHARS_MAX, Photo
from store.drafts import Draft
from tests.bot.chat import Person, RunningBot, button_data, labels, picture

ASKED = "one product, or several"
REPLACE = "for it, or for a new one"
TEMPLATE = "What shall the video be?"


async def draft_of(bot: RunningBot, person: Person, card: dict[str, Any]) -> Draft:
    draft_id = button_data(card, "Generate").split(":")[1]
    draft = await bot.parts.drafts.get(draft_id, person.id)
    assert draft is not None
    return draft


async def sent_photos(person: Person) -> list[str]:
    """The file ids of what he sent, largest size, in order."""
    return [each["media"]["file_id"] for each in await person.own() if each["kind"] == "photo"]


async def to_confirm(person: Person) -> list[dict[str, Any]]:
    await person.press("UGC")
    await person.press("Skip")
    await person.press("Skip")
    return await person.press("1")


async def part(person: Person, group: str, content: bytes | None = None, caption: str = "") -> None:
    await person._upload(
        "photo", content or picture(), "p.jpg", "image/jpeg", media_group_id=group, caption=caption
    )


async def test_an_album_is_asked_about_once(ann: Person, tmp_path: Path) -> None:
    await ann.text("/start")
    await ann.album(tmp_path, 3)
    asked = await ann.until(ASKED)
    assert "3 photos" in asked["text"]
    assert labels(asked) == ["One product", "Several products"]
    assert await ann.answers() == []


async def test_one_product_has_a_frame_and_up_to_four_views(
    ann: Person, bot: RunningBot, tmp_path: Path
) -> None:
    await ann.album(tmp_path, 7)
    await ann.until(ASKED)
    (template,) = await ann.press("One product")
    assert TEMPLATE in template["text"]
    (card,) = await to_confirm(ann)
    assert "Photos: 5" in card["text"]
    offer = (await draft_of(bot, ann, card)).offer
    assert [offer.photo.file_id, *(view.file_id for view in offer.views)] == (await sent_photos(ann))[:5]
    await ann.press("Generate")
    order = await bot.parts.orders.read(bot.starts.started[0])
    assert order.views == offer.views


async def test_several_products_have_a_card_each_in_their_order(
    ann: Person, bot: RunningBot, tmp_path: Path
) -> None:
    await ann.album(tmp_path, 3)
    await ann.until(ASKED)
    await ann.press("Several products")
    shown = await to_confirm(ann)
    drafts = [await draft_of(bot, ann, card) for card in shown]
    assert [draft.offer.photo.file_id for draft in drafts] == await sent_photos(ann)
    assert len({draft.id for draft in drafts}) == 3
    for card in shown:
        await ann.press("Generate", message_id=card["message_id"])
    assert bot.starts.started == [draft.id for draft in drafts]


async def test_what_is_open_of_several_products_stays_open(
    ann: Person, bot: RunningBot, tmp_path: Path
) -> None:
    await ann.album(tmp_path, 3)
    await ann.until(ASKED)
    await ann.press("Several products")
    first, second, third = await to_confirm(ann)
    await ann.press("Generate", message_id=second["message_id"])
    (hint,) = await ann.text("and now?")
    assert "press Generate" in hint["text"]
    stale, *copies = await ann.press_data("count:3")
    assert "older card" in stale["text"]
    ids = [button_data(card, "Generate") for card in (first, third)]
    assert [button_data(card, "Generate") for card in copies] == ids
    (dropped,) = await ann.text("/cancel")
    assert "Dropped" in dropped["text"]
    await ann.press_data(ids[0])
    assert bot.starts.started == [button_data(second, "Generate").split(":")[1]]


async def test_a_photo_that_is_gone_takes_only_its_own_card_away(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    await ann.album(tmp_path, 3)
    await ann.until(ASKED)
    await ann.press("Several products")
    gone = (await sent_photos(ann))[1]
    await http.post("/control/files/expire", json={"file_id": gone, "forever": True})
    first, refused, third = await to_confirm(ann)
    assert "no longer gives me this photo" in refused["text"]
    for card in (first, third):
        await ann.press("Generate", message_id=card["message_id"])
    assert len(bot.starts.started) == 2


async def test_a_photo_beside_several_open_cards_is_a_new_order(
    ann: Person, bot: RunningBot, tmp_path: Path
) -> None:
    await ann.album(tmp_path, 2)
    await ann.until(ASKED)
    await ann.press("Several products")
    first, _ = await to_confirm(ann)
    (template,) = await ann.photo()
    assert TEMPLATE in template["text"]
    await ann.press("Generate", message_id=first["message_id"])
    assert len(bot.starts.started) == 1
    await ann.press("UGC")
    (wishes,) = await ann.text("A mug")
    assert "Any wishes" in wishes["text"]


async def test_what_cannot_be_used_is_named_once(ann: Person, bot: RunningBot) -> None:
    async with bot.away():
        for content in (picture(), picture(200, 600), picture(color="red"), picture(100, 100)):
            await part(ann, "g", content)
    named = await ann.until("cannot be used")
    assert "2 of 4 photos cannot be used: too small." in named["text"]
    assert "2 photos" in (await ann.until(ASKED))["text"]
    assert await ann.answers() == []


async def test_an_album_with_one_usable_photo_is_just_a_photo(ann: Person, bot: RunningBot) -> None:
    async with bot.away():
        for content in (picture(200, 600), picture(color="red")):
            await part(ann, "g", content)
    await ann.until("1 of 2")
    await ann.until(TEMPLATE)
    (card,) = await to_confirm(ann)
    offer = (await draft_of(bot, ann, card)).offer
    assert (offer.photo.file_id, offer.views) == ((await sent_photos(ann))[1], ())


async def test_an_album_without_a_usable_photo_changes_nothing(ann: Person, bot: RunningBot) -> None:
    await ann.text("/start")
    async with bot.away():
        for _ in range(2):
            await part(ann, "g", picture(200, 200))
    await ann.until("2 of 2")
    (answer,) = await ann.text("and now?")
    assert "starts with a photo" in answer["text"]


@pytest.mark.parametrize("step", ["template", "product_text", "wishes", "own_prompt", "count"])
async def test_an_album_beside_an_open_draft_can_take_its_photos_place(
    ann: Person, step: str, tmp_path: Path
) -> None:
    (before,) = await ann.to_step(step)
    await ann.album(tmp_path, 3)
    await ann.until(REPLACE)
    (asked,) = await ann.press("Replace")
    assert ASKED in asked["text"]
    (after,) = await ann.press("One product")
    assert after["text"] == before["text"]


async def test_an_album_for_a_new_order_drops_the_open_one(
    ann: Person, bot: RunningBot, tmp_path: Path
) -> None:
    (old,) = await ann.to_step("confirm")
    await ann.album(tmp_path, 2)
    await ann.until(REPLACE)
    await ann.press("New order")
    (template,) = await ann.press("Several products")
    assert TEMPLATE in template["text"]
    assert len(await to_confirm(ann)) == 2
    await ann.press_data(button_data(old, "Generate"))
    assert bot.starts.started == []


@pytest.mark.parametrize(("answer", "count"), [("One product", 1), ("Several products", 3)])
async def test_at_the_confirm_step_the_brief_is_kept(
    ann: Person, bot: RunningBot, tmp_path: Path, answer: str, count: int
) -> None:
    await ann.to_step("wishes")
    await ann.text("On a beach")
    (old,) = await ann.press("3")
    await ann.album(tmp_path, 3)
    await ann.until(REPLACE)
    await ann.press("Replace")
    new = await ann.press(answer)
    assert len(new) == count
    for card in new:
        assert "Wishes: On a beach" in card["text"]
        assert "3 videos" in card["text"]
    stale, *_ = await ann.press_data(button_data(old, "Generate"))
    assert "older card" in stale["text"]
    assert bot.starts.started == []


async def test_another_photo_may_be_an_album(ann: Person, bot: RunningBot, tmp_path: Path) -> None:
    (card,) = await ann.to_step("confirm")
    await ann.press("Generate")
    order_id = button_data(card, "Generate").split(":")[1]
    await ann.press_data(Button("", Action.ANOTHER_PHOTO, order_id).callback_data)
    await ann.album(tmp_path, 2)
    await ann.until(ASKED)
    (again,) = await ann.press("One product")
    assert "Photos: 2" in again["text"]
    assert len((await draft_of(bot, ann, again)).offer.views) == 1


async def test_an_album_is_answered_once_even_if_the_bot_or_an_update_comes_again(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    await ann.text("/start")
    sent = await http.post(
        f"/control/users/{ann.id}/album",
        json={"paths": [str(path) for path in _files(tmp_path)]},
    )
    await ann.settled()
    await bot.stop()  # collected, not answered
    bot.start()
    await ann.until(ASKED)
    for update_id in sent.json()["update_ids"]:
        await http.post("/control/updates/repeat", json={"update_id": update_id})
    await ann.settled()
    assert await ann.answers() == []


def _files(folder: Path) -> list[Path]:
    for name in ("a", "b"):
        (folder / name).write_bytes(picture())
    return [folder / "a", folder / "b"]


async def test_the_answer_counts_once(ann: Person, tmp_path: Path) -> None:
    await ann.album(tmp_path, 2)
    asked = await ann.until(ASKED)
    await ann.press("One product")
    for label in ("One product", "Several products"):
        stale, _ = await ann.press(label, message_id=asked["message_id"])
        assert "older card" in stale["text"]


async def test_the_caption_of_an_album_is_the_product_text(ann: Person, tmp_path: Path) -> None:
    await ann.album(tmp_path, 2, caption="A blue mug")
    await ann.until(ASKED)
    await ann.press("Several products")
    (wishes,) = await ann.press("UGC")
    assert "Any wishes" in wishes["text"]
    await ann.press("Skip")
    for card in await ann.press("1"):
        assert "Product: A blue mug" in card["text"]


@pytest.mark.parametrize(
    ("answer", "texts"),
    [("One product", ["A mug\nA lamp"]), ("Several products", ["A mug", "", "A lamp"])],
)
async def test_captions_of_several_parts(ann: Person, bot: RunningBot, answer: str, texts: list[str]) -> None:
    for caption in ("A mug", "", "A lamp"):
        await part(ann, "g", picture(), caption)
    await ann.until(ASKED)
    await ann.press(answer)
    await ann.press("UGC")
    await ann.press("Skip")
    drafts = [await draft_of(bot, ann, card) for card in await ann.press("1")]
    assert [draft.offer.brief.product_text for draft in drafts] == texts


async def test_captions_that_are_too_long_together_are_said_once(ann: Person) -> None:
    for letter in "ab":
        await part(ann, "g", picture(), letter * 1_000)
    await ann.until(ASKED)
    said, template = await ann.press("One product")
    assert str(BRIEF_TEXT_CHARS_MAX) in said["text"]
    assert TEMPLATE in template["text"]
    (product,) = await ann.press("UGC")
    assert "What is the product" in product["text"]


async def test_picture_files_come_as_an_album_too(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    photos = [Photo("one", "one-unique"), Photo("two", "two-unique")]
    await ann.text("/start")
    messages = [
        {
            "message_id": 9_000 + number,
            "date": 1,
            "chat": {"id": ann.id, "type": "private", "first_name": "Ann"},
            "from": {"id": ann.id, "is_bot": False, "first_name": "Ann", "language_code": "en"},
            "media_group_id": "files",
            "document": {
                "file_id": photo.file_id,
                "file_unique_id": photo.unique_id,
                "file_name": ("a.png", "b.heic")[number],
                "mime_type": ("image/png", "image/heic")[number],
            },
        }
        for number, photo in enumerate(photos)
    ]
    async with bot.away():
        for message in messages:
            await http.post("/control/updates", json={"update": {"message": message}})
    named = await ann.until("cannot be used")  # the first file is none that Telegram knows
    assert "2 of 2" in named["text"]
    assert "no longer in Telegram" in named["text"]
    assert "HEIC" in named["text"]
