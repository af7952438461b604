"""Texts that answer a question of the dialog."""

from dataclasses import replace
from typing import Any, Final

from aiogram.fsm.state import State

from bot.changes import change_text
from bot.dialog import CUT_PART_UNITS, Burst, Part
from bot.questions import question
from bot.screens import ask
from bot.states import Step, step_named
from bot.turn import Turn
from bot.words import cleaned, utf16_units
from domain.orders import BRIEF_TEXT_CHARS_MAX
from texts import cards

_FIELDS: Final[dict[State, str]] = {
    Step.product_text: "product_text",
    Step.wishes: "wishes",
    Step.own_prompt: "own_prompt",
}
_NEXT: Final[dict[State, State]] = {
    Step.product_text: Step.wishes,
    Step.wishes: Step.count,
    Step.own_prompt: Step.count,
}
_CHANGED_TEXTS: Final = (Part.PRODUCT, Part.WISHES, Part.PROMPT)


async def receive_text(turn: Turn, text: str, message_id: int) -> bool:
    """False: it answers no open question, and is not the rest of an earlier text either."""
    words = cleaned(text)
    burst = turn.dialog.data.burst
    if burst is not None and _follows(turn, burst, message_id):
        await _append(turn, burst, words)
        return True
    if not _asks_for_text(turn) or not words:
        return False
    await answer(turn, words, message_id)
    return True


async def answer(turn: Turn, words: str, message_id: int) -> None:
    """The open question is for a text, and this is it."""
    step = turn.dialog.step
    burst = _burst(turn, step, words, message_id)
    if len(words) > BRIEF_TEXT_CHARS_MAX:
        await _refuse(turn, step, burst)
    elif step in _FIELDS:
        await turn.dialog.move(_NEXT[step], {**_said(turn, step, words, message_id), "burst": burst})
        sent = await turn.say(question(turn))
        await _remember_answer(turn, sent.message_id)
    else:
        await change_text(turn, words, message_id)


async def skip(turn: Turn) -> None:
    """The question stays empty."""
    step = turn.dialog.step
    if step is not None:
        await turn.dialog.move(_NEXT[step], {**_said(turn, step, "", None), "burst": None})
        await ask(turn)


async def pass_over_rest(turn: Turn, text: str) -> None:
    """A long text nobody asked for was answered; its other parts are not answered one by one."""
    if utf16_units(text) in CUT_PART_UNITS:
        burst = _burst(turn, turn.dialog.step, text, 0)
        await turn.dialog.keep({"burst": burst.model_copy(update={"refused": True})})


def corrects_refused(turn: Turn, message_id: int) -> bool:
    """The text that was too long for the open question, edited now."""
    burst = turn.dialog.data.burst
    if burst is None or not burst.refused or not _asks_for_text(turn):
        return False
    return burst.message_id == message_id and step_named(burst.step) is turn.dialog.step


async def _append(turn: Turn, burst: Burst, words: str) -> None:
    """Silently: the first part was answered, and one answer per text is enough."""
    longer = burst.model_copy(update={"at": _now(turn), "part_units": utf16_units(words)})
    step = step_named(burst.step)
    if burst.refused or step is None:
        await turn.dialog.keep({"burst": longer})
        return
    joined = f"{getattr(turn.dialog.data, _FIELDS[step])}\n{words}"
    if len(joined) > BRIEF_TEXT_CHARS_MAX:
        await _refuse(turn, step, longer)
        return
    # A text of several messages is not followed by an edit of one of them.
    await turn.dialog.keep({**_said(turn, step, joined, None), "burst": longer})


async def _refuse(turn: Turn, step: State | None, burst: Burst) -> None:
    """The question opens again, and the rest of the text is passed over."""
    emptied = _said(turn, step, "", None) if step in _FIELDS else {}
    refused = burst.model_copy(update={"refused": True})
    await turn.dialog.move(step, {**emptied, "burst": refused})
    sent = await turn.say(cards.text_too_long(turn.language))
    await _remember_answer(turn, sent.message_id)


async def _remember_answer(turn: Turn, message_id: int) -> None:
    burst = turn.dialog.data.burst
    if burst is not None:
        answered = burst.model_copy(update={"answer_id": message_id, "at": _now(turn)})
        await turn.dialog.keep({"burst": answered})


def _asks_for_text(turn: Turn) -> bool:
    return turn.dialog.step in _FIELDS or turn.dialog.changed_part in _CHANGED_TEXTS


def _said(turn: Turn, step: State | None, words: str, message_id: int | None) -> dict[str, Any]:
    """What the dialog knows once this question is answered."""
    field = _FIELDS[step] if step is not None else ""
    return {field: words, "messages": replace(turn.dialog.data.messages, **{field: message_id})}


def _follows(turn: Turn, burst: Burst, message_id: int) -> bool:
    """The dialog still stands where the earlier part left it."""
    answered = step_named(burst.step)
    standing = answered if burst.refused or answered is None else _NEXT[answered]
    return turn.dialog.step is standing and burst.goes_on(_now(turn), message_id)


def _burst(turn: Turn, step: State | None, words: str, message_id: int) -> Burst:
    name = step.state if step else None
    return Burst(step=name or "", part_units=utf16_units(words), at=_now(turn), message_id=message_id)


def _now(turn: Turn) -> float:
    return turn.parts.clock().timestamp()
