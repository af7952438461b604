"""Whatever nobody else took: every input of a person gets an answer."""

from typing import Final

from aiogram import F, Router
from aiogram.enums import ContentType
from aiogram.types import CallbackQuery, Message

from bot.screens import hint, stale
from bot.turn import Turn

_SENTENCES: Final[dict[str, str]] = {
    ContentType.VOICE: "unsupported-voice",
    ContentType.AUDIO: "unsupported-voice",
    ContentType.VIDEO: "unsupported-video",
    ContentType.VIDEO_NOTE: "unsupported-video",
    ContentType.STORY: "unsupported-video",
    ContentType.ANIMATION: "unsupported-gif",
    ContentType.STICKER: "unsupported-sticker",
    ContentType.DICE: "unsupported-sticker",
    ContentType.LOCATION: "unsupported-place",
    ContentType.VENUE: "unsupported-place",
    ContentType.CONTACT: "unsupported-contact",
    ContentType.POLL: "unsupported-poll",
}
# What Telegram itself writes into a private chat: nobody waits for an answer to it.
_SERVICE: Final = frozenset(
    {
        ContentType.PINNED_MESSAGE,
        ContentType.MESSAGE_AUTO_DELETE_TIMER_CHANGED,
        ContentType.CHAT_BACKGROUND_SET,
        ContentType.WRITE_ACCESS_ALLOWED,
        ContentType.CONNECTED_WEBSITE,
        ContentType.USERS_SHARED,
        ContentType.USER_SHARED,
        ContentType.CHAT_SHARED,
        ContentType.WEB_APP_DATA,
        ContentType.GIFT,
        ContentType.UNIQUE_GIFT,
        ContentType.GIFT_UPGRADE_SENT,
        ContentType.BOOST_ADDED,
        ContentType.PASSPORT_DATA,
        ContentType.PROXIMITY_ALERT_TRIGGERED,
        ContentType.CHECKLIST_TASKS_ADDED,
        ContentType.CHECKLIST_TASKS_DONE,
        ContentType.POLL_OPTION_ADDED,
        ContentType.POLL_OPTION_DELETED,
        ContentType.SUCCESSFUL_PAYMENT,
        ContentType.REFUNDED_PAYMENT,
        ContentType.NEW_CHAT_MEMBERS,
        ContentType.LEFT_CHAT_MEMBER,
        ContentType.NEW_CHAT_TITLE,
        ContentType.NEW_CHAT_PHOTO,
        ContentType.DELETE_CHAT_PHOTO,
        ContentType.MANAGED_BOT_CREATED,
    }
)


def router() -> Router:
    router = Router(name="fallback")
    router.message.register(service_message, F.content_type.in_(_SERVICE))
    router.message.register(other_message)
    router.callback_query.register(old_button)
    return router


async def service_message(_: Message) -> None:
    """Nothing."""


async def other_message(message: Message, turn: Turn) -> None:
    await hint(turn, _SENTENCES.get(message.content_type, "unsupported-input"))


async def old_button(_: CallbackQuery, turn: Turn) -> None:
    await stale(turn)
