"""What is not for us: a kind answer where a person is behind it, and nothing changes."""

from typing import Any

import pytest

from domain.actions import Action
from domain.orders import VideoState
from standins.movie import MovieOrder, make_movie, open_photo
from tests.bot.chat import Person, RunningBot, button_data, labels, picture

OURS = "This comes from me"
WISHES = "Any wishes"


def id_of(card: dict[str, Any]) -> str:
    return button_data(card, "Generate").split(":")[1]


async def post(person: Person, update: dict[str, Any]) -> list[dict[str, Any]]:
    (await person.http.post("/control/updates", json={"update": update})).raise_for_status()
    return await person.answers()


def message(person: Person, **content: Any) -> dict[str, Any]:
    sender = {"id": person.id, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    chat = {"id": person.id, "type": "private", "first_name": "Ann"}
    return {"message_id": 9_000, "date": 1, "chat": chat, "from": sender, **content}


async def goes_on(person: Person) -> None:
    """The dialog still waits for the wishes, and takes them."""
    (count,) = await person.text("On a beach")
    assert "How many" in count["text"]
    (card,) = await person.press("1")
    assert "Product: A blue mug\nWishes: On a beach" in card["text"]


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("voice", "write it"),
        ("gif", "moves by itself"),
        ("sticker", "videos of products"),
        ("location", "no place"),
        ("contact", "no contact"),
    ],
)
async def test_what_a_person_can_send_gets_a_kind_answer(ann: Person, deed: str, said: str) -> None:
    await ann.to_step("wishes")
    await ann.do(deed)
    (answer,) = await ann.answers()
    assert said in answer["text"]
    assert WISHES in answer["text"]
    await goes_on(ann)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"video_note": {"file_id": "v", "file_unique_id": "u", "length": 9, "duration": 1}},
            "out of photos",
        ),
        ({"audio": {"file_id": "a", "file_unique_id": "u", "duration": 1}}, "write it"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "videos of products"),
        (
            {
                "poll": {
                    "id": "1",
                    "question": "?",
                    "options": [{"text": "a", "voter_count": 0, "persistent_id": "1"}],
                    "total_voter_count": 0,
                    "is_closed": False,
                    "is_anonymous": True,
                    "type": "regular",
                    "allows_multiple_answers": False,
                    "allows_revoting": False,
                    "members_only": False,
                }
            },
            "do not vote",
        ),
        (
            {"venue": {"location": {"latitude": 1, "longitude": 1}, "title": "t", "address": "a"}},
            "no place",
        ),
        ({"something_new": {"nobody": "knows"}}, "not this"),
    ],
)
async def test_rarer_content_gets_a_kind_answer(ann: Person, content: dict[str, Any], said: str) -> None:
    await ann.to_step("wishes")
    (answer,) = await post(ann, {"message": message(ann, **content)})
    assert said in answer["text"]
    assert WISHES in answer["text"]
    await goes_on(ann)


async def test_a_video_is_no_photo_whatever_stands_under_it(ann: Person) -> None:
    await ann.to_step("wishes")
    film = make_movie(open_photo(picture()), MovieOrder(seconds=1, sound="silent"))
    for caption in ("", "A mug", "/start"):
        await ann._upload("video", film, "v.mp4", "video/mp4", caption=caption)
        (answer,) = await ann.answers()
        assert "out of photos" in answer["text"]
    await goes_on(ann)


async def test_a_gif_is_a_document_too_and_no_picture(ann: Person) -> None:
    await ann.to_step("wishes")
    await ann.do("gif", caption="/help")
    assert "document" in str(await ann.own()) or (await ann.own())[-1]["kind"] == "animation"
    (answer,) = await ann.answers()
    assert "moves by itself" in answer["text"]
    await goes_on(ann)


@pytest.mark.parametrize(
    ("name", "mime"), [("IMG_1.HEIC", ""), ("p", "image/heic"), ("p.heif", "image/heif")]
)
async def test_heic_is_named_with_the_way_out(ann: Person, name: str, mime: str) -> None:
    await ann.to_step("wishes")
    (answer,) = await ann.document(b"\0\0\0\x18ftypheic", name, mime or "application/octet-stream")
    assert "Telegram converts it" in answer["text"]
    assert WISHES in answer["text"]
    await goes_on(ann)


@pytest.mark.parametrize(
    "content",
    [
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 86_400}},
        {"write_access_allowed": {}},
        {"chat_background_set": {"type": {"type": "wallpaper"}}},
    ],
)
async def test_what_telegram_writes_itself_is_passed_over(ann: Person, content: dict[str, Any]) -> None:
    await ann.to_step("wishes")
    assert await post(ann, {"message": message(ann, **content)}) == []
    await goes_on(ann)


async def test_a_pinned_message_is_passed_over(ann: Person) -> None:
    (card,) = await ann.to_step("wishes")
    pinned = message(ann, message_id=card["message_id"], text="Any wishes")
    assert await post(ann, {"message": message(ann, pinned_message=pinned)}) == []
    await goes_on(ann)


# -- our own cards, forwarded ---------------------------------------------------------------------


async def test_a_forwarded_card_is_not_taken_as_a_product(ann: Person) -> None:
    (card,) = await ann.to_step("confirm")
    await ann.press("Generate")
    await ann.to_step("wishes")
    await ann.do("forward", message_id=card["message_id"])
    (answer,) = await ann.answers()
    assert OURS in answer["text"]
    assert WISHES in answer["text"]
    (more,) = await ann.press("More of this product", message_id=answer["message_id"])
    assert more["kind"] == "photo"
    await goes_on(ann)


async def test_a_card_that_somebody_else_forwards_offers_nothing_of_its_owner(ann: Person) -> None:
    (card,) = await ann.to_step("confirm")
    await ann.press("Generate")
    bob = await Person.join(ann.http, 502)
    await bob.text("/start")
    await bob.do("forward", message_id=card["message_id"], from_user_id=ann.id)
    (answer,) = await bob.answers()
    assert OURS in answer["text"]
    assert "More of this product" not in " ".join(labels(answer))
    (template,) = await bob.photo()
    assert "What shall the video be?" in template["text"]


async def test_a_forwarded_video_and_a_forwarded_text_of_ours_are_no_answers(
    ann: Person, bot: RunningBot
) -> None:
    (card,) = await ann.to_step("confirm")
    await ann.press("Generate")
    film = make_movie(open_photo(picture()), MovieOrder(seconds=1, sound="silent"))
    first = f"{id_of(card)}-v1"
    await ann._upload("video", film, "v.mp4", "video/mp4")
    own = (await ann.own())[-1]
    await ann.answers()
    await bot.parts.videos.keep_file_id(first, own["media"]["file_id"])
    await bot.parts.videos.settle(first, VideoState.DELIVERED)
    (video,) = await ann.press_data(f"here:{first}")
    await ann.to_step("wishes")
    question = (await ann.messages())[-1]
    for forwarded in (video, question):
        await ann.do("forward", message_id=forwarded["message_id"])
        (answer,) = await ann.answers()
        assert OURS in answer["text"]
    await goes_on(ann)


async def test_a_forwarded_album_of_ours_is_answered_once(ann: Person, bot: RunningBot) -> None:
    await ann.to_step("wishes")
    origin = {
        "type": "user",
        "date": 1,
        "sender_user": {"id": bot.parts.bot.id, "is_bot": True, "first_name": "Bot"},
    }
    size = {"file_id": "f", "file_unique_id": "u", "width": 800, "height": 800}
    part = message(ann, photo=[size], media_group_id="g", forward_origin=origin)
    async with bot.away():
        for number in range(3):
            update = {"message": part | {"message_id": 9_000 + number}}
            await ann.http.post("/control/updates", json={"update": update})
    await ann.until(OURS)
    assert await ann.answers() == []
    await goes_on(ann)


async def test_a_photo_forwarded_from_somebody_else_is_a_photo(ann: Person) -> None:
    bob = await Person.join(ann.http, 502)
    await bob.photo(caption="A lamp")
    await ann.text("/start")
    await ann.do("forward", message_id=(await bob.own())[-1]["message_id"], from_user_id=bob.id)
    (template,) = await ann.answers()
    assert "What shall the video be?" in template["text"]
    (wishes,) = await ann.press("UGC")
    assert WISHES in wishes["text"]


# -- updates nobody asked for ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "update",
    [
        {"something_new": {"chat": {"id": 501, "type": "private"}, "text": "hello"}},
        {"poll_answer": {"poll_id": "1", "option_ids": [0], "option_persistent_ids": []}},
        {
            "channel_post": {
                "message_id": 1,
                "date": 1,
                "chat": {"id": -100, "type": "channel"},
                "text": "/start",
            }
        },
        {"message": {"message_id": 1, "date": 1, "chat": {"id": 501, "type": "private"}, "text": "/start"}},
        {"edited_message": {"message_id": 1, "date": 1, "chat": {"id": 501, "type": "private"}, "text": "x"}},
        {"message": {"text": "no message at all"}},
        {"callback_query": {"id": "1"}},
    ],
)
async def test_an_update_without_a_person_or_a_meaning_is_passed_over(
    ann: Person, update: dict[str, Any]
) -> None:
    await ann.to_step("wishes")
    assert await post(ann, update) == []
    await goes_on(ann)


def query(person: Person, **content: Any) -> dict[str, Any]:
    sender = {"id": person.id, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    return {"callback_query": {"id": "77", "from": sender, "chat_instance": "1", **content}}


async def test_a_button_without_data_is_an_old_button(ann: Person) -> None:
    await ann.to_step("wishes")
    stale, question = await post(ann, query(ann, game_short_name="chess"))
    assert "older card" in stale["text"]
    assert WISHES in question["text"]
    await goes_on(ann)


@pytest.mark.parametrize("action", list(Action))
async def test_a_button_no_keyboard_can_hold_is_an_old_button(ann: Person, action: Action) -> None:
    """A forger sends what PostgreSQL cannot even look up."""
    await ann.text("/start")
    first, _ = await ann.press_data(f"{action}:\0{'a' * 20}")
    assert "older card" in first["text"]


@pytest.mark.parametrize("has_message", [True, False])
async def test_a_button_of_a_message_that_is_too_old_still_works(
    ann: Person,
    bot: RunningBot,
    has_message: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    (card,) = await ann.to_step("confirm")
    gone = {"message_id": card["message_id"], "date": 0, "chat": {"id": ann.id, "type": "private"}}
    where = {"message": gone} if has_message else {"inline_message_id": "1"}
    await post(ann, query(ann, data=button_data(card, "Generate"), **where))
    assert bot.starts.started == [id_of(card)]


async def test_a_change_of_a_message_that_is_too_old_works(ann: Person) -> None:
    (card,) = await ann.to_step("confirm")
    gone = {"message_id": card["message_id"], "date": 0, "chat": {"id": ann.id, "type": "private"}}
    (listed,) = await post(ann, query(ann, data=button_data(card, "Change"), message=gone))
    assert "What shall be different?" in listed["text"]
