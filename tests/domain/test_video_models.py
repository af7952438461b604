import json
from typing import Any

import pytest

from domain.orders import AS_IT_COMES, VideoOptions
from domain.video_models import CATALOGUE, Durations, smallest_prompt_limit

pytestmark = pytest.mark.unit

URL = "https://files.example/photo.jpg"

INPUTS: dict[str, dict[str, Any]] = {
    "kling-2.6/image-to-video": {"image_urls": [URL], "sound": False, "duration": "5"},
    "kling-3.0-omni/image-to-video": {
        "image_urls": [URL],
        "duration": 5,
        "resolution": "720p",
        "aspect_ratio": "9:16",
        "audio": True,
    },
    "bytedance/seedance-1.5-pro": {
        "input_urls": [URL],
        "aspect_ratio": "9:16",
        "duration": 5,
        "resolution": "720p",
        "generate_audio": True,
    },
    "wan/2-7-image-to-video": {"first_frame_url": URL, "duration": 5, "resolution": "720p"},
    "hailuo/2-3-image-to-video-standard": {"image_url": URL, "duration": "6", "resolution": "768P"},
    "grok-imagine/image-to-video": {
        "image_urls": [URL],
        "duration": "6",
        "resolution": "720p",
        "aspect_ratio": "9:16",
    },
    "sora-2-image-to-video": {
        "image_urls": [URL],
        "aspect_ratio": "portrait",
        "n_frames": "10",
        "remove_watermark": True,
    },
}


# What a choice of 16:9 and of ten seconds adds or changes, and what KIE takes for it.
CHOSEN: dict[str, tuple[dict[str, Any], dict[str, Any], float]] = {
    "kling-2.6/image-to-video": ({}, {"duration": "10"}, 110),
    "kling-3.0-omni/image-to-video": ({"aspect_ratio": "16:9"}, {"duration": 10}, 180),
    "bytedance/seedance-1.5-pro": ({"aspect_ratio": "16:9"}, {"duration": 10}, 70),
    "wan/2-7-image-to-video": ({}, {"duration": 10}, 160),
    "hailuo/2-3-image-to-video-standard": ({}, {"duration": "10"}, 50),
    "grok-imagine/image-to-video": ({"aspect_ratio": "16:9"}, {"duration": "10"}, 80),
    "sora-2-image-to-video": ({"aspect_ratio": "landscape"}, {"n_frames": "10"}, 0),
}


def test_every_row_is_listed_here() -> None:
    assert set(INPUTS) == set(CHOSEN) == set(CATALOGUE)


@pytest.mark.parametrize("slug", CATALOGUE)
def test_input_has_the_names_and_types_of_the_model(slug: str) -> None:
    made = CATALOGUE[slug].input_for("a cup turns slowly", URL)
    assert made == {"prompt": "a cup turns slowly", **INPUTS[slug]}
    # 5 and "5" are equal for no provider: compare as they travel.
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize("slug", CATALOGUE)
def test_a_choice_is_sent_in_the_words_of_the_model(slug: str) -> None:
    row = CATALOGUE[slug]
    shape, length, _ = CHOSEN[slug]
    made = row.input_for("a cup", URL, VideoOptions("16:9", 10))
    expected = {"prompt": "a cup", **INPUTS[slug], **shape, **length}
    assert json.dumps(made, sort_keys=True) == json.dumps(expected, sort_keys=True), "10 is not '10'"
    assert row.rejects_options(VideoOptions("16:9")) == (None if shape else "no choice of 16:9")


@pytest.mark.parametrize("slug", CATALOGUE)
def test_the_short_clip_is_what_comes_without_a_choice(slug: str) -> None:
    row = CATALOGUE[slug]
    short = VideoOptions(seconds=5)
    if slug == "sora-2-image-to-video":
        assert row.rejects_options(short) == "no clip of 5 seconds"
    else:
        assert row.input_for("a cup", URL, short) == row.input_for("a cup", URL)
        assert row.clip_seconds(short) == row.video_seconds
        assert row.kie_credits_for(short) == row.kie_credits > 0


@pytest.mark.parametrize("slug", CATALOGUE)
def test_what_a_choice_costs_at_kie_is_known(slug: str) -> None:
    row = CATALOGUE[slug]
    assert row.kie_credits_for(VideoOptions(seconds=10)) == CHOSEN[slug][2]
    assert row.kie_credits_for(VideoOptions("1:1")) == row.kie_credits


@pytest.mark.parametrize("slug", CATALOGUE)
def test_a_choice_no_model_has_a_word_for_is_left_out(slug: str) -> None:
    row = CATALOGUE[slug]
    nonsense = VideoOptions("5:4", 99)
    assert row.input_for("a cup", URL, nonsense) == row.input_for("a cup", URL, AS_IT_COMES)
    assert row.rejects_options(nonsense)
    assert "99" in (row.rejects_options(VideoOptions(seconds=99)) or "")


def test_a_clip_may_be_one_second_longer_but_never_shorter() -> None:
    lengths = Durations((6, 10), str)
    assert [lengths.clip_for(wanted) for wanted in (4, 5, 6, 7, 9, 10, 11)] == [
        None,
        6,
        6,
        None,
        10,
        10,
        None,
    ]


def test_only_sora_is_paused() -> None:
    assert [slug for slug, row in CATALOGUE.items() if not row.live] == ["sora-2-image-to-video"]


@pytest.mark.parametrize("slug", CATALOGUE)
def test_input_of_one_create_does_not_change_the_row(slug: str) -> None:
    CATALOGUE[slug].input_for("first", URL)["duration"] = "changed"
    assert CATALOGUE[slug].input_for("second", URL).get("duration") == INPUTS[slug].get("duration")


@pytest.mark.parametrize("slug", CATALOGUE)
def test_what_a_model_cannot_take_is_said(slug: str) -> None:
    row = CATALOGUE[slug]
    fits = "x" * row.prompt_chars_max
    assert row.rejects(fits, 300, 300) is None
    assert "characters" in (row.rejects(fits + "x", 300, 300) or "")
    assert "characters" in (row.rejects("  \n ", 300, 300) or "")
    assert "299x800" in (row.rejects(fits, 299, 800) or "")
    assert "gif" in (row.rejects(fits, 300, 300, photo_format="gif") or "")
    assert "bytes" in (row.rejects(fits, 300, 300, photo_bytes=10_000_001) or "")


def test_a_row_may_want_a_longer_prompt() -> None:
    assert "3 to" in (CATALOGUE["bytedance/seedance-1.5-pro"].rejects("ab", 300, 300) or "")


def test_kling_takes_no_webp() -> None:
    assert "webp" in (CATALOGUE["kling-2.6/image-to-video"].rejects("a cup", 300, 300, "webp") or "")


def test_smallest_prompt_limit() -> None:
    assert smallest_prompt_limit(CATALOGUE) == 1_000
    assert smallest_prompt_limit(["kling-3.0-omni/image-to-video", "wan/2-7-image-to-video"]) == 3_072
