"""Which button, as our own data says it."""

from typing import Any

from aiogram.filters import Filter
from aiogram.types import CallbackQuery

from domain.actions import Action, parse_callback_data


class Pressed(Filter):
    """Hands the handler the button's `argument`."""

    def __init__(self, action: Action) -> None:
        self._action = action

    async def __call__(self, query: CallbackQuery) -> bool | dict[str, Any]:
        parsed = parse_callback_data(query.data or "")
        if parsed is None or parsed[0] is not self._action:
            return False
        return {"argument": parsed[1]}
