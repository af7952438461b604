"""The video models KIE offers, as data: a model that is paused or returns is one changed row.

Every row asks for the shortest sensible clip, portrait where the model lets us choose (the others follow
the photo), and with sound while a clip stays below about 100 KIE credits ($0.50). What the user chose is
sent instead, in the model's own words.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from domain.orders import AS_IT_COMES, VideoOptions

# Nobody publishes times per model: recorded ones run from 63 s to 5 min, with one of 13 min. A clip of twice
# the length takes longer by an unknown time: its first polls come too early, which costs a question each.
_TYPICAL_SECONDS: Final = 120.0
_MEGABYTE: Final = 1_000_000
_SECONDS_OVER_MAX: Final = 1  # whoever asked for five seconds is as happy with six
_ASPECT_RATIO_FIELD: Final = "aspect_ratio"  # wherever there is one
_EVERY_SHAPE: Final = {"9:16": "9:16", "16:9": "16:9", "1:1": "1:1"}


@dataclass(frozen=True, slots=True)
class Durations:
    """The lengths a model takes. Some want a number, some the same number as text."""

    seconds: Collection[int]
    sent_as: type[int] | type[str]
    field: str = "duration"

    def clip_for(self, wanted_seconds: int) -> int | None:
        """The shortest clip that is as long as that; None where each is too short or far too long."""
        enough = range(wanted_seconds, wanted_seconds + _SECONDS_OVER_MAX + 1)
        return min((each for each in self.seconds if each in enough), default=None)


@dataclass(frozen=True, slots=True)
class VideoModel:
    """One row. `fixed_input` is sent with every create beside the prompt and the photo.

    `aspect_ratios` are the model's words for ours; without one the video has the shape of the photo.
    `clip_kie_credits` is what KIE takes for a clip of so many seconds.
    """

    slug: str
    prompt_chars_max: int
    image_field: str
    fixed_input: Mapping[str, Any] = field(repr=False)
    durations: Durations
    aspect_ratios: Mapping[str, str] = field(default_factory=dict)
    clip_kie_credits: Mapping[int, float] = field(default_factory=dict)
    live: bool = True
    prompt_chars_min: int = 1
    image_in_list: bool = True
    image_formats: tuple[str, ...] = ("jpeg", "png", "webp")
    image_side_px_min: int = 300
    image_bytes_max: int = 10 * _MEGABYTE
    video_seconds: int = 5
    sound: bool = False
    typical_seconds: float = _TYPICAL_SECONDS

    @property
    def kie_credits(self) -> float:
        """Of a clip as it comes."""
        return self.kie_credits_for(AS_IT_COMES)

    def kie_credits_for(self, options: VideoOptions) -> float:
        """0 where nobody says. No model asks another price for another shape."""
        return self.clip_kie_credits.get(self.clip_seconds(options) or 0, 0.0)

    def clip_seconds(self, options: VideoOptions) -> int | None:
        """How long the clip becomes; None where the model makes none of that length."""
        return self.durations.clip_for(options.seconds) if options.seconds else self.video_seconds

    def input_for(self, prompt: str, image_url: str, options: VideoOptions = AS_IT_COMES) -> dict[str, Any]:
        """A choice the model has no word for is left out: admission sends it to others."""
        image = [image_url] if self.image_in_list else image_url
        return {"prompt": prompt, self.image_field: image, **self.fixed_input, **self._chosen(options)}

    def _chosen(self, options: VideoOptions) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        if options.aspect_ratio in self.aspect_ratios:
            chosen[_ASPECT_RATIO_FIELD] = self.aspect_ratios[options.aspect_ratio]
        seconds = self.clip_seconds(options)
        if options.seconds and seconds is not None:
            chosen[self.durations.field] = self.durations.sent_as(seconds)
        return chosen

    def rejects_options(self, options: VideoOptions) -> str | None:
        """Why this model cannot make such a video, for engineers; None when it can."""
        if options.aspect_ratio and options.aspect_ratio not in self.aspect_ratios:
            return f"no choice of {options.aspect_ratio}"
        if self.clip_seconds(options) is None:
            return f"no clip of {options.seconds} seconds"
        return None

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
        durations=Durations((5, 10), str),
        clip_kie_credits={5: 55, 10: 110},
    ),
    VideoModel(
        slug="kling-3.0-omni/image-to-video",
        prompt_chars_max=3_072,
        image_field="image_urls",
        fixed_input={"duration": 5, "resolution": "720p", "aspect_ratio": "9:16", "audio": True},
        durations=Durations(range(3, 16), int),
        aspect_ratios=_EVERY_SHAPE,
        clip_kie_credits={5: 90, 10: 180},
        sound=True,
    ),
    VideoModel(
        slug="bytedance/seedance-1.5-pro",
        prompt_chars_min=3,
        prompt_chars_max=20_000,
        image_field="input_urls",
        fixed_input={"aspect_ratio": "9:16", "duration": 5, "resolution": "720p", "generate_audio": True},
        durations=Durations(range(4, 13), int),
        aspect_ratios=_EVERY_SHAPE,
        clip_kie_credits={5: 35, 10: 70},
        sound=True,
    ),
    VideoModel(
        slug="wan/2-7-image-to-video",
        prompt_chars_max=5_000,
        image_field="first_frame_url",
        image_in_list=False,
        fixed_input={"duration": 5, "resolution": "720p"},
        durations=Durations(range(2, 16), int),
        clip_kie_credits={5: 80, 10: 160},
    ),
    VideoModel(
        slug="hailuo/2-3-image-to-video-standard",
        prompt_chars_max=5_000,
        image_field="image_url",
        image_in_list=False,
        fixed_input={"duration": "6", "resolution": "768P"},
        durations=Durations((6, 10), str),
        clip_kie_credits={6: 30, 10: 50},
        video_seconds=6,
    ),
    VideoModel(
        slug="grok-imagine/image-to-video",
        prompt_chars_max=5_000,
        image_field="image_urls",
        fixed_input={"duration": "6", "resolution": "720p", "aspect_ratio": "9:16"},
        durations=Durations(range(6, 31), str),
        aspect_ratios=_EVERY_SHAPE,
        clip_kie_credits={6: 48, 10: 80},
        video_seconds=6,
    ),
    VideoModel(
        slug="sora-2-image-to-video",
        live=False,  # paused since the shutdown of September 2026; the row waits for its return
        prompt_chars_max=10_000,
        image_field="image_urls",
        fixed_input={"aspect_ratio": "portrait", "n_frames": "10", "remove_watermark": True},
        durations=Durations((10, 15), str, field="n_frames"),
        aspect_ratios={"9:16": "portrait", "16:9": "landscape"},
        video_seconds=10,
        sound=True,
    ),
)

CATALOGUE: Final[dict[str, VideoModel]] = {row.slug: row for row in _ROWS}


def smallest_prompt_limit(slugs: Iterable[str]) -> int:
    """A script that fits this many characters can be made by whichever of the models serves."""
    return min(CATALOGUE[slug].prompt_chars_max for slug in slugs)
