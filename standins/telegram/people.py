"""What a person does in the chat. The page and /control call the same functions."""

import asyncio
import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from standins.telegram.content import TEXT_LENGTH_MAX, media_of
from standins.telegram.entities import plain, utf16_length
from standins.telegram.errors import UserError
from standins.telegram.files import FileStore
from standins.telegram.forwarding import forwarded, is_forwardable
from standins.telegram.mailbox import Mailbox
from standins.telegram.media import film_facts
from standins.telegram.model import Kept, User
from standins.telegram.samples import as_mute_film, sample_film, sample_sticker
from standins.telegram.world import World, chat_instance

Json = dict[str, Any]

_SILENCE: Final = b"OggS" + bytes(1_020)
_WORDS: Final = {"text", "entities", "caption", "caption_entities"}
_LANGUAGE: Final = re.compile(r"(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)?")


@dataclass(frozen=True, slots=True)
class Press:
    """Which button: of one message or of the newest that has it; by its data or a part of its label."""

    message_id: int = 0
    callback_data: str = ""
    label: str = ""
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    message_ids: tuple[int, ...]
    update_ids: tuple[int, ...]


class People:
    def __init__(self, world: World, files: FileStore, mailbox: Mailbox) -> None:
        self._world = world
        self._files = files
        self._mailbox = mailbox

    # -- messages

    def text(self, user_id: int, text: str, reply_to_message_id: int = 0) -> Sent:
        """A text that is too long for one message goes out as several, as Telegram's apps send it."""
        if not text.strip():
            raise UserError("the text is empty")
        reply = self._reply(user_id, reply_to_message_id)
        parts = []
        for part in split_text(text):
            whole = plain(part)
            entities = {"entities": whole.entities} if whole.entities else {}
            parts.append({"text": whole.text, **entities, **reply})
        return self._say(user_id, *parts)

    async def photo(self, user_id: int, content: bytes, caption: str = "", media_group_id: str = "") -> Sent:
        group = {"media_group_id": media_group_id} if media_group_id else {}
        return self._say(user_id, await self._photo_part(content) | _caption(caption) | group)

    async def album(self, user_id: int, contents: list[bytes], caption: str = "") -> Sent:
        """Each photo is a message of its own; the first carries the caption."""
        group = {"media_group_id": str(secrets.randbelow(10**16) + 10**16)}
        photos = [await self._photo_part(content) | group for content in contents]
        return self._say(user_id, photos[0] | _caption(caption), *photos[1:])

    async def document(
        self, user_id: int, content: bytes, name: str, mime_type: str, caption: str = ""
    ) -> Sent:
        attachment = await self._files.keep_document(content, name, mime_type)
        return self._say(user_id, attachment | _caption(caption))

    async def video(self, user_id: int, content: bytes, name: str, caption: str = "") -> Sent:
        if await asyncio.to_thread(film_facts, content) is None:
            raise UserError("this is no video")
        return self._say(
            user_id, await self._files.keep("video", content, name, "video/mp4") | _caption(caption)
        )

    def voice(self, user_id: int, duration_seconds: int) -> Sent:
        return self._say(user_id, self._files.keep_voice(_SILENCE, duration_seconds))

    def location(self, user_id: int, latitude: float, longitude: float) -> Sent:
        return self._say(user_id, {"location": {"latitude": latitude, "longitude": longitude}})

    async def gif(self, user_id: int, content: bytes, name: str = "", caption: str = "") -> Sent:
        """Telegram's apps make a film without sound of every GIF."""
        film = await asyncio.to_thread(as_mute_film, content) if content else sample_film()
        name = f"{name or 'animation.gif'}.mp4"
        return self._say(user_id, await self._files.keep("animation", film, name) | _caption(caption))

    def sticker(self, user_id: int, emoji: str = "👍") -> Sent:
        return self._say(user_id, self._files.keep_sticker(sample_sticker(), emoji))

    def contact(self, user_id: int, phone_number: str) -> Sent:
        user = self._world.user(user_id)
        shown = {"phone_number": phone_number, "first_name": user.first_name, "user_id": user_id}
        return self._say(user_id, {"contact": shown})

    def other(self, user_id: int, content: Json) -> Sent:
        """Any other part of a Message, as it is: a sticker, a contact, a poll."""
        return self._say(user_id, content)

    # -- what is there already

    def edit(self, user_id: int, message_id: int, text: str) -> int:
        """A text or a caption of one's own; the id of the update."""
        self._able(user_id)
        kept = self._found(user_id, message_id)
        if kept.from_bot or "forward_origin" in kept.body:
            raise UserError("only a message of one's own can be edited", HTTPStatus.CONFLICT)
        rest = {key: value for key, value in kept.body.items() if key not in _WORDS}
        body = rest | _rewritten(kept.body, text)
        if body == kept.body:
            raise UserError("nothing has changed", HTTPStatus.CONFLICT)
        changed = self._world.change_message(kept, body)
        return self._mailbox.post("edited_message", user_id, changed.body)

    def forward(self, user_id: int, message_id: int, from_user_id: int = 0) -> Sent:
        """A message of this chat, or of somebody else's, into this chat."""
        source = self._found(self._world.user(from_user_id or user_id).id, message_id)
        if not is_forwardable(source):
            raise UserError("this message cannot be forwarded", HTTPStatus.CONFLICT)
        sent = self._say(user_id, forwarded(source, self._world.memory))
        self._found(user_id, sent.message_ids[0]).invoice_id = source.invoice_id
        return sent

    def _found(self, user_id: int, message_id: int) -> Kept:
        found = self._world.find(user_id, message_id)
        if found is None:
            raise UserError("there is no such message", HTTPStatus.NOT_FOUND)
        return found

    async def _photo_part(self, content: bytes) -> Json:
        return await self._files.keep_photo(content)

    def _say(self, user_id: int, *parts: Json) -> Sent:
        user = self._able(user_id)
        user.has_started = True
        kept = [self._world.add_message(user, part, from_bot=False) for part in parts]
        updates = [self._mailbox.post("message", user_id, each.body) for each in kept]
        return Sent(tuple(each.message_id for each in kept), tuple(updates))

    def _able(self, user_id: int) -> User:
        user = self._world.user(user_id)
        if user.has_blocked:
            raise UserError("the user has blocked the bot; unblock it first", HTTPStatus.CONFLICT)
        return user

    def _reply(self, user_id: int, message_id: int) -> Json:
        found = self._world.find(user_id, message_id)
        if found is None:
            return {}
        return {"reply_to_message": {key: found.body[key] for key in found.body if key != "reply_to_message"}}

    # -- buttons

    def press(self, user_id: int, press: Press) -> tuple[str, int]:
        """The ids of the callback query and of its update."""
        user = self._able(user_id)
        kept, data = self._pressed(user_id, press)
        query = self._world.add_callback_query(user, kept.message_id, data)
        payload = {
            "id": query.id,
            "from": user.shown(),
            "message": kept.body,
            "chat_instance": chat_instance(user_id),
            "data": data,
        }
        return query.id, self._mailbox.post("callback_query", user_id, payload)

    def _pressed(self, user_id: int, press: Press) -> tuple[Kept, str]:
        if press.is_stale:
            return self._stale(user_id, press)
        for kept in reversed(self._world.chat_messages(user_id)):
            if kept.deleted or press.message_id not in {0, kept.message_id}:
                continue
            for button in _buttons(kept):
                if _is_meant(button, press):
                    return kept, button["callback_data"]
        wanted = press.callback_data or press.label or "any"
        raise UserError(f"no message has this button: {wanted}", HTTPStatus.NOT_FOUND)

    def _stale(self, user_id: int, press: Press) -> tuple[Kept, str]:
        """A tap on what an old screen still showed: the button may be gone by now."""
        return self._found(user_id, press.message_id), press.callback_data

    # -- the bot as such

    def block(self, user_id: int, *, edits_pass: bool = False) -> int:
        user = self._world.user(user_id)
        if user.has_blocked:
            return 0
        user.edits_pass = edits_pass
        return self._set_blocked(user, is_blocked=True)

    def unblock(self, user_id: int) -> int:
        user = self._world.user(user_id)
        return self._set_blocked(user, is_blocked=False) if user.has_blocked else 0

    def _set_blocked(self, user: User, *, is_blocked: bool) -> int:
        user.has_blocked = is_blocked
        user.times_blocked += is_blocked
        self._world.next_event(user.id)
        bot = self._world.memory.bot.shown()
        member = {"user": bot, "status": "member"}
        kicked = {"user": bot, "status": "kicked", "until_date": 0}
        payload = {
            "chat": user.chat(),
            "from": user.shown(),
            "date": self._world.unix_now(),
            "old_chat_member": member if is_blocked else kicked,
            "new_chat_member": kicked if is_blocked else member,
        }
        return self._mailbox.post("my_chat_member", user.id, payload)

    def speak(self, user_id: int, language_code: str) -> None:
        """The language of his Telegram from now on; none is possible too."""
        if not _LANGUAGE.fullmatch(language_code):
            raise UserError("a language code looks like ru, or pt-br")
        self._world.user(user_id).language_code = language_code
        self._world.next_event(user_id)

    def expire_queries(self, user_id: int) -> int:
        waiting = self._world.waiting_queries(user_id)
        for query in waiting:
            query.expired = True
        self._world.next_event(user_id)
        return len(waiting)

    def read(self, user_id: int) -> None:
        user = self._world.user(user_id)
        user.read_message_id = self._world.memory.last_message_id
        self._world.next_event(user_id)


def split_text(text: str) -> list[str]:
    """Cut at the last white space that fits, else in the middle of a word."""
    parts = []
    rest = text.strip()
    while utf16_length(rest) > TEXT_LENGTH_MAX:
        head = _fitting(rest)
        cut = max(head.rfind("\n"), head.rfind(" "))
        cut = cut if cut > 0 else len(head)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def _fitting(text: str) -> str:
    units = text.encode("utf-16-le")[: TEXT_LENGTH_MAX * 2]
    return units.decode("utf-16-le", errors="ignore")


def _rewritten(body: Json, text: str) -> Json:
    if "text" not in body:
        if not media_of(body):
            raise UserError("there is neither text nor caption in this message", HTTPStatus.CONFLICT)
        return _caption(text)
    if not text.strip() or utf16_length(text) > TEXT_LENGTH_MAX:
        raise UserError("a text has 1 to 4096 characters")
    whole = plain(text.strip())
    return {"text": whole.text} | ({"entities": whole.entities} if whole.entities else {})


def _caption(text: str) -> Json:
    if not text.strip():
        return {}
    whole = plain(text.strip())
    entities = {"caption_entities": whole.entities} if whole.entities else {}
    return {"caption": whole.text, **entities}


def _buttons(kept: Kept) -> list[Json]:
    rows = kept.body.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in rows for button in row if "callback_data" in button]


def _is_meant(button: Json, press: Press) -> bool:
    if press.callback_data:
        return bool(button["callback_data"] == press.callback_data)
    return press.label.casefold() in button["text"].casefold()
