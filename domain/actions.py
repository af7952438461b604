"""What a button does, as the at most 64 bytes Telegram carries back to us."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CALLBACK_DATA_BYTES_MAX: Final = 64


class Action(StrEnum):
    """The verb of a button. The argument, where there is one, is an id or a choice."""

    MENU = "menu"
    BALANCE = "balance"
    TOP_UP = "topup"
    HELP = "help"
    NEW_ORDER = "new"
    TEMPLATE = "tpl"  # ugc | ad | own
    SKIP = "skip"  # which question is skipped
    COUNT = "count"  # 1 | 3 | 5
    GENERATE = "gen"  # draft id
    MAKE_FEWER = "fewer"  # draft id: a new draft with as many videos as there are credits
    CANCEL_DRAFT = "drop"  # draft id
    PHOTO_REPLACE = "photo_replace"
    PHOTO_NEW_ORDER = "photo_new"
    MORE = "more"  # order id: a new confirm card with the same photo and brief
    TRY_AGAIN = "again"  # order id: a new confirm card for what failed
    ANOTHER_PHOTO = "photo"  # order id: the brief is kept, a photo is asked for
    SEND_HERE = "here"  # video id: send a delivered video again as a new message
    LANGUAGE = "lang"  # ru | en
    PACKAGE = "pkg"  # package id, or package id.draft id: an invoice
    HISTORY = "hist"  # page
    TERMS = "terms"
    CHANGE = "chg"  # draft id: what shall be different
    CHANGE_PART = "part"  # which part.draft id
    FORMAT = "fmt"  # aspect ratio; none: as the photo
    SECONDS = "sec"
    CHANGED_AGAIN = "alter"  # order id: the same again with changes
    ALBUM_ONE = "album_one"  # the photos show one product; open | new: which order they are for
    ALBUM_SEVERAL = "album_many"  # each photo is a product of its own; open | new
    MY_ORDERS = "orders"
    CANCEL_ORDER = "cancel"  # order id
    MY_VIDEOS = "videos"  # page
    SHOW_VIDEO = "show"  # video id
    LIKE = "like"  # video id
    DISLIKE = "dislike"  # video id
    ADMIN = "adm"  # which page or deed of the admin panel, with its own arguments after dots
    FORGET = "forget"  # nothing: asks; yes.when it was asked.credits said, or no
    NONCE = "n"  # only makes two keyboards differ


@dataclass(frozen=True, slots=True)
class Button:
    """`label` is the finished, translated text."""

    label: str
    action: Action
    argument: str = ""
    nonce: str = ""

    @property
    def callback_data(self) -> str:
        """`action:argument[:nonce]`; a nonce is ignored when the button comes back."""
        parts = [self.action.value, self.argument, self.nonce]
        return ":".join(parts).rstrip(":")


@dataclass(frozen=True, slots=True)
class Card:
    """One rendered Telegram screen. With a photo or video the text is its caption."""

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()


_ACTIONS: Final = {action.value: action for action in Action}


def parse_callback_data(data: str) -> tuple[Action, str] | None:
    """None for anything we did not write; what is left can be looked up in the database as it is."""
    verb, _, rest = data.partition(":")
    action = _ACTIONS.get(verb)
    if action is None or len(data) > CALLBACK_DATA_BYTES_MAX or not (data.isascii() and data.isprintable()):
        return None
    return action, rest.partition(":")[0]
