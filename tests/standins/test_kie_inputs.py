"""KIE looks at the type of what it is given, and each model at its own values."""

from typing import Any

import pytest

from standins.kie.models import MODELS, Refusal

pytestmark = pytest.mark.unit

KLING, OMNI, SEEDANCE = (
    "kling-2.6/image-to-video",
    "kling-3.0-omni/image-to-video",
    "bytedance/seedance-1.5-pro",
)
WAN, HAILUO, GROK = (
    "wan/2-7-image-to-video",
    "hailuo/2-3-image-to-video-standard",
    "grok-imagine/image-to-video",
)
GOOD: dict[str, dict[str, Any]] = {
    KLING: {"sound": False, "duration": "10"},
    OMNI: {"duration": 15, "aspect_ratio": "1:1"},
    SEEDANCE: {"duration": 12, "aspect_ratio": "16:9"},
    WAN: {"duration": 2},
    HAILUO: {"duration": "6"},
    GROK: {"duration": "30", "aspect_ratio": "9:16"},
}


def refusal(slug: str, **more: Any) -> Refusal | None:
    model = MODELS[slug]
    url = "https://files.example/p.jpg"
    image = {model.image_field: [url] if model.image_in_list else url}
    return model.refusal({"prompt": "a cup turns", **image, **GOOD[slug], **more})


@pytest.mark.parametrize("slug", GOOD)
def test_what_a_model_takes(slug: str) -> None:
    assert refusal(slug) is None


@pytest.mark.parametrize(
    ("slug", "name", "value"),
    [
        (KLING, "duration", 10),
        (KLING, "duration", "6"),
        (OMNI, "duration", "5"),
        (OMNI, "duration", 16),
        (OMNI, "aspect_ratio", "portrait"),
        (SEEDANCE, "duration", "5"),
        (SEEDANCE, "duration", 3),
        (SEEDANCE, "duration", True),
        (SEEDANCE, "aspect_ratio", "16x9"),
        (WAN, "duration", "5"),
        (WAN, "duration", 16),
        (HAILUO, "duration", "5"),
        (HAILUO, "duration", 6),
        (GROK, "duration", 6),
        (GROK, "duration", "5"),
        (GROK, "aspect_ratio", ""),
    ],
)
def test_what_it_refuses(slug: str, name: str, value: Any) -> None:
    assert refusal(slug, **{name: value}) == Refusal(
        422, f"{name} is not within the range of allowed options"
    )
