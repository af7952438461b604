"""What /control and the chat page read. Plain facts; the page makes nodes of them, never HTML."""

from typing import Any, Final

from standins.telegram.account import commands_for
from standins.telegram.model import Kept, Memory, User, Version
from standins.telegram.world import World

Json = dict[str, Any]

_KINDS: Final = (
    "photo",
    "video",
    "animation",
    "document",
    "voice",
    "audio",
    "video_note",
    "sticker",
    "location",
    "contact",
    "invoice",
    "successful_payment",
    "refunded_payment",
)
SPINNER_SECONDS: Final = 30.0  # Telegram's apps give up waiting too
_MEDIA_FACTS: Final = (
    "file_id",
    "file_unique_id",
    "file_size",
    "file_name",
    "mime_type",
    "width",
    "height",
    "duration",
)
_NO_CONTENT: Final = {"message_id", "from", "chat", "date", "edit_date", "reply_to_message", "media_group_id"}


def kind_of(body: Json) -> str:
    if "text" in body:
        return "text"
    known = next((kind for kind in _KINDS if kind in body), "")
    return known or next((name for name in body if name not in _NO_CONTENT), "empty")


def media_view(body: Json) -> Json | None:
    """The file of a message; of a photo its largest size."""
    part = body.get(kind_of(body))
    largest = part[-1] if isinstance(part, list) else part
    if not isinstance(largest, dict) or "file_id" not in largest:
        return None
    thumbnail = largest.get("thumbnail", {}).get("file_id", "")
    return {key: largest[key] for key in _MEDIA_FACTS if key in largest} | {"thumbnail_file_id": thumbnail}


def message_view(kept: Kept) -> Json:
    body = kept.body
    return {
        "chat_id": kept.chat_id,
        "message_id": kept.message_id,
        "event": kept.event,
        "from_bot": kept.from_bot,
        "rang": kept.rang,
        "deleted": kept.deleted,
        "date": body["date"],
        "edit_date": body.get("edit_date"),
        "kind": kind_of(body),
        "text": _text(body),
        "entities": body.get("entities", body.get("caption_entities", [])),
        "buttons": _buttons(body),
        "media": media_view(body),
        "media_group_id": body.get("media_group_id"),
        "reply_to_message_id": body.get("reply_to_message", {}).get("message_id"),
        "forwarded": "forward_origin" in body,
        "forwarded_from": body.get("forward_origin", {}).get("sender_user", {}).get("first_name", ""),
        "location": body.get("location"),
        "contact": body.get("contact"),
        "caption_above": bool(body.get("show_caption_above_media")),
        "invoice": body.get("invoice"),
        "payment": body.get("successful_payment") or body.get("refunded_payment"),
        "charge_id": kept.charge_id,
    }


def message_with_history(kept: Kept) -> Json:
    versions = [_version_view(version) for version in kept.versions]
    return {**message_view(kept), "body": kept.body, "versions": versions}


def _version_view(version: Version) -> Json:
    body = version.body
    texts = {"kind": kind_of(body), "text": _text(body), "buttons": _buttons(body)}
    return {"at": version.at.isoformat(), **texts, "media": media_view(body)}


def _text(body: Json) -> str:
    return str(body.get("text", body.get("caption", "")))


def _buttons(body: Json) -> list[list[Json]]:
    rows: list[list[Json]] = body.get("reply_markup", {}).get("inline_keyboard", [])
    return rows


def user_view(world: World, user: User) -> Json:
    messages = [kept for kept in world.chat_messages(user.id) if not kept.deleted]
    unread = [kept for kept in messages if kept.from_bot and kept.message_id > user.read_message_id]
    return {
        **user.model_dump(exclude={"event"}),
        "event": user.event,
        "typing": world.is_typing(user.id),
        "unread": len(unread),
        "message_count": len(messages),
        "last_message": message_view(messages[-1]) if messages else None,
        "bot_description": world.memory.bot.description_for(user.language_code),
        "commands": commands_for(world.memory.commands, user.id, user.language_code),
        "waiting_queries": [
            {"id": query.id, "message_id": query.message_id, "data": query.data}
            for query in world.waiting_queries(user.id, SPINNER_SECONDS)
        ],
    }


def bot_view(memory: Memory) -> Json:
    return memory.bot.model_dump() | {"webhook": memory.webhook.url}
