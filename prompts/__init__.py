"""Words for models: one file per template, filled in here. What the seller wrote travels apart, as data."""

import json
from functools import cache
from pathlib import Path
from string import Template as Text
from typing import Final

from domain.orders import Brief, Language, Template
from domain.scripts import asked_chars

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


def instructions(template: Template, count: int, language: Language, prompt_chars_max: int) -> str:
    """Everything GPT is told; nothing in it comes from the seller."""
    difference = Text(_SEVERAL).substitute(count=count) if count > 1 else _ONE
    return Text(_read("common.md") + "\n" + _read(_file_of(template))).substitute(
        count_phrase=f"exactly {count} scripts" if count > 1 else "exactly one script",
        difference=difference,
        language=_LANGUAGES[language],
        chars=asked_chars(prompt_chars_max),
    )


def brief_text(brief: Brief) -> str:
    """JSON marks where the seller's words begin and end, whatever they contain."""
    said = {"product": brief.product_text, "wishes": brief.wishes}
    return json.dumps(said, ensure_ascii=False, indent=1)


def _file_of(template: Template) -> str:
    if template not in _FILES:
        raise ValueError(f"nothing is written for the template {template}")
    return _FILES[template]


@cache
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
