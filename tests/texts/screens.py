"""Every screen by name, with made-up facts: for the tests of the texts, and for docs/screens.md."""

import itertools
from typing import Final

from activities.contracts import Stage
from domain.actions import Card
from domain.failures import FailureClass, FailureReason
from domain.ids import video_id
from domain.orders import Brief, Language, Template
from tests.texts.library_screens import library_screens
from tests.texts.money_screens import money_screens
from texts import cards, limit_cards, order_cards

SUPPORT: Final = "@help"
ORDER_ID: Final = "0123456789abcdef0123"
VIDEO_ID: Final = video_id(ORDER_ID, 2)

MENU: Final = "Menu"
DIALOG: Final = "The dialog"
BUYING: Final = "Buying"
ORDER: Final = "An order on its way"
FAILURES: Final = "What could not be made"
OWN: Final = "My orders, my videos, busy evenings"
MONEY: Final = "Money and terms"
SECTIONS: Final = (MENU, DIALOG, BUYING, ORDER, FAILURES, OWN, MONEY)

Screens = dict[tuple[str, str], Card]
_BRIEF: Final = Brief(Template.UGC, "A mug for slow mornings", "On a beach")


def screens(language: Language) -> Screens:
    rooms = {
        MENU: _menu(language),
        DIALOG: _dialog(language),
        BUYING: _buying(language),
        ORDER: _order(language),
        FAILURES: _failures(language),
        OWN: library_screens(language),
        MONEY: money_screens(language),
    }
    return {(room, name): card for room, shown in rooms.items() for name, card in shown.items()}


def _menu(language: Language) -> dict[str, Card]:
    return {
        "Main menu": cards.main_menu(language),
        "Main menu with an open order": cards.main_menu(language, order_open=True),
        "Help": cards.help_card(language, 1, SUPPORT),
        "Balance": cards.balance(language, 3, 2),
        "Language": cards.choose_language(language),
        "In a group": limit_cards.group_goodbye(language, "neurocards_bot"),
        "Too fast": limit_cards.too_fast(language),
        "A bug of ours": cards.apology(language),
    }


def _dialog(language: Language) -> dict[str, Card]:
    refusals = (
        FailureReason.PHOTO_FORMAT,
        FailureReason.PHOTO_TOO_SMALL,
        FailureReason.PHOTO_TOO_LARGE,
        FailureReason.PHOTO_GONE,
    )
    return {
        "Photo": cards.ask_photo(language),
        "Another photo": cards.ask_photo(language, brief_kept=True),
        **{f"Photo refused: {reason}": cards.photo_refused(language, reason) for reason in refusals},
        "A photo beside an open order": cards.replace_or_new(language),
        "Template": cards.ask_template(language),
        "Template without GPT": cards.ask_template(language, own_only=True),
        "Product text": cards.ask_product_text(language),
        "Wishes": cards.ask_wishes(language),
        "Own prompt": cards.ask_own_prompt(language),
        "Text too long": cards.text_too_long(language),
        "Count": cards.ask_count(language),
    }


def _buying(language: Language) -> dict[str, Card]:
    return {
        "Confirm card": cards.confirm(language, _BRIEF, 3, 3, 7, ORDER_ID),
        "Not enough credits": cards.not_enough_credits(language, 2, 5, 1, ORDER_ID),
        "Draft dropped": cards.cancelled_draft(language),
        "Nothing to cancel": cards.nothing_to_cancel(language),
    }


def _order(language: Language) -> dict[str, Card]:
    stages = (Stage.WRITING, Stage.QUEUED, Stage.MAKING, Stage.DELIVERING)
    waits = itertools.product((1, 2, 3), ("queue", "slow", "second_attempt", "outage"))
    return {
        "Accepted": order_cards.accepted(language, ORDER_ID, 1),
        **{f"Stage: {each}": order_cards.placeholder(language, 2, 5, each, ORDER_ID) for each in stages},
        "Delivered": order_cards.delivered(language, 2, 5, ORDER_ID),
        "The ring": order_cards.ready(language, 2, 5, VIDEO_ID),
        "Delivered, but not confirmed by Telegram": order_cards.captured_unknown(language, VIDEO_ID),
        "Videos that waited": order_cards.waiting_videos(language, 2),
        **{f"Long wait {step}: {why}": order_cards.long_wait(language, step, why) for step, why in waits},
        "Closing card": closing(language),
        "Order cancelled": order_cards.cancelled(language, 1, 3),
    }


def _failures(language: Language) -> dict[str, Card]:
    by_class = {f"{each}": failed(language, each, FailureReason.NONE) for each in FailureClass}
    reasons = (reason for reason in FailureReason if reason is not FailureReason.NONE)
    return by_class | {
        f"{FailureClass.USER_VIOLATION}: {reason}": failed(language, FailureClass.USER_VIOLATION, reason)
        for reason in reasons
    }


def failed(language: Language, failure_class: FailureClass, reason: FailureReason) -> Card:
    return order_cards.video_failed(
        language,
        failure_class,
        reason,
        credits_back=2,
        balance=7,
        order_id=ORDER_ID,
        support_contact=SUPPORT,
        number=2,
        count=5,
    )


def closing(language: Language) -> Card:
    return order_cards.closing(
        language,
        delivered=3,
        waiting=0,
        failed=2,
        cancelled=0,
        credits_back=2,
        balance=7,
        order_id=ORDER_ID,
        offers_try_again=True,
    )
