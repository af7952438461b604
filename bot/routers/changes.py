"""Any answer changed from the confirm card, and answers that were edited in the chat."""

from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, Message

from bot.changes import (
    apply,
    ask_for,
    change_style,
    change_text,
    leave_as_it_is,
    parts_of,
    show_change,
)
from bot.dialog import Part
from bot.edits import take_edit
from bot.filters import Pressed
from bot.questions import offered_templates, prices_by_seconds
from bot.screens import buying_draft, stale
from bot.states import Step
from bot.turn import Turn
from bot.words import cleaned
from domain.actions import Action
from domain.orders import VIDEO_COUNTS, Template, VideoOptions
from domain.video_options import aspect_ratio_of, offered_ratios

_COUNTS = {str(count): count for count in VIDEO_COUNTS}
_SKIPPED = {"product": Part.PRODUCT, "wishes": Part.WISHES}
_PARTS = {part.value: part for part in Part}


def router() -> Router:
    router = Router(name="changes")
    router.callback_query.register(change, Pressed(Action.CHANGE))
    router.callback_query.register(change_part, Pressed(Action.CHANGE_PART))
    changing = StateFilter(Step.change)
    router.callback_query.register(choose_style, Pressed(Action.TEMPLATE), changing)
    router.callback_query.register(skip_text, Pressed(Action.SKIP), changing)
    router.callback_query.register(choose_count, Pressed(Action.COUNT), changing)
    router.callback_query.register(choose_format, Pressed(Action.FORMAT), changing)
    router.callback_query.register(choose_seconds, Pressed(Action.SECONDS), changing)
    router.edited_message.register(edited, F.text | F.caption | F.photo)
    return router


async def change(_: CallbackQuery, turn: Turn, argument: str) -> None:
    draft = await buying_draft(turn, argument)
    if draft is None:
        await stale(turn)
        return
    await show_change(turn, draft)


async def change_part(_: CallbackQuery, turn: Turn, argument: str) -> None:
    name, draft_id = argument.partition(".")[::2]
    draft, part = await buying_draft(turn, draft_id), _PARTS.get(name)
    if draft is not None and part is Part.BACK:
        await leave_as_it_is(turn, draft)
    elif draft is not None and part in parts_of(turn, draft.offer):
        await ask_for(turn, draft, Part(part))
    else:
        await stale(turn)


async def choose_style(_: CallbackQuery, turn: Turn, argument: str) -> None:
    if turn.dialog.changed_part is not Part.STYLE or argument not in offered_templates(turn):
        await stale(turn)
        return
    await change_style(turn, Template(argument))


async def skip_text(_: CallbackQuery, turn: Turn, argument: str) -> None:
    if _SKIPPED.get(argument) is not turn.dialog.changed_part:
        await stale(turn)
        return
    await change_text(turn, "", None)


async def choose_count(_: CallbackQuery, turn: Turn, argument: str) -> None:
    if turn.dialog.changed_part is not Part.COUNT or argument not in _COUNTS:
        await stale(turn)
        return
    await apply(turn, lambda old: replace(old, video_count=_COUNTS[argument]))


async def choose_format(_: CallbackQuery, turn: Turn, argument: str) -> None:
    ratio = aspect_ratio_of(argument)
    offered = ("", *offered_ratios(turn.parts.shop.video_models))
    if turn.dialog.changed_part is not Part.FORMAT or ratio is None or ratio not in offered:
        await stale(turn)
        return
    await apply(turn, lambda old: replace(old, options=VideoOptions(ratio, old.options.seconds)))


async def choose_seconds(_: CallbackQuery, turn: Turn, argument: str) -> None:
    change = turn.dialog.data.change
    offered = {
        str(each): each for each in prices_by_seconds(turn, change.options.aspect_ratio if change else "")
    }
    if turn.dialog.changed_part is not Part.SECONDS or argument not in offered:
        await stale(turn)
        return
    seconds = offered[argument]
    await apply(turn, lambda old: replace(old, options=VideoOptions(old.options.aspect_ratio, seconds)))


async def edited(message: Message, turn: Turn) -> None:
    words = cleaned(message.text or message.caption or "")
    if words or message.photo:
        await take_edit(turn, message.message_id, words)
