"""Screens of "Delete my data", with made-up facts."""

from datetime import UTC, datetime
from typing import Final

from domain.actions import Card
from domain.deeds import Deed, DeedKind
from domain.orders import Language
from texts import admin_cards, forget_cards

_AT: Final = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
_DEED: Final = Deed(kind=DeedKind.FORGET, tg_user_id=123456789, credits=7)


def forget_screens(language: Language) -> dict[str, Card]:
    asked = forget_cards.ask(language, 7, 12, _AT)
    return {
        "Delete my data": asked,
        "Delete my data, no videos": forget_cards.ask(language, 0, 0, _AT),
        "Delete my data, the balance has changed": forget_cards.changed(language, asked),
        "Delete my data, orders in the making": forget_cards.not_yet(language, 3, 7),
        "Delete my data, a refund on its way": forget_cards.not_yet(language, 0, 7),
        "Delete my data, no": forget_cards.kept(language, 7),
        "Deleted": forget_cards.done(language, 7),
        "Somebody who was deleted": forget_cards.gone(language),
        "An administrator": forget_cards.administrator(language),
    }


def forget_deed_screens(language: Language) -> list[Card]:
    return [
        forget_cards.confirm_deed(language, _DEED, 12, "0123456789abcdef0123"),
        forget_cards.deed_done(language),
        forget_cards.deed_not_yet(language, 3, 1),
        forget_cards.deed_changed(language),
        forget_cards.deed_of_administrator(language, 900),
        forget_cards.payer_forgotten(language, "stxAbCdEf0123"),
        admin_cards.sentence(language, "admin-usage-forget"),
    ]
