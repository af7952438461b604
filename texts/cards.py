"""Cards of the dialog: pure functions from facts to text and buttons."""

import html
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

from domain.actions import Action, Button, Card
from domain.failures import FailureReason
from domain.orders import (
    BRIEF_TEXT_CHARS_MAX,
    VIDEO_COUNTS,
    Brief,
    Language,
    Template,
)
from texts import label, say

CAPTION_UNITS_MAX: Final = 1_024
BRIEF_PART_UNITS_MAX: Final = 280  # of each text on the confirm card; less where notes need the room

PHOTO_SIDE_PIXELS_MIN: Final = 300
PHOTO_MEGABYTES_MAX: Final = 10
PHOTO_MEGAPIXELS_MAX: Final = 25

_SHOP_ZONE: Final = timezone(timedelta(hours=3))
"""Telegram does not say where somebody is: days are Moscow's."""

Rows = tuple[tuple[Button, ...], ...]


# -- menu -----------------------------------------------------------------------------------------


def main_menu(language: Language, *, order_open: bool = False) -> Card:
    rows = (
        (button(language, "new-order", Action.NEW_ORDER),),
        (button(language, "orders", Action.MY_ORDERS), button(language, "videos", Action.MY_VIDEOS)),
        (button(language, "balance", Action.BALANCE), button(language, "help", Action.HELP)),
        (button(language, "language", Action.LANGUAGE),),
    )
    lines = [say(language, "main-menu"), *([say(language, "order-open")] if order_open else [])]
    return Card("\n\n".join(lines), rows)


def help_card(language: Language, price_credits: int, support_contact: str) -> Card:
    price = counted_credits(language, price_credits)
    return Card(say(language, "help", price=price, support=support_contact), (menu_row(language),))


def balance(language: Language, available: int, reserved: int) -> Card:
    lines = [say(language, "balance", credits=counted_credits(language, available))]
    if reserved:
        lines.append(say(language, "balance-reserved", credits=counted_credits(language, reserved)))
    own = (button(language, "top-up", Action.TOP_UP), button(language, "history", Action.HISTORY))
    return Card("\n".join(lines), (own, menu_row(language)))


def choose_language(language: Language) -> Card:
    buttons = (
        button(language, "russian", Action.LANGUAGE, Language.RU),
        button(language, "english", Action.LANGUAGE, Language.EN),
    )
    return Card(say(language, "choose-language"), (buttons,))


def apology(language: Language) -> Card:
    return Card(say(language, "apology"), (menu_row(language),))


# -- questions ------------------------------------------------------------------------------------


def ask_photo(language: Language, *, brief_kept: bool = False) -> Card:
    return Card(say(language, "ask-another-photo" if brief_kept else "ask-photo"))


def photo_refused(language: Language, reason: FailureReason) -> Card:
    key = _REFUSALS.get(reason, "photo-refused-format")
    limits: dict[str, dict[str, str | int]] = {
        "photo-refused-small": {"side": PHOTO_SIDE_PIXELS_MIN},
        "photo-refused-large": {"megabytes": PHOTO_MEGABYTES_MAX, "megapixels": PHOTO_MEGAPIXELS_MAX},
    }
    return Card(say(language, key, **limits.get(key, {})))


_REFUSALS: Final = {
    FailureReason.PHOTO_FORMAT: "photo-refused-format",
    FailureReason.PHOTO_TOO_SMALL: "photo-refused-small",
    FailureReason.PHOTO_TOO_LARGE: "photo-refused-large",
    FailureReason.PHOTO_GONE: "photo-refused-gone",
}


def replace_or_new(language: Language) -> Card:
    buttons = (
        button(language, "replace", Action.PHOTO_REPLACE),
        button(language, "new", Action.PHOTO_NEW_ORDER),
    )
    return Card(say(language, "photo-replace-or-new"), (buttons,))


def ask_template(language: Language, *, own_only: bool = False) -> Card:
    own = button(language, "own", Action.TEMPLATE, Template.OWN)
    if own_only:
        return Card(say(language, "ask-template-own-only"), ((own,),))
    first = (
        button(language, "ugc", Action.TEMPLATE, Template.UGC),
        button(language, "ad", Action.TEMPLATE, Template.AD),
    )
    return Card(say(language, "ask-template"), (first, (own,)))


def ask_product_text(language: Language) -> Card:
    return Card(say(language, "ask-product-text"), ((button(language, "skip", Action.SKIP, "product"),),))


def ask_wishes(language: Language) -> Card:
    return Card(say(language, "ask-wishes"), ((button(language, "skip", Action.SKIP, "wishes"),),))


def ask_own_prompt(language: Language) -> Card:
    return Card(say(language, "ask-own-prompt"))


def text_too_long(language: Language) -> Card:
    return Card(say(language, "text-too-long", max=BRIEF_TEXT_CHARS_MAX))


def ask_count(language: Language) -> Card:
    buttons = tuple(Button(str(count), Action.COUNT, str(count)) for count in VIDEO_COUNTS)
    return Card(say(language, "ask-count"), (buttons,))


# -- buying ---------------------------------------------------------------------------------------


def confirm(
    language: Language,
    brief: Brief,
    video_count: int,
    price_credits: int,
    available: int,
    draft_id: str,
    *,
    details: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Card:
    """`price_credits` is that of the whole order; `details` and `notes` are finished lines of HTML."""
    template = label(language, f"template-{brief.template}")
    head = [say(language, "confirm", template=template, videos=counted_videos(language, video_count))]
    foot = [
        *details,
        "",
        say(language, "confirm-price", price=counted_credits(language, price_credits)),
        say(language, "confirm-balance", balance=counted_credits(language, available)),
        *notes,
    ]
    room_units = CAPTION_UNITS_MAX - shown_units("\n".join([*head, *foot]))
    rows = (
        (button(language, "generate", Action.GENERATE, draft_id),),
        (
            button(language, "change", Action.CHANGE, draft_id),
            button(language, "cancel", Action.CANCEL_DRAFT, draft_id),
        ),
    )
    return Card("\n".join([*head, *_brief_lines(language, brief, room_units), *foot]), rows)


def not_enough_credits(
    language: Language, available: int, needed: int, affordable_count: int, draft_id: str
) -> Card:
    """`affordable_count` 0: not even one video. After the top-up the draft's card comes back."""
    have, need = counted_credits(language, available), counted_credits(language, needed)
    top_up_row = (button(language, "top-up", Action.TOP_UP, draft_id),)
    fewer = Button(label(language, "button-fewer", count=affordable_count), Action.MAKE_FEWER, draft_id)
    rows: Rows = ((fewer,), top_up_row) if affordable_count else (top_up_row,)
    return Card(say(language, "not-enough", have=have, need=need), rows)


def cancelled_draft(language: Language) -> Card:
    return Card(say(language, "cancelled-draft"), (menu_row(language),))


def nothing_to_cancel(language: Language) -> Card:
    return Card(say(language, "nothing-to-cancel"), (menu_row(language),))


# -- answers that stand before the open question --------------------------------------------------


def hint(language: Language, key: str, question: Card) -> Card:
    """One sentence, then the question that is still open."""
    return Card(f"{say(language, key)}\n\n{question.text}", question.rows)


def sentence(language: Language, key: str) -> Card:
    return Card(say(language, key))


# -- pieces ---------------------------------------------------------------------------------------


def counted_credits(language: Language, count: int) -> str:
    return label(language, "credits", count=count)


def counted_videos(language: Language, count: int) -> str:
    return label(language, "videos", count=count)


def short_date(language: Language, moment: datetime) -> str:
    day = moment.astimezone(_SHOP_ZONE)
    return label(language, "short-date", day=day.day, month=day.month)


def more_row(language: Language, order_id: str) -> tuple[Button, ...]:
    return (button(language, "more", Action.MORE, order_id),)


def menu_row(language: Language) -> tuple[Button, ...]:
    return (button(language, "menu", Action.MENU),)


def button(language: Language, name: str, action: Action, argument: str = "") -> Button:
    return Button(label(language, f"button-{name}"), action, str(argument))


def _brief_lines(language: Language, brief: Brief, room_units: int) -> Sequence[str]:
    texts = {
        "brief-product": brief.product_text,
        "brief-wishes": brief.wishes,
        "brief-own": brief.own_prompt,
    }
    said = {key: text for key, text in texts.items() if text}
    labels_units = sum(shown_units(say(language, key, text="")) + 1 for key in said)
    share_units = (room_units - labels_units) // max(1, len(said))
    units_max = max(1, min(BRIEF_PART_UNITS_MAX, share_units))
    return [say(language, key, text=shortened(text, units_max)) for key, text in said.items()]


def shown_units(text: str) -> int:
    """As Telegram counts: UTF-16, without the marks of HTML."""
    return len(html.unescape(re.sub(r"<[^>]*>", "", text)).encode("utf-16-le")) // 2


def shortened(text: str, units_max: int = BRIEF_PART_UNITS_MAX) -> str:
    """Telegram counts UTF-16 units: an emoji takes two."""
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * units_max:
        return text
    return encoded[: 2 * (units_max - 1)].decode("utf-16-le", errors="ignore").rstrip() + "…"
