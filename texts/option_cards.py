"""Cards for the form of a video: its format and its length."""

from collections.abc import Mapping, Sequence
from typing import Final

from domain.actions import Action, Button, Card
from domain.orders import Language, VideoOptions
from domain.video_options import argument_of
from texts import label, say
from texts.cards import counted_credits

_FORMATS: Final = {"9:16": "format-portrait", "16:9": "format-landscape", "1:1": "format-square"}


def ask_format(language: Language, ratios: Sequence[str], chosen: str) -> Card:
    """`ratios` are those on offer; '' is the shape of the photo."""
    lines = [say(language, "ask-format"), *(say(language, _FORMATS[ratio]) for ratio in ratios)]
    as_photo, *others = (_format_button(language, ratio, chosen=chosen == ratio) for ratio in ("", *ratios))
    return Card("\n".join(lines), ((as_photo,), *([tuple(others)] if others else [])))


def ask_seconds(language: Language, prices: Mapping[int, int], chosen: int) -> Card:
    """`prices` are those of one video, by its length. Nothing chosen means the shortest."""
    marked = chosen or min(prices, default=0)
    rows = tuple(
        (_seconds_button(language, seconds, price, chosen=seconds == marked),)
        for seconds, price in sorted(prices.items())
    )
    return Card(say(language, "ask-seconds"), rows)


def options_line(language: Language, options: VideoOptions) -> str:
    """One line of HTML; '' where nothing was chosen."""
    length = label(language, "seconds", count=options.seconds) if options.seconds else ""
    return " · ".join(part for part in (options.aspect_ratio, length) if part)


def _format_button(language: Language, ratio: str, *, chosen: bool) -> Button:
    name = _FORMATS[ratio] if ratio else "as-photo"
    text = label(language, f"button-{name}")
    return Button(_marked(language, text, chosen=chosen), Action.FORMAT, argument_of(ratio))


def _seconds_button(language: Language, seconds: int, price_credits: int, *, chosen: bool) -> Button:
    length, price = label(language, "seconds", count=seconds), counted_credits(language, price_credits)
    text = label(language, "button-seconds", length=length, price=price)
    return Button(_marked(language, text, chosen=chosen), Action.SECONDS, str(seconds))


def _marked(language: Language, text: str, *, chosen: bool) -> str:
    return label(language, "button-chosen", label=text) if chosen else text
