"""Words for models: one file per template, filled in here. What the seller wrote travels apart, as data."""

import json
from functools import cache
from pathlib import Path
from string import Template as Text
from typing import Final

from domain.orders import AS_IT_COMES, Brief, Language, Template, VideoOptions
from domain.scripts import asked_chars, visible

_FOLDER: Final = Path(__file__).parent
_LANGUAGES: Final = {Language.RU: "Russian", Language.EN: "English"}
_FILES: Final = {Template.UGC: "ugc.md", Template.AD: "ad.md"}  # an own prompt goes as it is

_ONE: Final = (
    "Take the one idea that suits this product and these wishes best, not the first that comes to mind."
)
_SEVERAL: Final = (
    "They are $count different films of the same product, not variations of one: no two share the setting, "
    "the camera movement, the light and time of day, the mood, the hook of the first second, or the spoken "
    "words. Somebody who sees all of them in a row should want to keep each for another reason."
)

_SHAPES: Final = {
    "": "upright 9:16 or in the photo's own shape",
    "9:16": "upright, 9:16",
    "16:9": "wide, 16:9",
    "1:1": "square, 1:1",
}
_SECONDS: Final = {0: "five", 5: "five", 10: "ten"}
_VIEWS: Final = (
    " It is the first picture, and the only one that is the frame and that `photo_status` judges.\n"
    "- Pictures after it: $count. All the pictures show the same product. Learn its other sides, its inside "
    "and its details from them, and take nothing else from them: not the setting, the light or the people."
)


def instructions(
    template: Template,
    count: int,
    language: Language,
    prompt_chars_max: int,
    *,
    options: VideoOptions = AS_IT_COMES,
    view_count: int = 0,
) -> str:
    """Everything GPT is told; nothing in it comes from the seller. `view_count` is beside the photo."""
    difference = Text(_SEVERAL).substitute(count=count) if count > 1 else _ONE
    return Text(_read("common.md") + "\n" + _read(_file_of(template))).substitute(
        count_phrase=f"exactly {count} scripts" if count > 1 else "exactly one script",
        difference=difference,
        language=_LANGUAGES[language],
        chars=asked_chars(prompt_chars_max),
        shape=_SHAPES.get(options.aspect_ratio, options.aspect_ratio),
        seconds=_SECONDS.get(options.seconds, str(options.seconds)),
        held="sideways" if options.aspect_ratio == "16:9" else "upright",
        views=Text(_VIEWS).substitute(count=view_count) if view_count else "",
    )


def brief_text(brief: Brief) -> str:
    """JSON marks where the seller's words begin and end, whatever they contain; nothing in them is unseen."""
    said = {"product": visible(brief.product_text), "wishes": visible(brief.wishes)}
    return json.dumps(said, ensure_ascii=False, indent=1)


def _file_of(template: Template) -> str:
    if template not in _FILES:
        raise ValueError(f"nothing is written for the template {template}")
    return _FILES[template]


@cache
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
