"""The Bot API methods that put a new message into a chat."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from standins.telegram.args import Args
from standins.telegram.content import (
    MediaReader,
    caption_of,
    caption_part,
    markup_part,
    media_of,
    reply_part,
    text_part,
)
from standins.telegram.errors import bad_request
from standins.telegram.forwarding import forwarded, is_forwardable
from standins.telegram.model import Chat, Kept
from standins.telegram.world import World

Json = dict[str, Any]
Method = Callable[[Args], Awaitable[Any]]

_ALBUM_MIN: Final = 2
_ALBUM_MAX: Final = 10
_CHAT_ACTIONS: Final = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


class Sending:
    def __init__(self, world: World, media: MediaReader) -> None:
        self._world = world
        self._media = media

    def methods(self) -> dict[str, Method]:
        return {
            "sendMessage": self._send_message,
            "sendPhoto": self._sender_of("photo"),
            "sendVideo": self._sender_of("video"),
            "sendAnimation": self._sender_of("animation"),
            "sendDocument": self._sender_of("document"),
            "sendMediaGroup": self._send_media_group,
            "copyMessage": self._copy_message,
            "forwardMessage": self._forward_message,
            "sendChatAction": self._send_chat_action,
        }

    async def _send_message(self, args: Args) -> Json:
        chat = self._world.receiver(args.text("chat_id"))
        return self.send(chat, args, text_part(args)).body

    def _sender_of(self, kind: str) -> Method:
        async def send(args: Args) -> Json:
            chat = self._world.receiver(args.text("chat_id"))
            caption = caption_of(args)
            attachment = await self._media.field(args, kind, kind)
            return self.send(chat, args, attachment | caption).body

        return send

    async def _send_media_group(self, args: Args) -> list[Json]:
        chat = self._world.receiver(args.text("chat_id"))
        items = args.json("media")
        if not isinstance(items, list) or not _ALBUM_MIN <= len(items) <= _ALBUM_MAX:
            raise bad_request("wrong number of media in the album: there must be 2-10 of them")
        parts = [await self._album_part(args, item) for item in items]
        group = {"media_group_id": str(13_000_000_000_000_000 + self._world.memory.last_event)}
        return [self.send(chat, args, part | group).body for part in parts]

    async def _album_part(self, args: Args, item: Json) -> Json:
        kind = str(item.get("type", ""))
        if kind not in {"photo", "video", "document"}:
            raise bad_request("can't use the media of the specified type in the album")
        caption = caption_part(
            item.get("caption") or "", item.get("parse_mode") or "", item.get("caption_entities")
        )
        return await self._media.reference(args, str(item.get("media", "")), kind) | caption

    async def _copy_message(self, args: Args) -> Json:
        chat = self._world.receiver(args.text("chat_id"))
        source = self._source(args, "message to copy")
        kept_names = ("text", "entities", "caption", "caption_entities", "show_caption_above_media")
        content = {key: source.body[key] for key in kept_names if key in source.body} | media_of(source.body)
        if not content:
            raise bad_request("message can't be copied")
        if args.raw("caption") is not None and "text" not in content:
            content = media_of(source.body) | caption_of(args)
        return {"message_id": self.send(chat, args, content).message_id}

    async def _forward_message(self, args: Args) -> Json:
        chat = self._world.receiver(args.text("chat_id"))
        source = self._source(args, "message to forward")
        if not is_forwardable(source):
            raise bad_request("message can't be forwarded")
        kept = self.send(chat, args, forwarded(source, self._world.memory))
        kept.invoice_id = source.invoice_id
        return kept.body

    def _source(self, args: Args, called: str) -> Kept:
        chat = self._world.known_chat(args.text("from_chat_id"))
        found = self._world.find(chat.id, args.integer("message_id"))
        if found is None:
            raise bad_request(f"{called} not found")
        return found

    async def _send_chat_action(self, args: Args) -> bool:
        chat = self._world.receiver(args.text("chat_id"))
        if args.text("action") not in _CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._world.show_typing(chat.id)
        return True

    def send(self, chat: Chat, args: Args, content: Json) -> Kept:
        """`content` with a keyboard of its own keeps it unless the call brings another."""
        may_pay = "invoice" in content and "forward_origin" not in content
        extra = markup_part(args, may_pay=may_pay) | reply_part(args, self._world, chat.id)
        if args.flag("protect_content"):
            extra["has_protected_content"] = True
        rang = not args.flag("disable_notification")
        return self._world.add_message(chat, content | extra, from_bot=True, rang=rang)
