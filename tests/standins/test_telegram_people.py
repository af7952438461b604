"""What people do beside writing: edit, forward, change their language, and send what no bot asked for."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from tests.standins.telegram_parts import Person, Standin, film, keyboard, picture, telegram

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with telegram(tmp_path) as running_standin:
        yield running_standin


async def refused(person: Person, deed: str, **fields: object) -> tuple[int, str]:
    answer = await person.http.post(f"/control/users/{person.id}/{deed}", json=fields)
    return answer.status_code, answer.json()["error"]


# -- edits


async def test_a_text_is_edited(standin: Standin) -> None:
    vera = await standin.person()
    (message_id,) = (await vera.does("text", text="a red bottle"))["message_ids"]
    await standin.bot.updates()
    bot = standin.bot
    edited = await vera.does("edit", message_id=message_id, text="  a green bottle, see https://a.example ")
    update = (await bot.updates())[-1]
    assert update["update_id"] == edited["update_id"]
    message = update["edited_message"]
    assert (message["message_id"], message["text"]) == (message_id, "a green bottle, see https://a.example")
    assert message["edit_date"] >= message["date"]
    assert [entity["type"] for entity in message["entities"]] == ["url"]
    shown = await vera.last_message()
    assert [version["text"] for version in shown["versions"]] == ["a red bottle", message["text"]]


async def test_a_caption_is_edited_given_and_taken(standin: Standin) -> None:
    vera = await standin.person()
    (message_id,) = (await vera.sends("photo", "p.jpg", picture()))["message_ids"]
    for text, caption in (("a bottle", "a bottle"), ("", None)):
        await vera.does("edit", message_id=message_id, text=text)
        message = (await standin.bot.updates())[-1]["edited_message"]
        assert (message.get("caption"), len(message["photo"])) == (caption, 3)


async def test_edits_nobody_can_make(standin: Standin) -> None:
    vera, olga = await standin.person("Vera"), await standin.person("Olga")
    bots = await standin.bot.call("sendMessage", chat_id=vera.id, text="hello")
    (own,) = (await vera.does("text", text="a"))["message_ids"]
    (place,) = (await vera.does("location"))["message_ids"]
    (copy,) = (await vera.does("forward", message_id=own))["message_ids"]
    foreign = (409, "only a message of one's own can be edited")
    assert await refused(vera, "edit", message_id=bots["message_id"], text="x") == foreign
    assert await refused(vera, "edit", message_id=copy, text="x") == foreign
    assert (await refused(vera, "edit", message_id=place, text="x"))[0] == 409
    assert await refused(vera, "edit", message_id=own, text="a") == (409, "nothing has changed")
    assert (await refused(vera, "edit", message_id=own, text=" "))[0] == 400
    assert (await refused(vera, "edit", message_id=own, text="x" * 4097))[0] == 400
    assert await refused(olga, "edit", message_id=own, text="x") == (404, "there is no such message")
    await vera.does("block")
    assert (await refused(vera, "edit", message_id=own, text="b"))[0] == 409


# -- forwards


async def test_a_card_of_the_bot_comes_back_without_its_buttons(standin: Standin) -> None:
    vera = await standin.person()
    bot = standin.bot
    await bot.updates()
    card = await bot.call(
        "sendPhoto",
        {"photo": ("p.jpg", picture())},
        chat_id=vera.id,
        caption="<b>Your product</b>",
        parse_mode="HTML",
        reply_markup=keyboard("Generate", "gen:1"),
    )
    await vera.does("forward", message_id=card["message_id"])
    (update,) = await bot.updates()
    message = update["message"]
    origin = message["forward_origin"]
    assert (origin["type"], origin["sender_user"]["is_bot"]) == ("user", True)
    assert origin["date"] == card["date"]
    assert (message["caption"], message["caption_entities"][0]["type"]) == ("Your product", "bold")
    assert message["photo"] == card["photo"]
    assert message["from"]["id"] == vera.id
    assert "reply_markup" not in message
    assert (await vera.last_message())["forwarded"]


async def test_a_copy_of_a_copy_names_the_first_author(standin: Standin) -> None:
    vera, olga = await standin.person("Vera"), await standin.person("Olga")
    (first,) = (await vera.does("text", text="mine"))["message_ids"]
    (second,) = (await olga.does("forward", message_id=first, from_user_id=vera.id))["message_ids"]
    await vera.does("forward", message_id=second, from_user_id=olga.id)
    message = (await standin.bot.updates())[-1]["message"]
    assert message["chat"]["id"] == vera.id
    assert message["forward_origin"]["sender_user"]["id"] == vera.id


async def test_a_forwarded_invoice_is_payable_only_without_a_start_parameter(standin: Standin) -> None:
    vera, olga = await standin.person("Vera"), await standin.person("Olga")
    bot = standin.bot
    terms = {"title": "t", "description": "d", "payload": "p", "currency": "XTR"}
    prices = [{"label": "l", "amount": 5}]
    for start_parameter, field in (("", "pay"), ("topup", "url")):
        invoice = await bot.call(
            "sendInvoice", chat_id=vera.id, prices=prices, start_parameter=start_parameter, **terms
        )
        await olga.does("forward", message_id=invoice["message_id"], from_user_id=vera.id)
        message = (await bot.updates())[-1]["message"]
        assert message["invoice"]["total_amount"] == 5
        assert field in message["reply_markup"]["inline_keyboard"][0][0]
        assert (await olga.last_message())["kind"] == "invoice"
    assert (await olga.does("pay", wait_seconds=0.1))["error_message"] == "timeout"


async def test_what_cannot_be_forwarded(standin: Standin) -> None:
    vera = await standin.person()
    closed = await standin.bot.call("sendMessage", chat_id=vera.id, text="x", protect_content=True)
    sentence = "this message cannot be forwarded"
    assert await refused(vera, "forward", message_id=closed["message_id"]) == (409, sentence)
    assert (await refused(vera, "forward", message_id=999))[0] == 404
    assert (await refused(vera, "forward", message_id=1, from_user_id=5))[0] == 404


# -- language


async def test_the_language_changes_from_the_next_update_on(standin: Standin) -> None:
    vera = await standin.person("Vera", "ru")
    await standin.bot.call("setMyCommands", commands=[{"command": "help", "description": "Help"}])
    russian = [{"command": "help", "description": "Помощь"}]
    await standin.bot.call("setMyCommands", commands=russian, language_code="ru")
    for code in ("kk", "pt-br", ""):
        await vera.does("language", language_code=code)
        await vera.does("text", text="hi")
        sender = (await standin.bot.updates())[-1]["message"]["from"]
        assert sender.get("language_code", "") == code
    shown = (await standin.http.get(f"/control/users/{vera.id}")).json()
    assert shown["commands"][0]["description"] == "Help"
    assert (await refused(vera, "language", language_code="Русский"))[0] == 400


# -- what no bot asked for


async def test_a_gif_is_an_animation_and_a_document(standin: Standin) -> None:
    vera = await standin.person()
    moving = io.BytesIO()
    frames = [Image.new("RGB", (81, 60), color) for color in ("red", "blue")]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    await vera.does("gif")
    await vera.sends("gif", "dance.gif", moving.getvalue(), "image/gif", caption="look")
    await vera.sends("gif", "mute.mp4", film("none"))
    drawn, sent, mute = [update["message"] for update in (await standin.bot.updates())[1:]]
    for message in (drawn, sent, mute):
        assert message["document"]["file_id"] == message["animation"]["file_id"]
        assert message["animation"]["mime_type"] == "video/mp4"
    assert (sent["animation"]["width"], sent["animation"]["file_name"]) == (80, "dance.gif.mp4")
    assert sent["caption"] == "look"
    assert (await vera.last_message())["kind"] == "animation"
    bad = await vera.http.post(f"/control/users/{vera.id}/gif", files={"gif": ("x.gif", b"no picture")})
    assert (bad.status_code, bad.json()["error"]) == (400, "this is neither a GIF nor an MP4")


async def test_a_heic_arrives_as_a_document(standin: Standin) -> None:
    vera = await standin.person()
    await standin.http.post(
        f"/control/users/{vera.id}/document", files={"document": ("IMG_1.HEIC", HEIC, "")}
    )
    document = (await standin.bot.updates())[-1]["message"]["document"]
    assert (document["mime_type"], document["file_name"]) == ("image/heic", "IMG_1.HEIC")
    assert "thumbnail" not in document


async def test_a_sticker_and_a_contact(standin: Standin) -> None:
    vera = await standin.person()
    await vera.does("sticker", emoji="🎉")
    await vera.does("contact")
    sticker, contact = [update["message"] for update in (await standin.bot.updates())[1:]]
    assert (sticker["sticker"]["emoji"], sticker["sticker"]["is_animated"]) == ("🎉", False)
    assert contact["contact"]["user_id"] == vera.id
    assert [message["kind"] for message in (await vera.messages())["messages"]][1:] == ["sticker", "contact"]
    found = await standin.http.get(f"/files/{sticker['sticker']['file_id']}")
    assert found.headers["content-type"] == "image/webp"
