"""Words for people, in Fluent. Messages go out as HTML, so everything a person wrote is escaped here."""

import html
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

from domain.orders import Language

_FOLDER: Final = Path(__file__).parent


class BrokenText(Exception):
    """A key that is missing, or a variable that nobody gave: a bug, found by the tests."""


def say(language: Language, key: str, **args: str | int) -> str:
    """The text as HTML for Telegram; strings among `args` are escaped."""
    return _format(language, key, {name: _escaped(value) for name, value in args.items()})


def label(language: Language, key: str, **args: str | int) -> str:
    """The text of a button, a toast or a command: Telegram shows these as they are."""
    return _format(language, key, dict(args))


def source(language: Language) -> str:
    """All texts of a language: one file per room of the bot."""
    files = sorted((_FOLDER / language.value).glob("*.ftl"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def keys(language: Language) -> tuple[str, ...]:
    return tuple(_bundle(language)._messages)  # noqa: SLF001 - the library has no public list of its keys


def _format(language: Language, key: str, args: dict[str, str | int]) -> str:
    bundle = _bundle(language)
    pattern = bundle.get_message(key).value if bundle.has_message(key) else None
    if pattern is None:
        raise BrokenText(f"{language}: {key} is missing")
    fluent_args: dict[str, Any] = {name: _ungrouped(value) for name, value in args.items()}
    text, errors = bundle.format_pattern(pattern, fluent_args)
    if errors:
        raise BrokenText(f"{language}: {key}: {errors[0]}")
    return str(text)


def _escaped(value: str | int) -> str | int:
    return html.escape(value, quote=False) if isinstance(value, str) else value


def _ungrouped(value: str | int) -> Any:
    """1200 stays 1200: a balance with a separator reads as two numbers."""
    return fluent_number(value, useGrouping=False) if isinstance(value, int) else value


@lru_cache(maxsize=len(Language))
def _bundle(language: Language) -> FluentBundle:
    bundle = FluentBundle([language.value], use_isolating=False)
    bundle.add_resource(FluentResource(source(language)))
    return bundle
