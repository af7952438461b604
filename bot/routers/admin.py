"""The shop from the inside. For everybody else none of this exists: a command is unknown, a button old."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from aiogram import Router
from aiogram.filters import Command, CommandObject, Filter
from aiogram.types import CallbackQuery, Message

from bot import admin_deeds, admin_pages, forget
from bot.admin_pages import TG_USER_ID
from bot.commands import register_for_admin
from bot.filters import Pressed
from bot.screens import stale
from bot.turn import Turn
from bot.words import cleaned
from domain.actions import Action, Card
from domain.deeds import CREDITS_MAX, REASON_CHARS_MAX, Deed, DeedKind
from texts import admin_cards

Page = Callable[..., Awaitable[Card | None]]

_AMOUNT: Final = re.compile(rf"({TG_USER_ID})\s+([1-9][0-9]{{0,6}})\s+(\S.*)", re.DOTALL)
_CHARGE: Final = re.compile(r"(\S{1,250})(\s+forced)?")

# By name and number of arguments. The first show themselves in place of the card that was pressed.
_IN_PLACE: Final[dict[tuple[str, int], Page]] = {
    ("panel", 0): admin_pages.panel,
    ("find", 0): admin_pages.find,
    ("today", 0): admin_pages.today,
    ("today", 1): admin_pages.day,
    ("accounts", 0): admin_pages.accounts,
    ("maintenance", 1): admin_pages.maintenance,
    ("yes", 1): admin_deeds.yes,
    ("no", 1): admin_deeds.no,
}
_BELOW: Final[dict[tuple[str, int], Page]] = {
    ("grant", 1): admin_deeds.how_to_grant,
    ("take", 1): admin_deeds.how_to_take,
    ("refund", 2): admin_deeds.refund_of,
    ("force", 2): admin_deeds.forced_refund_of,
}


class IsAdmin(Filter):
    """Asked for every message and every button, whatever card the button is on: anybody may forge one."""

    async def __call__(self, _: Message | CallbackQuery, turn: Turn) -> bool:
        return turn.user.tg_user_id in turn.parts.shop.admins


def router() -> Router:
    router = Router(name="admin")
    router.message.filter(IsAdmin())
    router.callback_query.filter(IsAdmin())
    router.message.register(show_panel, Command("admin"))
    router.message.register(show_day, Command("today"))
    router.message.register(show_user, Command("user"))
    router.message.register(show_accounts, Command("accounts"))
    router.message.register(switch_maintenance, Command("maintenance"))
    router.message.register(grant, Command("grant"))
    router.message.register(take, Command("take"))
    router.message.register(refund, Command("refund"))
    router.message.register(forget_user, Command("forget"))
    router.callback_query.register(press, Pressed(Action.ADMIN))
    return router


async def show_panel(_: Message, turn: Turn) -> None:
    """His commands again: he may be new here, or speak another language by now."""
    turn.parts.background.run(register_for_admin(turn.parts, turn.user.tg_user_id))
    await turn.say(await admin_pages.panel(turn))


async def show_accounts(_: Message, turn: Turn) -> None:
    await turn.say(await admin_pages.accounts(turn))


async def show_day(_: Message, turn: Turn, command: CommandObject) -> None:
    words = _words(command)
    await _say(turn, await (admin_pages.day(turn, words) if words else admin_pages.today(turn)), "today")


async def show_user(_: Message, turn: Turn, command: CommandObject) -> None:
    await _say(turn, await admin_pages.user(turn, _words(command)), "user")


async def switch_maintenance(_: Message, turn: Turn, command: CommandObject) -> None:
    await _say(turn, await admin_pages.maintenance(turn, _words(command).lower()), "maintenance")


async def grant(_: Message, turn: Turn, command: CommandObject) -> None:
    await _ask_credits(turn, DeedKind.GRANT, command)


async def take(_: Message, turn: Turn, command: CommandObject) -> None:
    await _ask_credits(turn, DeedKind.TAKE, command)


async def _ask_credits(turn: Turn, kind: DeedKind, command: CommandObject) -> None:
    deed = _deed(kind, _words(command))
    await _say(turn, await admin_deeds.ask_credits(turn, deed) if deed else None, kind.value)


def _deed(kind: DeedKind, words: str) -> Deed | None:
    found = _AMOUNT.fullmatch(words)
    if found is None or int(found[2]) > CREDITS_MAX or len(found[3]) > REASON_CHARS_MAX:
        return None
    return Deed(kind=kind, tg_user_id=int(found[1]), credits=int(found[2]), reason=found[3])


async def refund(_: Message, turn: Turn, command: CommandObject) -> None:
    found = _CHARGE.fullmatch(_words(command))
    card = await admin_deeds.ask_refund(turn, found[1], forced=bool(found[2])) if found else None
    await _say(turn, card, "refund")


async def forget_user(_: Message, turn: Turn, command: CommandObject) -> None:
    words = _words(command)
    known = re.fullmatch(TG_USER_ID, words)
    await _say(turn, await forget.ask_deed(turn, int(words)) if known else None, "forget")


async def press(query: CallbackQuery, turn: Turn, argument: str) -> None:
    name, *arguments = argument.split(".")
    key = (name, len(arguments))
    page = _IN_PLACE.get(key) or _BELOW.get(key)
    card = await page(turn, *arguments) if page else None
    if card is None:
        await stale(turn)
    elif key in _IN_PLACE and query.message is not None:
        await turn.show_in_place(query.message.message_id, card)
    else:
        await turn.say(card)


_USAGE: Final = {
    "today": "admin-usage-today",
    "user": "admin-usage-user",
    "maintenance": "admin-usage-maintenance",
    "grant": "admin-usage-grant",
    "take": "admin-usage-take",
    "refund": "admin-usage-refund",
    "forget": "admin-usage-forget",
}


async def _say(turn: Turn, card: Card | None, command: str) -> None:
    await turn.say(card or admin_cards.sentence(turn.language, _USAGE[command]))


def _words(command: CommandObject) -> str:
    return cleaned(command.args or "")
