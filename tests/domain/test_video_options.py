import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actions import Action, Button, parse_callback_data
from domain.orders import AS_IT_COMES, VideoOptions
from domain.video_models import CATALOGUE
from domain.video_options import (
    ASPECT_RATIOS,
    CLIP_SECONDS,
    argument_of,
    aspect_ratio_of,
    can_take,
    offered_options,
    offered_ratios,
    offered_seconds,
    price_credits,
)

pytestmark = pytest.mark.unit

KLING, SEEDANCE, SORA = "kling-2.6/image-to-video", "bytedance/seedance-1.5-pro", "sora-2-image-to-video"
HAILUO = "hailuo/2-3-image-to-video-standard"


def test_a_format_is_on_offer_where_one_live_model_takes_it() -> None:
    assert offered_ratios((KLING, SEEDANCE)) == ("9:16", "16:9", "1:1")
    assert offered_ratios((KLING, HAILUO)) == ()
    assert offered_ratios((SORA,)) == offered_ratios(()) == (), "a paused model makes nothing"


def test_lengths_are_on_offer_where_there_are_two() -> None:
    assert offered_seconds((KLING,)) == offered_seconds((HAILUO,)) == (5, 10)
    assert offered_seconds((SORA,)) == offered_seconds(()) == ()


def test_lengths_are_those_of_the_format() -> None:
    assert offered_seconds((KLING,), "16:9") == ()
    assert offered_seconds((KLING, SEEDANCE), "16:9") == (5, 10)


@given(
    st.lists(st.sampled_from(list(CATALOGUE)), unique=True),
    st.sampled_from(("", *ASPECT_RATIOS)),
    st.sampled_from((0, *CLIP_SECONDS, 7)),
)
def test_whatever_is_on_offer_is_made_by_somebody(models: list[str], aspect_ratio: str, seconds: int) -> None:
    kept = offered_options(models, VideoOptions(aspect_ratio, seconds))
    live = [slug for slug in models if CATALOGUE[slug].live]
    assert kept == AS_IT_COMES or any(can_take(slug, kept) for slug in live)
    assert kept.aspect_ratio in ("", *offered_ratios(models))
    for each in offered_seconds(models, kept.aspect_ratio):
        assert any(can_take(slug, VideoOptions(kept.aspect_ratio, each)) for slug in live)


def test_an_earlier_choice_is_kept_as_far_as_it_is_still_made() -> None:
    chosen = VideoOptions("16:9", 10)
    assert offered_options((KLING, SEEDANCE), chosen) == chosen
    assert offered_options((KLING,), chosen) == VideoOptions("", 10)
    assert offered_options((SORA,), chosen) == AS_IT_COMES


def test_the_long_clip_costs_twice_the_short_one() -> None:
    prices = [price_credits(VideoOptions("16:9", seconds), 3) for seconds in (0, 5, 10)]
    assert prices == [3, 3, 6]


@pytest.mark.parametrize("aspect_ratio", ["", *ASPECT_RATIOS])
def test_a_button_brings_the_format_back(aspect_ratio: str) -> None:
    data = Button("x", Action.FORMAT, argument_of(aspect_ratio)).callback_data
    parsed = parse_callback_data(data)
    assert parsed is not None
    assert aspect_ratio_of(parsed[1]) == aspect_ratio


@pytest.mark.parametrize("argument", ["16:9", "4x5", "16", "x", "9x16 "])
def test_forged_formats_are_none(argument: str) -> None:
    assert aspect_ratio_of(argument) is None
