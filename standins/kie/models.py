"""The video models KIE takes, and what it says about a wrong `input`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Input = Mapping[str, Any]
Price = Callable[[Input], float]

_BYTES_MAX: Final = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    code: int
    msg: str


@dataclass(frozen=True, slots=True)
class StandinModel:
    slug: str
    provider: str
    prompt_chars_max: int
    image_field: str
    price: Price
    prompt_chars_min: int = 1
    images_max: int = 1
    image_in_list: bool = True
    required: tuple[str, ...] = ()
    options: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    sound_field: str = ""
    always_sound: bool = False
    formats: frozenset[str] = frozenset({"JPEG", "PNG", "WEBP"})
    side_px_min: int = 0
    bytes_max: int = _BYTES_MAX
    shows_generating: bool = False

    def refusal(self, given: Input) -> Refusal | None:
        return (
            self._missing(given)
            or self._bad_prompt(given)
            or self._bad_image(given)
            or self._bad_option(given)
        )

    def _missing(self, given: Input) -> Refusal | None:
        for name in ("prompt", self.image_field, *self.required):
            if given.get(name) in (None, "", []):
                return Refusal(500, f"{name} is required")
        return None

    def _bad_prompt(self, given: Input) -> Refusal | None:
        prompt = given["prompt"]
        if not isinstance(prompt, str):
            return Refusal(422, "prompt must be a string")
        if not self.prompt_chars_min <= len(prompt) <= self.prompt_chars_max:
            return Refusal(422, f"The text length cannot exceed the maximum limit of {self.prompt_chars_max}")
        return None

    def _bad_image(self, given: Input) -> Refusal | None:
        images = given[self.image_field]
        if isinstance(images, list) != self.image_in_list:
            return Refusal(
                422, f"{self.image_field} must be {'an array' if self.image_in_list else 'a string'}"
            )
        urls = images if isinstance(images, list) else [images]
        if len(urls) > self.images_max:
            return Refusal(422, f"{self.image_field} cannot exceed {self.images_max} items")
        if not all(isinstance(url, str) and url.startswith(("http://", "https://")) for url in urls):
            return Refusal(422, f"{self.image_field} file type not supported")
        return None

    def _bad_option(self, given: Input) -> Refusal | None:
        for name, allowed in self.options.items():
            if name in given and not _is_one_of(given[name], allowed):
                return Refusal(422, f"{name} is not within the range of allowed options")
        return None

    def photo_url(self, given: Input) -> str:
        images = given[self.image_field]
        return str(images[0] if isinstance(images, list) else images)

    def has_sound(self, given: Input) -> bool:
        return self.always_sound or bool(self.sound_field and given.get(self.sound_field))


def _is_one_of(value: Any, allowed: tuple[Any, ...]) -> bool:
    """`"5"` is not 5, and True is not 1: the models differ in the type of their duration."""
    return any(value == option and isinstance(value, type(option)) for option in allowed)


def _flag(given: Input, name: str) -> bool:
    return bool(given.get(name))


def _seconds(given: Input, default: float) -> float:
    return float(given.get("duration") or default)


_BOOL: Final = (True, False)
_ASPECTS: Final = ("9:16", "16:9", "1:1", "3:4", "4:3", "2:3", "3:2", "21:9")

MODELS: Final = {
    model.slug: model
    for model in (
        StandinModel(
            slug="kling-2.6/image-to-video",
            provider="Kling",
            prompt_chars_max=1_000,
            image_field="image_urls",
            required=("sound", "duration"),
            options={"sound": _BOOL, "duration": ("5", "10")},
            sound_field="sound",
            formats=frozenset({"JPEG", "PNG"}),
            price=lambda given: (110.0 if given["duration"] == "10" else 55.0) * (1 + _flag(given, "sound")),
        ),
        StandinModel(
            slug="kling-3.0-omni/image-to-video",
            provider="Kling",
            prompt_chars_max=3_072,
            image_field="image_urls",
            options={
                "audio": _BOOL,
                "duration": tuple(range(3, 16)),
                "resolution": ("720p", "1080p", "4k"),
                "aspect_ratio": _ASPECTS,
            },
            sound_field="audio",
            side_px_min=300,
            shows_generating=True,
            price=lambda given: _seconds(given, 5) * (18 if _flag(given, "audio") else 14),
        ),
        StandinModel(
            slug="bytedance/seedance-1.5-pro",
            provider="ByteDance",
            prompt_chars_min=3,
            prompt_chars_max=20_000,
            image_field="input_urls",
            images_max=2,
            required=("aspect_ratio", "duration"),
            options={
                "generate_audio": _BOOL,
                "duration": tuple(range(4, 13)),
                "resolution": ("480p", "720p", "1080p"),
                "aspect_ratio": _ASPECTS,
            },
            sound_field="generate_audio",
            shows_generating=True,
            price=lambda given: _seconds(given, 8) * (7 if _flag(given, "generate_audio") else 3.5),
        ),
        StandinModel(
            slug="wan/2-7-image-to-video",
            provider="Wan",
            prompt_chars_max=5_000,
            image_field="first_frame_url",
            image_in_list=False,
            options={"duration": tuple(range(2, 16)), "resolution": ("720p", "1080p")},
            price=lambda given: _seconds(given, 5) * 16,
        ),
        StandinModel(
            slug="hailuo/2-3-image-to-video-standard",
            provider="Hailuo",
            prompt_chars_max=5_000,
            image_field="image_url",
            image_in_list=False,
            options={"duration": ("6", "10"), "resolution": ("768P", "1080P")},
            price=lambda given: 50.0 if given.get("duration") == "10" else 30.0,
        ),
        StandinModel(
            slug="grok-imagine/image-to-video",
            provider="xAI",
            prompt_chars_max=5_000,
            image_field="image_urls",
            images_max=7,
            options={
                "duration": tuple(str(seconds) for seconds in range(6, 31)),
                "resolution": ("480p", "720p"),
                "aspect_ratio": _ASPECTS,
            },
            shows_generating=True,
            price=lambda given: _seconds(given, 6) * (8 if given.get("resolution") == "720p" else 2.4),
        ),
        StandinModel(
            slug="sora-2-image-to-video",
            provider="OpenAI",
            prompt_chars_max=10_000,
            image_field="image_urls",
            options={
                "aspect_ratio": ("portrait", "landscape"),
                "n_frames": ("10", "15"),
                "remove_watermark": _BOOL,
            },
            always_sound=True,
            shows_generating=True,
            price=lambda given: 35.0 if given.get("n_frames") == "15" else 30.0,
        ),
    )
}
