"""Topping up, the history of the credits, and the terms. Payments themselves come by `MoneyFirst`."""

from typing import Final

from aiogram import F, Router
from aiogram.filters import Command, CommandStart
from aiogram.types import CallbackQuery, Message

from bot.filters import Pressed
from bot.screens import buying_draft, stale
from bot.turn import Turn, patiently
from clients.stars import START_PARAMETER
from domain.actions import Action, Card
from domain.payments import Invoice, Package
from texts import cards, money_cards

HISTORY_LINES_MAX: Final = 10
_PAGES_MAX: Final = 10_000
_PAGE_DIGITS_MAX: Final = 5


def router() -> Router:
    router = Router(name="money")
    from_forwarded_invoice = CommandStart(deep_link=True, magic=F.args == START_PARAMETER)
    router.message.register(show_packages, from_forwarded_invoice)
    router.message.register(show_terms, Command("terms"))
    router.message.register(show_privacy, Command("privacy"))
    router.message.register(show_paysupport, Command("paysupport"))
    router.callback_query.register(show_top_up, Pressed(Action.TOP_UP))
    router.callback_query.register(choose_package, Pressed(Action.PACKAGE))
    router.callback_query.register(show_history, Pressed(Action.HISTORY))
    router.callback_query.register(show_terms, Pressed(Action.TERMS))
    return router


async def show_packages(_: Message, turn: Turn) -> None:
    """Somebody pressed the button of an invoice that was forwarded to him."""
    await _top_up(turn, "")


async def show_top_up(_: CallbackQuery, turn: Turn, argument: str) -> None:
    await _top_up(turn, argument)


async def _top_up(turn: Turn, draft_id: str) -> None:
    draft = await buying_draft(turn, draft_id)
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    await turn.say(
        money_cards.top_up(
            turn.language,
            turn.parts.shop.packages,
            turn.parts.support_contact,
            wallet.available,
            draft.id if draft else "",
        )
    )


async def choose_package(_: CallbackQuery, turn: Turn, argument: str) -> None:
    package_id, _dot, draft_id = argument.partition(".")
    package = _sold(turn, package_id)
    if package is None:
        await turn.say(cards.sentence(turn.language, "packages-changed"))
        await _top_up(turn, draft_id)
        return
    draft = await buying_draft(turn, draft_id)
    invoice = Invoice(turn.user.tg_user_id, package, draft.id if draft else "")
    words = money_cards.invoice(turn.language, package)
    await patiently(lambda: turn.parts.provider.offer(invoice, words))


def _sold(turn: Turn, package_id: str) -> Package | None:
    return next((each for each in turn.parts.shop.packages if each.id == package_id), None)


async def show_history(query: CallbackQuery, turn: Turn, argument: str) -> None:
    """A card of its own first; its pages turn in place."""
    page = _page(argument or "1")
    if page is None:
        await stale(turn)
        return
    card = await _history_card(turn, page)
    if not argument or query.message is None:
        await turn.say(card)
        return
    await turn.show_in_place(query.message.message_id, card)


async def _history_card(turn: Turn, page: int) -> Card:
    """One line more than is shown says whether there is an older page."""
    ledger, person = turn.parts.ledger, turn.user.tg_user_id
    lines = await ledger.history(person, HISTORY_LINES_MAX + 1, (page - 1) * HISTORY_LINES_MAX)
    wallet = await ledger.balance(person)
    return money_cards.history(
        turn.language,
        lines[:HISTORY_LINES_MAX],
        wallet.available,
        wallet.reserved,
        page,
        has_older=len(lines) > HISTORY_LINES_MAX,
    )


def _page(argument: str) -> int | None:
    if not (argument.isascii() and argument.isdecimal() and len(argument) <= _PAGE_DIGITS_MAX):
        return None
    page = int(argument)
    return page if 1 <= page <= _PAGES_MAX else None


async def show_terms(_: Message | CallbackQuery, turn: Turn) -> None:
    shop, support = turn.parts.shop, turn.parts.support_contact
    await turn.say(money_cards.terms(turn.language, shop.terms_version, support))


async def show_privacy(_: Message, turn: Turn) -> None:
    await turn.say(money_cards.privacy(turn.language, turn.parts.support_contact))


async def show_paysupport(_: Message, turn: Turn) -> None:
    await turn.say(money_cards.paysupport(turn.language, turn.parts.support_contact))
