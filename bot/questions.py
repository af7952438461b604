"""What is open now, in words."""

from collections.abc import Callable
from typing import Final

from aiogram.fsm.state import State

from bot.dialog import Change, Part
from bot.states import Step
from bot.turn import Turn
from domain.actions import Card
from domain.orders import Language, Template, VideoOptions
from domain.video_options import offered_ratios, offered_seconds, price_credits
from texts import cards, change_cards, option_cards

_QUESTIONS: Final[dict[State, Callable[[Language], Card]]] = {
    Step.product_text: cards.ask_product_text,
    Step.wishes: cards.ask_wishes,
    Step.own_prompt: cards.ask_own_prompt,
    Step.count: cards.ask_count,
}
_CHANGED: Final[dict[Part, Callable[[Language], Card]]] = {
    Part.PRODUCT: cards.ask_product_text,
    Part.WISHES: cards.ask_wishes,
    Part.PROMPT: cards.ask_own_prompt,
    Part.COUNT: cards.ask_count,
}


def question(turn: Turn) -> Card:
    """At the confirm step the card itself is the question."""
    step, data = turn.dialog.step, turn.dialog.data
    if step is None:
        return cards.main_menu(turn.language)
    if step is Step.photo:
        return cards.ask_photo(turn.language, brief_kept=data.brief is not None)
    if step is Step.template:
        return _ask_template(turn)
    if step is Step.confirm:
        return cards.sentence(turn.language, "press-generate")
    if step is Step.change and data.change is not None:
        return change_cards.with_back(turn.language, _changed(turn, data.change), data.change.draft_id)
    return _QUESTIONS[step](turn.language)


def asks_for_template(turn: Turn) -> bool:
    return turn.dialog.step is Step.template or turn.dialog.changed_part is Part.STYLE


def offered_templates(turn: Turn) -> set[str]:
    """Without GPT nobody writes the script of the other templates."""
    return {each.value for each in Template} if turn.parts.offers_templates else {Template.OWN.value}


def prices_by_seconds(turn: Turn, aspect_ratio: str) -> dict[int, int]:
    """Of one video, in this format; empty where nothing is to be chosen."""
    offered = offered_seconds(turn.parts.shop.video_models, aspect_ratio)
    base = turn.parts.price_credits
    return {seconds: price_credits(VideoOptions(aspect_ratio, seconds), base) for seconds in offered}


def _changed(turn: Turn, change: Change) -> Card:
    if change.part is Part.PHOTO:
        return cards.ask_photo(turn.language, brief_kept=True)
    if change.part is Part.STYLE:
        return _ask_template(turn)
    chosen = change.options
    if change.part is Part.FORMAT:
        ratios = offered_ratios(turn.parts.shop.video_models)
        return option_cards.ask_format(turn.language, ratios, chosen.aspect_ratio)
    if change.part is Part.SECONDS:
        prices = prices_by_seconds(turn, chosen.aspect_ratio)
        return option_cards.ask_seconds(turn.language, prices, chosen.seconds)
    return _CHANGED[change.part](turn.language)


def _ask_template(turn: Turn) -> Card:
    return cards.ask_template(turn.language, own_only=not turn.parts.offers_templates)
