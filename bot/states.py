"""The questions of the dialog. No state at all: there is no open draft."""

from typing import Final

from aiogram.fsm.state import State, StatesGroup


class Step(StatesGroup):
    photo = State()
    template = State()
    product_text = State()
    wishes = State()
    own_prompt = State()
    count = State()
    confirm = State()
    change = State()  # one part of a confirm card is asked for


TEXT_STEPS: Final = (Step.product_text, Step.wishes, Step.own_prompt)


def step_named(name: str | None) -> State | None:
    """None for no state, and for one an older version wrote."""
    return next((state for state in Step.__states__ if state.state == name), None)
