"""Menu, help, balance, language, and dropping the open draft."""

from aiogram import F, Router
from aiogram.filters import Command, CommandStart
from aiogram.types import CallbackQuery, Message

from bot.filters import Pressed
from bot.open_orders import open_orders, orders_card
from bot.screens import buying_draft, drop_draft, drop_drafts, hint, open_draft, stale
from bot.states import Step
from bot.turn import Turn
from bot.welcome import welcome_back
from domain.actions import Action
from domain.orders import Language
from texts import cards


def router() -> Router:
    router = Router(name="menu")
    router.message.register(start, CommandStart())
    router.message.register(show_help, Command("help"))
    router.message.register(show_balance, Command("balance"))
    router.message.register(cancel, Command("cancel"))
    router.message.register(ask_language, Command("language"))
    router.callback_query.register(show_menu, Pressed(Action.MENU))
    router.callback_query.register(show_help, Pressed(Action.HELP))
    router.callback_query.register(show_balance, Pressed(Action.BALANCE))
    router.callback_query.register(choose_language, Pressed(Action.LANGUAGE), F.data.contains(":"))
    router.callback_query.register(ask_language, Pressed(Action.LANGUAGE))
    router.callback_query.register(new_order, Pressed(Action.NEW_ORDER))
    router.callback_query.register(cancel_draft, Pressed(Action.CANCEL_DRAFT))
    return router


async def start(_: Message, turn: Turn) -> None:
    await _menu(turn)
    await welcome_back(turn)


async def show_menu(_: CallbackQuery, turn: Turn) -> None:
    await _menu(turn)


async def _menu(turn: Turn) -> None:
    await open_draft(turn)
    await turn.say(cards.main_menu(turn.language, order_open=turn.dialog.opened))


async def show_help(_: Message | CallbackQuery, turn: Turn) -> None:
    card = cards.help_card(turn.language, turn.parts.price_credits, turn.parts.support_contact)
    await turn.say(card)


async def show_balance(_: Message | CallbackQuery, turn: Turn) -> None:
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    await turn.say(cards.balance(turn.language, wallet.available, wallet.reserved))


async def ask_language(_: Message | CallbackQuery, turn: Turn) -> None:
    await turn.say(cards.choose_language(turn.language))


async def choose_language(_: CallbackQuery, turn: Turn, argument: str) -> None:
    if argument not in {language.value for language in Language}:
        await stale(turn)
        return
    language = Language(argument)
    await turn.parts.users.choose_language(turn.user.tg_user_id, language)
    await turn.say(cards.main_menu(language, order_open=turn.dialog.opened))


async def new_order(_: CallbackQuery, turn: Turn) -> None:
    await drop_draft(turn)
    await turn.dialog.restart(Step.photo, turn.dialog.data.fresh())
    await turn.say(cards.ask_photo(turn.language))


async def cancel(_: Message, turn: Turn) -> None:
    """Without an open draft it means what is in the making."""
    change = turn.dialog.data.change if turn.dialog.step is Step.change else None
    if change is not None:
        await _cancel_changed(turn, change.draft_id)
        return
    await open_draft(turn)
    if not turn.dialog.opened:
        orders = await open_orders(turn)
        await turn.say(orders_card(turn, orders) if orders else cards.nothing_to_cancel(turn.language))
        return
    await drop_drafts(turn)
    await turn.dialog.close()
    await turn.say(cards.cancelled_draft(turn.language))


async def _cancel_changed(turn: Turn, draft_id: str) -> None:
    """Only the card that is being changed: the dialog goes on where it stood."""
    await turn.parts.drafts.supersede(draft_id, turn.user.tg_user_id)
    await turn.dialog.leave(draft_id, marked=True)
    if turn.dialog.opened:
        await hint(turn, "cancelled-one")
    else:
        await turn.say(cards.cancelled_draft(turn.language))


async def cancel_draft(_: CallbackQuery, turn: Turn, argument: str) -> None:
    draft = await buying_draft(turn, argument)
    if draft is None:
        await stale(turn)
        return
    await turn.parts.drafts.supersede(draft.id, turn.user.tg_user_id)
    await turn.dialog.leave(draft.id)
    await turn.say(cards.cancelled_draft(turn.language))
