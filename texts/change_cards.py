"""Cards for photos that come together, for changing an answer, and for what is not for us."""

from collections.abc import Iterable, Sequence
from typing import Final

from domain.actions import Action, Button, Card
from domain.orders import BRIEF_TEXT_CHARS_MAX, Language
from texts import label, say
from texts.cards import more_row

_REASONS: Final = {
    "small": "unusable-small",
    "large": "unusable-large",
    "format": "unusable-format",
    "gone": "unusable-gone",
    "heic": "unusable-heic",
    "ours": "unusable-ours",
    "other": "unusable-other",
}
_PARTS: Final = {
    "photo": "button-part-photo",
    "style": "button-part-style",
    "product": "button-part-product",
    "wishes": "button-part-wishes",
    "prompt": "button-part-prompt",
    "count": "button-part-count",
    "format": "button-part-format",
    "seconds": "button-part-seconds",
    "back": "button-back",
}
_PARTS_PER_ROW: Final = 2


# -- albums ---------------------------------------------------------------------------------------


def one_or_several(language: Language, count: int, order: str) -> Card:
    """`order`: which one the photos are for, as the buttons carry it."""
    one = Button(label(language, "button-one-product"), Action.ALBUM_ONE, order)
    several = Button(label(language, "button-several-products"), Action.ALBUM_SEVERAL, order)
    return Card(say(language, "album-one-or-several", count=count), ((one,), (several,)))


def unusable_photos(language: Language, reasons: Sequence[str], count: int) -> Card:
    """Named once for the whole album. `reasons`: one for each that cannot be used."""
    named = ", ".join(label(language, _REASONS[each]) for each in dict.fromkeys(reasons))
    return Card(say(language, "album-unusable", bad=len(reasons), all=count, reasons=named))


def caption_too_long(language: Language) -> Card:
    return Card(say(language, "caption-too-long", max=BRIEF_TEXT_CHARS_MAX))


def views_line(language: Language, count: int) -> str:
    """`count` photos in all, the one that is shown among them."""
    return say(language, "confirm-views", count=count)


# -- changing -------------------------------------------------------------------------------------


def ask_change(language: Language, parts: Iterable[str], draft_id: str) -> Card:
    buttons = [part_button(language, part, draft_id) for part in parts]
    rows = (tuple(buttons[at : at + _PARTS_PER_ROW]) for at in range(0, len(buttons), _PARTS_PER_ROW))
    return Card(say(language, "ask-change"), (*rows, (part_button(language, "back", draft_id),)))


def with_back(language: Language, card: Card, draft_id: str) -> Card:
    """A question that need not be answered: the confirm card stays as it is."""
    return Card(card.text, (*card.rows, (part_button(language, "back", draft_id),)))


def part_button(language: Language, part: str, draft_id: str) -> Button:
    return Button(label(language, _PARTS[part]), Action.CHANGE_PART, f"{part}.{draft_id}")


def edit_too_long(language: Language) -> Card:
    return Card(say(language, "edit-too-long", max=BRIEF_TEXT_CHARS_MAX))


def edit_too_late(language: Language, order_id: str) -> Card:
    return Card(say(language, "edit-too-late"), (more_row(language, order_id),))


# -- not for us -----------------------------------------------------------------------------------


def forwarded_ours(language: Language, question: Card, order_id: str = "") -> Card:
    """`order_id` where it is known what was forwarded."""
    more = (more_row(language, order_id),) if order_id else ()
    told = say(language, "forwarded-ours")
    return Card(f"{told}\n\n{question.text}", (*more, *question.rows))
