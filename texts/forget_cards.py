"""Cards of "Delete my data": what goes, what stays, what is lost; asked once."""

from datetime import datetime
from typing import Final

from domain.actions import Action, Button, Card
from domain.deeds import Deed
from domain.orders import Language
from texts import label, say
from texts.admin_cards import sentence as admin_sentence
from texts.cards import button, counted_credits, menu_row
from texts.deed_cards import yes_or_no

YES: Final = "yes"
NO: Final = "no"


def ask(language: Language, available: int, videos: int, asked_at: datetime) -> Card:
    """Yes carries when it was asked, and what was said to be lost: it holds for this and nothing else."""
    yes = f"{YES}.{int(asked_at.timestamp())}.{available}"
    text = say(language, "forget-ask", credits=counted_credits(language, available), videos=videos)
    return Card(text, ((_button(language, "forget-yes", yes),), (_button(language, "forget-no", NO),)))


def changed(language: Language, asked_again: Card) -> Card:
    lines = [say(language, "forget-changed"), asked_again.text]
    return Card("\n\n".join(lines), asked_again.rows)


def not_yet(language: Language, open_orders: int, available: int) -> Card:
    """Without an order it is a refund that stands in the way."""
    left = counted_credits(language, available)
    if not open_orders:
        return Card(say(language, "forget-refunds", credits=left), (menu_row(language),))
    text = say(language, "forget-open-orders", count=open_orders, credits=left)
    return Card(text, ((button(language, "orders", Action.MY_ORDERS),), menu_row(language)))


def kept(language: Language, available: int) -> Card:
    text = say(language, "forget-kept", credits=counted_credits(language, available))
    return Card(text, (menu_row(language),))


def done(language: Language, credits_lost: int) -> Card:
    """No button: it would lead to somebody we do not know."""
    return Card(say(language, "forget-done", credits=counted_credits(language, credits_lost)))


def gone(language: Language) -> Card:
    return Card(say(language, "forget-gone"))


def administrator(language: Language) -> Card:
    return Card(say(language, "forget-admin"), (menu_row(language),))


def _button(language: Language, name: str, argument: str) -> Button:
    return Button(label(language, f"button-{name}"), Action.FORGET, argument)


# -- for administrators ---------------------------------------------------------------------------


def confirm_deed(language: Language, deed: Deed, videos: int, deed_id: str) -> Card:
    lost = counted_credits(language, deed.credits)
    text = say(language, "admin-confirm-forget", user=str(deed.tg_user_id), credits=lost, videos=videos)
    return Card(text, yes_or_no(language, deed_id))


def deed_done(language: Language) -> Card:
    return admin_sentence(language, "admin-forget-done")


def deed_not_yet(language: Language, open_orders: int, refunds: int) -> Card:
    return admin_sentence(language, "admin-forget-not-yet", orders=open_orders, refunds=refunds)


def deed_changed(language: Language) -> Card:
    return admin_sentence(language, "admin-forget-changed")


def deed_of_administrator(language: Language, tg_user_id: int) -> Card:
    return admin_sentence(language, "admin-forget-admin", user=str(tg_user_id))


def payer_forgotten(language: Language, charge_id: str) -> Card:
    return admin_sentence(language, "admin-refund-forgotten", charge=charge_id)
