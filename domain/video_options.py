"""Format and length, as the user chooses them: what is on offer, and what it costs."""

from collections.abc import Sequence
from typing import Final

from domain.orders import VideoOptions
from domain.video_models import CATALOGUE

ASPECT_RATIOS: Final = ("9:16", "16:9", "1:1")
SHORT_SECONDS: Final = 5  # the short clip of a video model, which with some is a second longer
CLIP_SECONDS: Final = (SHORT_SECONDS, 10)

_ARGUMENTS: Final = {ratio: ratio.replace(":", "x") for ratio in ASPECT_RATIOS}
_RATIOS: Final = {argument: ratio for ratio, argument in _ARGUMENTS.items()} | {"": ""}


def can_take(video_model: str, options: VideoOptions) -> bool:
    """Live or not: what can be made, not where it is made today."""
    return CATALOGUE[video_model].rejects_options(options) is None


def offered_ratios(video_models: Sequence[str]) -> tuple[str, ...]:
    return tuple(ratio for ratio in ASPECT_RATIOS if _is_made(video_models, VideoOptions(ratio)))


def offered_seconds(video_models: Sequence[str], aspect_ratio: str = "") -> tuple[int, ...]:
    """In this format. Empty where there is one length only: then nothing is to be chosen."""
    made = tuple(each for each in CLIP_SECONDS if _is_made(video_models, VideoOptions(aspect_ratio, each)))
    return made if len(made) > 1 else ()


def offered_options(video_models: Sequence[str], options: VideoOptions) -> VideoOptions:
    """What is left of an earlier choice: the video models may be others by now."""
    aspect_ratio = options.aspect_ratio if options.aspect_ratio in offered_ratios(video_models) else ""
    seconds = options.seconds if options.seconds in offered_seconds(video_models, aspect_ratio) else 0
    return VideoOptions(aspect_ratio, seconds)


def price_credits(options: VideoOptions, base_price_credits: int) -> int:
    """Of one video: every started length of the short clip costs what the short clip does."""
    return base_price_credits * max(1, -(-options.seconds // SHORT_SECONDS))


def argument_of(aspect_ratio: str) -> str:
    """As a button carries it: a colon would end the argument."""
    return _ARGUMENTS.get(aspect_ratio, "")


def aspect_ratio_of(argument: str) -> str | None:
    """None for anything no button of ours carries; '' is the shape of the photo."""
    return _RATIOS.get(argument)


def _is_made(video_models: Sequence[str], options: VideoOptions) -> bool:
    return any(CATALOGUE[slug].live and can_take(slug, options) for slug in video_models)
