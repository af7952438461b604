"""The video models KIE offers, as data: a model that is paused or returns is one changed row.

Every row asks for the shortest sensible clip, portrait where the model lets us choose (the others follow
the photo), and with sound while a clip stays below about 100 KIE credits ($0.50).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# Nobody publishes times per model: recorded ones run from 63 s to 5 min, with one of 13 min.
_TYPICAL_SECONDS: Final = 120.0
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class VideoModel:
    """One row. `fixed_input` is sent with every create beside the prompt and the photo."""

    slug: str
    prompt_chars_max: int
    image_field: str
    fixed_input: Mapping[str, Any] = field(repr=False)
    live: bool = True
    prompt_chars_min: int = 1
    image_in_list: bool = True
    image_formats: tuple[str, ...] = ("jpeg", "png", "webp")
    image_side_px_min: int = 300
    image_bytes_max: int = 10 * _MEGABYTE
    video_seconds: int = 5
    sound: bool = False
    kie_credits: float = 0.0
    typical_seconds: float = _TYPICAL_SECONDS

    def input_for(self, prompt: str, image_url: str) -> dict[str, Any]:
        image = [image_url] if self.image_in_list else image_url
        return {"prompt": prompt, self.image_field: image, **self.fixed_input}

    def rejects(
        self,
        prompt: str,
        photo_width: int,
        photo_height: int,
        photo_format: str = "jpeg",
        photo_bytes: int = 0,
    ) -> str | None:
        """Why this model cannot take the input, for engineers; None when it can."""
        chars = len(prompt.strip())
        if not self.prompt_chars_min <= chars or len(prompt) > self.prompt_chars_max:
            return (
                f"prompt of {len(prompt)} characters, not {self.prompt_chars_min} to {self.prompt_chars_max}"
            )
        if min(photo_width, photo_height) < self.image_side_px_min:
            return f"photo of {photo_width}x{photo_height}, below {self.image_side_px_min} px a side"
        if photo_format.lower() not in self.image_formats:
            return f"photo is {photo_format}, not {' or '.join(self.image_formats)}"
        if photo_bytes > self.image_bytes_max:
            return f"photo of {photo_bytes} bytes, above {self.image_bytes_max}"
        return None


_ROWS: Final = (
    VideoModel(
        slug="kling-2.6/image-to-video",
        prompt_chars_max=1_000,
        image_field="image_urls",
        image_formats=("jpeg", "png"),
        fixed_input={"sound": False, "duration": "5"},  # sound doubles the price to 110
        kie_credits=55,
    ),
    VideoModel(
        slug="kling-3.0-omni/image-to-video",
        prompt_chars_max=3_072,
        image_field="image_urls",
        fixed_input={"duration": 5, "resolution": "720p", "aspect_ratio": "9:16", "audio": True},
        sound=True,
        kie_credits=90,
    ),
    VideoModel(
        slug="bytedance/seedance-1.5-pro",
        prompt_chars_min=3,
        prompt_chars_max=20_000,
        image_field="input_urls",
        fixed_input={"aspect_ratio": "9:16", "duration": 5, "resolution": "720p", "generate_audio": True},
        sound=True,
        kie_credits=35,
    ),
    VideoModel(
        slug="wan/2-7-image-to-video",
        prompt_chars_max=5_000,
        image_field="first_frame_url",
        image_in_list=False,
        fixed_input={"duration": 5, "resolution": "720p"},
        kie_credits=80,
    ),
    VideoModel(
        slug="hailuo/2-3-image-to-video-standard",
        prompt_chars_max=5_000,
        image_field="image_url",
        image_in_list=False,
        fixed_input={"duration": "6", "resolution": "768P"},
        video_seconds=6,
        kie_credits=30,
    ),
    VideoModel(
        slug="grok-imagine/image-to-video",
        prompt_chars_max=5_000,
        image_field="image_urls",
        fixed_input={"duration": "6", "resolution": "720p", "aspect_ratio": "9:16"},
        video_seconds=6,
        kie_credits=48,
    ),
    VideoModel(
        slug="sora-2-image-to-video",
        live=False,  # paused since the shutdown of September 2026; the row waits for its return
        prompt_chars_max=10_000,
        image_field="image_urls",
        fixed_input={"aspect_ratio": "portrait", "n_frames": "10", "remove_watermark": True},
        video_seconds=10,
        sound=True,
    ),
)

CATALOGUE: Final[dict[str, VideoModel]] = {row.slug: row for row in _ROWS}


def smallest_prompt_limit(slugs: Iterable[str]) -> int:
    """A script that fits this many characters can be made by whichever of the models serves."""
    return min(CATALOGUE[slug].prompt_chars_max for slug in slugs)
