"""Every screen by name, with made-up facts: for the tests of the texts, and for docs/screens.md."""

import itertools
from datetime import timedelta
from typing import Final

from activities.contracts import Stage
from domain.actions import Card
from domain.failures import FailureClass, FailureReason
from domain.ids import video_id
from domain.orders import Brief, Language, Template, VideoOptions
from store.restores import RESTORED
from tests.texts.admin_screens import admin_pages
from tests.texts.forget_screens import forget_screens
from tests.texts.library_screens import library_screens
from tests.texts.money_screens import money_screens
from tests.texts.option_screens import option_screens
from texts import cards, change_cards, library_cards, limit_cards, option_cards, order_cards, say

SUPPORT: Final = "@help"
ORDER_ID: Final = "0123456789abcdef0123"
VIDEO_ID: Final = video_id(ORDER_ID, 2)

MENU: Final = "Menu"
CHANGES: Final = "Changing an answer"
STRANGE: Final = "Strange input"
ADMIN: Final = "For administrators"
DIALOG: Final = "The dialog"
BUYING: Final = "Buying"
ORDER: Final = "An order on its way"
FAILURES: Final = "What could not be made"
OWN: Final = "My orders, my videos, busy evenings"
MONEY: Final = "Money and terms"
GOODBYE: Final = "Delete my data"
SECTIONS: Final = (MENU, DIALOG, STRANGE, BUYING, CHANGES, ORDER, FAILURES, OWN, MONEY, GOODBYE, ADMIN)

Screens = dict[tuple[str, str], Card]
_BRIEF: Final = Brief(Template.UGC, "A mug for slow mornings", "On a beach")


def screens(language: Language) -> Screens:
    rooms = {
        MENU: _menu(language),
        DIALOG: _dialog(language),
        STRANGE: _strange(language),
        BUYING: _buying(language),
        CHANGES: _changes(language),
        ORDER: _order(language),
        FAILURES: _failures(language),
        OWN: library_screens(language),
        MONEY: money_screens(language),
        GOODBYE: forget_screens(language),
        ADMIN: admin_pages(language),
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
        "An album": change_cards.one_or_several(language, 5, "open"),
        "An album, partly unusable": change_cards.unusable_photos(language, ("small", "heic"), 5),
        "A caption too long": change_cards.caption_too_long(language),
    }


def _strange(language: Language) -> dict[str, Card]:
    hints = (
        "unsupported-input",
        "unsupported-document",
        "unsupported-heic",
        "unsupported-voice",
        "unsupported-video",
        "unsupported-gif",
        "unsupported-sticker",
        "unsupported-place",
        "unsupported-contact",
        "unsupported-poll",
        "need-photo",
        "press-button",
        "unknown-command",
    )
    question = cards.ask_photo(language)
    return {
        **{key: cards.hint(language, key, question) for key in hints},
        "A card of ours, forwarded": change_cards.forwarded_ours(language, question, ORDER_ID),
        "A text where Generate is asked": cards.sentence(language, "press-generate"),
        "An old button": cards.sentence(language, "stale-card"),
    }


def _buying(language: Language) -> dict[str, Card]:
    return {
        "Confirm card": cards.confirm(language, _BRIEF, 3, 3, 7, ORDER_ID),
        "Confirm card with choices and notes": _full_confirm(language),
        "Too many orders open": limit_cards.too_many_open(language, 10, 3),
        "Too many orders today": limit_cards.too_many_today(language, 100, 3, timedelta(hours=5)),
        "Not enough credits": cards.not_enough_credits(language, 2, 5, 1, ORDER_ID),
        "Draft dropped": cards.cancelled_draft(language),
        "Only the changed card dropped": cards.hint(language, "cancelled-one", cards.ask_wishes(language)),
        "Nothing to cancel": cards.nothing_to_cancel(language),
    }


def _full_confirm(language: Language) -> Card:
    options = option_cards.options_line(language, VideoOptions("16:9", 10))
    details = [options, change_cards.views_line(language, 3)]
    notes = [library_cards.busy_note(language, 14), say(language, "terms-note")]
    return cards.confirm(language, _BRIEF, 3, 6, 7, ORDER_ID, details=details, notes=notes)


def _changes(language: Language) -> dict[str, Card]:
    parts = ("photo", "style", "product", "wishes", "count", "format", "seconds")
    return {
        "What shall be different": change_cards.ask_change(language, parts, ORDER_ID),
        "One part asked anew": change_cards.with_back(language, cards.ask_wishes(language), ORDER_ID),
        **option_screens(language),
        "An edited text, too long": change_cards.edit_too_long(language),
        "An edited text, too late": change_cards.edit_too_late(language, ORDER_ID),
    }


def _order(language: Language) -> dict[str, Card]:
    stages = (Stage.WRITING, Stage.QUEUED, Stage.MAKING, Stage.DELIVERING)
    waits = itertools.product((1, 2, 3), ("queue", "slow", "second_attempt", "outage"))
    return {
        "Accepted": order_cards.accepted(language, ORDER_ID, 1),
        "Accepted on a busy evening": order_cards.accepted(language, ORDER_ID, 3, 25),
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
        f"{each}: {reason}": failed(language, each, reason)
        for reason in reasons
        for each in [RESTORED.failure_class if reason is RESTORED.reason else FailureClass.USER_VIOLATION]
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
