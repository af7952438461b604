"""The Bot API methods that change or remove a message, and the answers to pressed buttons."""

from typing import Any, Final

from standins.telegram.args import Args
from standins.telegram.content import (
    MediaReader,
    caption_of,
    caption_part,
    content_of,
    markup_part,
    media_of,
    text_part,
    without_content,
)
from standins.telegram.errors import bad_request
from standins.telegram.model import Kept
from standins.telegram.sending import Method
from standins.telegram.world import World

Json = dict[str, Any]

_TOAST_LENGTH_MAX: Final = 200
_NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
_CAPTION_FIELDS: Final = ("caption", "caption_entities", "reply_markup", "show_caption_above_media")


class Editing:
    def __init__(self, world: World, media: MediaReader) -> None:
        self._world = world
        self._media = media

    def methods(self) -> dict[str, Method]:
        return {
            "editMessageText": self._edit_text,
            "editMessageCaption": self._edit_caption,
            "editMessageMedia": self._edit_media,
            "editMessageReplyMarkup": self._edit_reply_markup,
            "deleteMessage": self._delete_message,
            "deleteMessages": self._delete_messages,
            "answerCallbackQuery": self._answer_callback_query,
        }

    async def _edit_text(self, args: Args) -> Json:
        kept = self._editable(args)
        if "text" not in kept.body:
            raise bad_request("there is no text in the message to edit")
        return self._change(kept, without_content(kept.body) | text_part(args) | markup_part(args))

    async def _edit_caption(self, args: Args) -> Json:
        kept = self._editable(args)
        if not media_of(kept.body):
            raise bad_request("there is no caption in the message to edit")
        rest = {key: value for key, value in kept.body.items() if key not in _CAPTION_FIELDS}
        return self._change(kept, rest | caption_of(args) | markup_part(args))

    async def _edit_media(self, args: Args) -> Json:
        kept = self._editable(args)
        media = args.json("media")
        if not isinstance(media, dict):
            raise bad_request("can't parse InputMedia: media expected as Object")
        part = await self._media_part(args, media)
        kept = self._editable(args)  # reading a film takes a moment, and the message may be gone
        return self._change(kept, without_content(kept.body) | part | markup_part(args))

    async def _media_part(self, args: Args, media: Json) -> Json:
        kind = str(media.get("type", ""))
        if kind not in {"photo", "video", "animation", "document"}:
            raise bad_request("can't parse InputMedia: wrong type of the media")
        caption = caption_part(
            media.get("caption") or "", media.get("parse_mode") or "", media.get("caption_entities")
        )
        above = {"show_caption_above_media": True} if media.get("show_caption_above_media") else {}
        return await self._media.reference(args, str(media.get("media", "")), kind) | caption | above

    async def _edit_reply_markup(self, args: Args) -> Json:
        kept = self._editable(args)
        rest = {key: value for key, value in kept.body.items() if key != "reply_markup"}
        return self._change(kept, rest | markup_part(args, may_pay="invoice" in kept.body))

    async def _delete_message(self, args: Args) -> bool:
        chat = self._world.reachable(args.text("chat_id"))
        found = self._world.find(chat.id, args.integer("message_id"))
        if found is None:
            raise bad_request("message to delete not found")
        self._world.delete_message(found)
        return True

    async def _delete_messages(self, args: Args) -> bool:
        chat = self._world.reachable(args.text("chat_id"))
        for message_id in args.json("message_ids") or []:
            found = self._world.find(chat.id, int(message_id))
            if found:
                self._world.delete_message(found)
        return True

    async def _answer_callback_query(self, args: Args) -> bool:
        query = self._world.answerable_query(args.text("callback_query_id"))
        text = args.text("text")
        if len(text) > _TOAST_LENGTH_MAX:
            raise bad_request("MESSAGE_TOO_LONG")
        self._world.add_toast(query, text, args.text("url"), show_alert=args.flag("show_alert"))
        return True

    def _editable(self, args: Args) -> Kept:
        if args.has("inline_message_id"):
            raise bad_request("MESSAGE_ID_INVALID")
        chat = self._world.reachable(args.text("chat_id"))
        if not args.integer("message_id"):
            raise bad_request("message identifier is not specified")
        found = self._world.find(chat.id, args.integer("message_id"))
        if found is None:
            raise bad_request("message to edit not found")
        if not found.from_bot or "forward_origin" in found.body:
            raise bad_request("message can't be edited")
        return found

    def _change(self, kept: Kept, body: Json) -> Json:
        if content_of(kept.body) == content_of(body):
            raise bad_request(_NOT_MODIFIED)
        return self._world.change_message(kept, body).body
