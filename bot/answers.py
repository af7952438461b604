"""Texts that answer a question of the dialog."""

import unicodedata
from typing import Final

from aiogram.fsm.state import State

from bot.dialog import CUT_PART_UNITS, Burst
from bot.screens import ask, question
from bot.states import Step, step_named
from bot.turn import Turn
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
_KEPT_CONTROLS: Final = "\n\t"


async def receive_text(turn: Turn, text: str, message_id: int) -> bool:
    """False: it answers no open question, and is not the rest of an earlier text either."""
    words = cleaned(text)
    burst = turn.dialog.data.burst
    if burst is not None and _follows(turn, burst, message_id):
        await _append(turn, burst, words)
        return True
    step = turn.dialog.step
    if step not in _FIELDS or not words:
        return False
    await _answer(turn, step, words)
    return True


async def skip(turn: Turn) -> None:
    """The question stays empty."""
    step = turn.dialog.step
    if step is not None:
        await turn.dialog.move(_NEXT[step], {_FIELDS[step]: "", "burst": None})
        await ask(turn)


async def _answer(turn: Turn, step: State, words: str) -> None:
    too_long = len(words) > BRIEF_TEXT_CHARS_MAX
    burst = _burst(turn, step, words, refused=too_long)
    if too_long:
        await _refuse(turn, step, burst)
        return
    await turn.dialog.move(_NEXT[step], {_FIELDS[step]: words, "burst": burst})
    sent = await turn.say(question(turn))
    await _remember_answer(turn, sent.message_id)


async def pass_over_rest(turn: Turn, text: str) -> None:
    """A long text nobody asked for was answered; its other parts are not answered one by one."""
    if _units(text) in CUT_PART_UNITS:
        await turn.dialog.keep({"burst": _burst(turn, turn.dialog.step, text, refused=True)})


async def _append(turn: Turn, burst: Burst, words: str) -> None:
    """Silently: the first part was answered, and one answer per text is enough."""
    longer = burst.model_copy(update={"at": _now(turn), "part_units": _units(words)})
    step = step_named(burst.step)
    if burst.refused or step is None:
        await turn.dialog.keep({"burst": longer})
        return
    joined = f"{getattr(turn.dialog.data, _FIELDS[step])}\n{words}"
    if len(joined) > BRIEF_TEXT_CHARS_MAX:
        await _refuse(turn, step, longer.model_copy(update={"refused": True}))
        return
    await turn.dialog.keep({_FIELDS[step]: joined, "burst": longer})


async def _refuse(turn: Turn, step: State, burst: Burst) -> None:
    """The question opens again, and the rest of the text is passed over."""
    await turn.dialog.move(step, {_FIELDS[step]: "", "burst": burst})
    sent = await turn.say(cards.text_too_long(turn.language))
    await _remember_answer(turn, sent.message_id)


async def _remember_answer(turn: Turn, message_id: int) -> None:
    burst = turn.dialog.data.burst
    if burst is not None:
        answered = burst.model_copy(update={"answer_id": message_id, "at": _now(turn)})
        await turn.dialog.keep({"burst": answered})


def _follows(turn: Turn, burst: Burst, message_id: int) -> bool:
    """The dialog still stands where the earlier part left it."""
    answered = step_named(burst.step)
    standing = answered if burst.refused or answered is None else _NEXT[answered]
    return turn.dialog.step is standing and burst.goes_on(_now(turn), message_id)


def _burst(turn: Turn, step: State | None, words: str, *, refused: bool) -> Burst:
    name = step.state if step else None
    return Burst(step=name or "", part_units=_units(words), at=_now(turn), refused=refused)


def cleaned(text: str) -> str:
    """PostgreSQL takes no NUL and no half characters; people write neither."""
    whole = text.encode("utf-8", errors="ignore").decode("utf-8")
    return "".join(
        sign for sign in whole if sign in _KEPT_CONTROLS or unicodedata.category(sign) != "Cc"
    ).strip()


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _now(turn: Turn) -> float:
    return turn.parts.clock().timestamp()
