"""Photos, films, documents and edits: what Telegram's servers make of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.standins.telegram_parts import TOKEN, Standin, film, keyboard, picture, telegram

NOT_MODIFIED = (
    "400 Bad Request: message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


async def test_a_photo_arrives_in_several_sizes_re_encoded(standin: Standin) -> None:
    vera = await standin.person()
    await vera.sends("photo", "bottle.png", picture(3000, 2000, kind="PNG"), caption="My bottle")
    message = (await standin.bot.updates())[-1]["message"]
    assert message["caption"] == "My bottle"
    assert [size["width"] for size in message["photo"]] == [90, 320, 800, 1280]
    assert len({size["file_unique_id"] for size in message["photo"]}) == 4
    found = await standin.bot.call("getFile", file_id=message["photo"][-1]["file_id"])
    content = (await standin.http.get(f"/file/bot{TOKEN}/{found['file_path']}")).content
    assert content.startswith(b"\xff\xd8")
    assert len(content) == found["file_size"]


async def test_a_document_stays_as_it_was_sent(standin: Standin) -> None:
    vera = await standin.person()
    original = picture(500, 500, kind="PNG")
    await vera.sends("document", "bottle.png", original, "image/png")
    document = (await standin.bot.updates())[-1]["message"]["document"]
    assert (document["file_name"], document["mime_type"]) == ("bottle.png", "image/png")
    found = await standin.bot.call("getFile", file_id=document["file_id"])
    assert (await standin.http.get(f"/file/bot{TOKEN}/{found['file_path']}")).content == original
    await standin.http.post("/control/files/expire", json={"file_id": document["file_id"]})
    assert (await standin.http.get(f"/file/bot{TOKEN}/{found['file_path']}")).status_code == 404
    as_photo = await standin.bot.refused("sendPhoto", chat_id=vera.id, photo=document["file_id"])
    assert as_photo == "400 Bad Request: can't use file of type Document as Photo"


async def test_files_too_big_to_fetch_or_to_send(standin: Standin) -> None:
    vera = await standin.person()
    await vera.sends("document", "big.bin", bytes(20 * 1024 * 1024 + 1))
    document = (await standin.bot.updates())[-1]["message"]["document"]
    assert (
        await standin.bot.refused("getFile", file_id=document["file_id"])
        == "400 Bad Request: file is too big"
    )
    upload = {"document": ("x.bin", bytes(50 * 1024 * 1024 + 1))}
    refusal = await standin.bot.refused("sendDocument", upload, chat_id=vera.id)
    assert refusal == "413 Request Entity Too Large"


async def test_photos_a_bot_may_not_send(standin: Standin) -> None:
    vera = await standin.person()
    ask = standin.bot.refused
    wide = {"photo": ("x.png", picture(9000, 1100, kind="PNG"))}
    assert await ask("sendPhoto", wide, chat_id=vera.id) == "400 Bad Request: PHOTO_INVALID_DIMENSIONS"
    text = {"photo": ("x.jpg", b"no picture")}
    assert await ask("sendPhoto", text, chat_id=vera.id) == "400 Bad Request: IMAGE_PROCESS_FAILED"
    heavy = {"photo": ("x.jpg", bytes(10 * 1024 * 1024 + 1))}
    assert "is too big for a photo" in await ask("sendPhoto", heavy, chat_id=vera.id)
    unknown = await ask("sendPhoto", chat_id=vera.id, photo="AgACAgIAAxkBnobody")
    assert unknown == "400 Bad Request: wrong file identifier/HTTP URL specified"
    long = await ask("sendPhoto", {"photo": ("x.jpg", picture())}, chat_id=vera.id, caption="x" * 1025)
    assert long == "400 Bad Request: message caption is too long"


async def test_a_mute_film_comes_back_as_an_animation(standin: Standin) -> None:
    vera = await standin.person()
    mute = await standin.bot.call("sendVideo", {"video": ("a.mp4", film("none"))}, chat_id=vera.id)
    loud = await standin.bot.call("sendVideo", {"video": ("a.mp4", film("tone"))}, chat_id=vera.id)
    assert mute["animation"]["file_id"] == mute["document"]["file_id"]
    assert "video" not in mute
    assert (loud["video"]["width"], loud["video"]["height"], loud["video"]["mime_type"]) == (
        240,
        320,
        "video/mp4",
    )
    again = await standin.bot.call("sendVideo", chat_id=vera.id, video=loud["video"]["file_id"])
    assert again["video"] == loud["video"]


async def test_an_album_is_several_messages(standin: Standin) -> None:
    vera = await standin.person()
    files = [("photo", ("1.jpg", picture(color="red"))), ("photo", ("2.jpg", picture(color="blue")))]
    await standin.http.post(f"/control/users/{vera.id}/album", files=files, data={"caption": "both"})
    first, second = [update["message"] for update in (await standin.bot.updates())[-2:]]
    assert first["media_group_id"] == second["media_group_id"]
    assert (first.get("caption"), second.get("caption")) == ("both", None)
    media = [{"type": "photo", "media": f"attach://p{n}", "caption": str(n)} for n in (1, 2)]
    uploads = {"p1": ("1.jpg", picture()), "p2": ("2.jpg", picture(color="red"))}
    sent = await standin.bot.call("sendMediaGroup", uploads, chat_id=vera.id, media=media)
    assert [message["caption"] for message in sent] == ["1", "2"]
    assert len({message["media_group_id"] for message in sent}) == 1


async def test_a_long_text_arrives_in_parts(standin: Standin) -> None:
    vera = await standin.person()
    words = "слово 🎬 " * 1_500
    await vera.does("text", text=words)
    parts = [update["message"]["text"] for update in (await standin.bot.updates())[1:]]
    assert len(parts) == 4
    assert all(len(part.encode("utf-16-le")) <= 2 * 4096 for part in parts)
    assert " ".join(parts) == words.strip()


async def test_voice_location_and_anything_else(standin: Standin) -> None:
    vera = await standin.person()
    await vera.does("voice", duration=2)
    await vera.does("location")
    await vera.does("other", contact={"phone_number": "1", "first_name": "V"})
    kinds = [message["kind"] for message in (await vera.messages())["messages"]]
    assert kinds == ["text", "voice", "location", "contact"]
    assert len(await standin.bot.updates()) == 4


# -- edits


async def test_a_placeholder_becomes_a_video_in_place(standin: Standin) -> None:
    vera = await standin.person()
    bot = standin.bot
    card = await bot.call(
        "sendPhoto",
        {"photo": ("p.jpg", picture())},
        chat_id=vera.id,
        caption="making",
        disable_notification=True,
    )
    place = {"chat_id": vera.id, "message_id": card["message_id"]}
    media = {"type": "video", "media": "attach://film", "caption": "<i>ready</i>", "parse_mode": "HTML"}
    edited = await bot.call("editMessageMedia", {"film": ("v.mp4", film())}, media=media, **place)
    assert edited["message_id"] == card["message_id"]
    assert edited["edit_date"]
    assert "photo" not in edited
    again = await bot.call("editMessageReplyMarkup", reply_markup=keyboard("More", "n:1"), **place)
    assert (again["video"], again["caption"]) == (edited["video"], "ready")
    shown = await vera.last_message()
    assert (shown["kind"], shown["rang"]) == ("video", False)
    assert [version["kind"] for version in shown["versions"]] == ["photo", "video", "video"]
    assert shown["media"]["file_size"] == len(film())


async def test_edits_telegram_would_refuse(standin: Standin) -> None:
    vera = await standin.person()
    bot = standin.bot
    text = await bot.call("sendMessage", chat_id=vera.id, text="a", reply_markup=keyboard("Go", "go"))
    place = {"chat_id": vera.id, "message_id": text["message_id"]}
    same = await bot.refused(
        "editMessageText",
        text=" <b></b>a",
        parse_mode="HTML",
        **place | {"reply_markup": keyboard("Go", "go")},
    )
    assert same == NOT_MODIFIED
    assert (
        await bot.refused("editMessageReplyMarkup", reply_markup=keyboard("Go", "go"), **place)
        == NOT_MODIFIED
    )
    caption = await bot.refused("editMessageCaption", caption="x", **place)
    assert caption == "400 Bad Request: there is no caption in the message to edit"
    photo = await bot.call("sendPhoto", {"photo": ("p.jpg", picture())}, chat_id=vera.id)
    no_text = await bot.refused("editMessageText", chat_id=vera.id, message_id=photo["message_id"], text="x")
    assert no_text == "400 Bad Request: there is no text in the message to edit"
    hers = (await vera.messages())["messages"][0]["message_id"]
    assert (
        await bot.refused("editMessageText", chat_id=vera.id, message_id=hers, text="x")
        == "400 Bad Request: message can't be edited"
    )
    await bot.call("deleteMessage", **place)
    assert (
        await bot.refused("editMessageText", text="b", **place)
        == "400 Bad Request: message to edit not found"
    )
    assert await bot.refused("deleteMessage", **place) == "400 Bad Request: message to delete not found"


async def test_an_edit_without_a_keyboard_removes_it(standin: Standin) -> None:
    vera = await standin.person()
    sent = await standin.bot.call("sendMessage", chat_id=vera.id, text="a", reply_markup=keyboard("Go", "go"))
    place = {"chat_id": vera.id, "message_id": sent["message_id"]}
    assert "reply_markup" not in await standin.bot.call("editMessageText", text="b", **place)


async def test_copies_and_forwards(standin: Standin) -> None:
    vera = await standin.person()
    bot = standin.bot
    card = await bot.call("sendPhoto", {"photo": ("p.jpg", picture())}, chat_id=vera.id, caption="one")
    source = {"chat_id": vera.id, "from_chat_id": vera.id, "message_id": card["message_id"]}
    copy = await bot.call("copyMessage", caption="two", disable_notification=True, **source)
    shown = await vera.last_message()
    assert (shown["message_id"], shown["text"], shown["rang"]) == (copy["message_id"], "two", False)
    assert shown["media"]["file_unique_id"] == card["photo"][-1]["file_unique_id"]
    assert (await bot.call("forwardMessage", **source))["forward_origin"]["type"] == "user"
    gone = await bot.refused("copyMessage", **source | {"message_id": 999})
    assert gone == "400 Bad Request: message to copy not found"
