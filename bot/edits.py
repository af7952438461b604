"""Answers that were edited in the chat: they count until Generate."""

from dataclasses import replace
from typing import Any, Final

from bot.answers import answer, corrects_refused
from bot.dialog import DialogData
from bot.screens import hint, redraw
from bot.states import Step
from bot.turn import Turn
from domain.orders import BRIEF_TEXT_CHARS_MAX
from texts import change_cards

_FIELDS: Final = ("product_text", "wishes", "own_prompt")


async def take_edit(turn: Turn, message_id: int, words: str) -> None:
    """An edit of anything that was no answer is passed over."""
    if words and _answers_open_question(turn, message_id):
        await answer(turn, words, message_id)
        return
    changes = _changes(turn.dialog.data, message_id, words)
    if len(words) > BRIEF_TEXT_CHARS_MAX and (changes or await _is_open(turn, message_id, words)):
        await turn.say(change_cards.edit_too_long(turn.language))
        return
    if changes:
        await turn.dialog.keep(changes)
        await hint(turn, "edit-taken")
    if len(words) <= BRIEF_TEXT_CHARS_MAX:
        for draft in await turn.parts.drafts.edit(turn.user.tg_user_id, message_id, words):
            await redraw(turn, draft)
    await _tell_late(turn, message_id, words)


def _answers_open_question(turn: Turn, message_id: int) -> bool:
    """A text that was too long before, or a caption while the product text is asked for."""
    if turn.dialog.step is Step.product_text and turn.dialog.data.messages.product_text == message_id:
        return True
    return corrects_refused(turn, message_id)


def _changes(data: DialogData, message_id: int, words: str) -> dict[str, Any]:
    """What an open dialog knows from this message, with the new words."""
    fields = [field for field in _FIELDS if getattr(data.messages, field) == message_id]
    wanted: dict[str, Any] = dict.fromkeys(fields, words)
    wanted["other_products"] = tuple(
        replace(each, product_text=words) if each.message_id == message_id else each
        for each in data.other_products
    )
    wanted["pending"] = tuple(
        replace(each, caption=words) if each.message_id == message_id else each for each in data.pending
    )
    return {name: value for name, value in wanted.items() if getattr(data, name) != value}


async def _is_open(turn: Turn, message_id: int, words: str) -> bool:
    held = await turn.parts.drafts.held_in(turn.user.tg_user_id, message_id, words)
    return any(not each.ordered for each in held)


async def _tell_late(turn: Turn, message_id: int, words: str) -> None:
    """Once per order: what was bought keeps its text."""
    held = await turn.parts.drafts.held_in(turn.user.tg_user_id, message_id, words)
    late = [each.draft_id for each in held if each.ordered and not each.told]
    if late:
        await turn.say(change_cards.edit_too_late(turn.language, late[-1]))
        await turn.parts.drafts.mark_late_edit_told(late)
