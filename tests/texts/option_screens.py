"""The screens that ask for format and length, by name."""

from domain.actions import Card
from domain.orders import Language
from domain.video_options import ASPECT_RATIOS
from texts import option_cards


def option_screens(language: Language) -> dict[str, Card]:
    return {
        "Format": option_cards.ask_format(language, ASPECT_RATIOS, "16:9"),
        "Format, nothing chosen": option_cards.ask_format(language, ASPECT_RATIOS, ""),
        "Length": option_cards.ask_seconds(language, {5: 1, 10: 2}, 10),
    }
