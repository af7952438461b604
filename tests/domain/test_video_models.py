import json
from typing import Any

import pytest

from domain.video_models import CATALOGUE, smallest_prompt_limit

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


def test_every_row_is_listed_here() -> None:
    assert set(INPUTS) == set(CATALOGUE)


@pytest.mark.parametrize("slug", CATALOGUE)
def test_input_has_the_names_and_types_of_the_model(slug: str) -> None:
    made = CATALOGUE[slug].input_for("a cup turns slowly", URL)
    assert made == {"prompt": "a cup turns slowly", **INPUTS[slug]}
    # 5 and "5" are equal for no provider: compare as they travel.
    assert json.loads(json.dumps(made)) == made


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
