"""Cards about money: packages, receipts, refunds, history, terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.actions import Action, Button, Card
from domain.credits import EntryKind, HistoryLine
from domain.orders import Language
from domain.payments import InvoiceWords, Package
from texts import label, say
from texts.cards import Rows, button, counted_credits, counted_videos, menu_row, short_date, shortened

_STARS: Final = "XTR"
_NOTE_UNITS_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Shortage:
    """An order that its user still cannot pay for. `affordable_count` 0: not even one video."""

    draft_id: str
    needed: int
    affordable_count: int


# -- topping up -----------------------------------------------------------------------------------


def top_up(
    language: Language,
    packages: Sequence[Package],
    support_contact: str,
    available: int,
    draft_id: str = "",
) -> Card:
    """`draft_id` is what was short of credits: its card comes back after the payment."""
    offers = tuple((_package(language, package, draft_id),) for package in packages)
    last = (button(language, "terms", Action.TERMS), button(language, "menu", Action.MENU))
    text = say(language, "top-up", credits=counted_credits(language, available), support=support_contact)
    return Card(text, (*offers, last))


def _package(language: Language, package: Package, draft_id: str) -> Button:
    credits_ = counted_credits(language, package.credits)
    shown = label(language, "button-package", credits=credits_, stars=package.stars)
    return Button(shown, Action.PACKAGE, f"{package.id}.{draft_id}" if draft_id else package.id)


def invoice(language: Language, package: Package) -> InvoiceWords:
    credits_ = counted_credits(language, package.credits)
    return InvoiceWords(credits_, label(language, "invoice-description", credits=credits_))


# -- receipts and refunds -------------------------------------------------------------------------


def credited(
    language: Language,
    credits_: int,
    balance: int,
    *,
    order_kept: bool = False,
    short: Shortage | None = None,
) -> Card:
    """`order_kept`: its confirm card follows."""
    money = _counted(language, credits=credits_, balance=balance)
    lines = [say(language, "money-credited", **money)]
    if short is not None:
        lines.append(say(language, "money-still-short", need=counted_credits(language, short.needed)))
    if order_kept:
        lines.append(say(language, "money-order-kept"))
    return Card("\n\n".join(lines), _rows_after_payment(language, order_kept, short))


def _rows_after_payment(language: Language, order_kept: bool, short: Shortage | None) -> Rows:  # noqa: FBT001 - as above
    if short is None:
        return () if order_kept else ((button(language, "new-order", Action.NEW_ORDER),),)
    top_up_row = (button(language, "top-up", Action.TOP_UP, short.draft_id),)
    if not short.affordable_count:
        return (top_up_row,)
    fewer = label(language, "button-fewer", count=short.affordable_count)
    return ((Button(fewer, Action.MAKE_FEWER, short.draft_id),), top_up_row)


def unclear(
    language: Language, amount: int, currency: str, balance: int, charge_id: str, support_contact: str
) -> Card:
    text = say(
        language,
        "money-unclear",
        amount=paid_amount(amount, currency),
        balance=counted_credits(language, balance),
        charge=charge_id,
        support=support_contact,
    )
    return Card(text, (menu_row(language),))


def not_booked(language: Language, amount: str, charge_id: str, support_contact: str) -> Card:
    text = say(language, "money-not-booked", amount=amount, charge=charge_id, support=support_contact)
    return Card(text, (menu_row(language),))


def refunded(language: Language, stars: int, credits_taken: int, balance: int) -> Card:
    if not credits_taken:
        text = say(language, "money-refunded-only", stars=stars, balance=counted_credits(language, balance))
    else:
        money = _counted(language, credits=credits_taken, balance=balance)
        text = say(language, "money-refunded", stars=stars, **money)
    return Card(text, (menu_row(language),))


def paid_amount(amount: int, currency: str) -> str:
    return f"{amount} {'⭐' if currency == _STARS else currency}"


# -- history --------------------------------------------------------------------------------------


def history(
    language: Language,
    lines: Sequence[HistoryLine],
    available: int,
    reserved: int,
    page: int,
    *,
    has_older: bool,
) -> Card:
    """Pages are counted from 1, the newest."""
    shown = [say(language, "history", credits=counted_credits(language, available))]
    if reserved:
        shown.append(say(language, "balance-reserved", credits=counted_credits(language, reserved)))
    shown += ["", *(_line(language, line) for line in lines)] if lines else [say(language, "history-empty")]
    return Card("\n".join(shown), _history_rows(language, page, has_older=has_older))


def _line(language: Language, line: HistoryLine) -> str:
    day = short_date(language, line.at)
    sign = "+" if line.credits > 0 else "−"
    return say(
        language, "history-line", day=day, amount=f"{sign}{abs(line.credits)}", what=_what(language, line)
    )


def _what(language: Language, line: HistoryLine) -> str:
    """Finished words, not escaped yet."""
    if line.kind is EntryKind.RESERVE:
        return label(language, "history-order", videos=counted_videos(language, line.video_count))
    if line.kind is EntryKind.REFUND:
        return label(language, "history-refunded", number=line.video_number)
    if line.kind is EntryKind.PURCHASE:
        return label(language, "history-topped-up", stars=line.amount)
    if line.kind is EntryKind.PURCHASE_REFUND:
        return label(language, "history-stars-back", stars=line.amount)
    if line.kind is EntryKind.WELCOME:
        return label(language, "history-welcome")
    key = "history-granted" if line.credits > 0 else "history-taken"
    return label(language, key, reason=shortened(line.note, _NOTE_UNITS_MAX))


def _history_rows(language: Language, page: int, *, has_older: bool) -> Rows:
    newer = (button(language, "newer", Action.HISTORY, str(page - 1)),) if page > 1 else ()
    older = (button(language, "older", Action.HISTORY, str(page + 1)),) if has_older else ()
    pager = (*newer, *older)
    top_up_row = (button(language, "top-up", Action.TOP_UP),)
    return (*((pager,) if pager else ()), top_up_row, menu_row(language))


# -- terms ----------------------------------------------------------------------------------------


def terms(language: Language, version: int, support_contact: str) -> Card:
    text = say(language, "terms", version=version, support=support_contact)
    return Card(text, (menu_row(language),))


def privacy(language: Language, support_contact: str) -> Card:
    forget_row = (button(language, "forget", Action.FORGET),)
    return Card(say(language, "privacy", support=support_contact), (forget_row, menu_row(language)))


def paysupport(language: Language, support_contact: str) -> Card:
    return Card(say(language, "paysupport", support=support_contact), (menu_row(language),))


# -- pieces ---------------------------------------------------------------------------------------


def _counted(language: Language, **counts: int) -> dict[str, str]:
    return {name: counted_credits(language, count) for name, count in counts.items()}
