"""Texts that answer a question of the dialog."""

import unicodedata
from typing import Final

from aiogram.fsm.state import State

from bot.dialog import Burst
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


async def _append(turn: Turn, burst: Burst, words: str) -> None:
    """Silently: the first part was answered, and one answer per text is enough."""
    step = step_named(burst.step)
    if step is None:
        return
    longer = burst.model_copy(update={"at": _now(turn), "part_units": _units(words)})
    if burst.refused:
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
    answered = step_named(burst.step)
    if answered is None:
        return False
    standing = answered if burst.refused else _NEXT[answered]
    return turn.dialog.step is standing and burst.goes_on(_now(turn), message_id)


def _burst(turn: Turn, step: State, words: str, *, refused: bool) -> Burst:
    return Burst(step=step.state or "", part_units=_units(words), at=_now(turn), refused=refused)


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
