"""The environment as it is given: `.env` under it, and secrets that are handed over as files."""

import os
import re
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

Environment = Mapping[str, str]

PORT_MAX: Final = 65_535


class WrongSetting(Exception):
    """One sentence for the person who starts the program: the name, what is wrong, an example."""


class _NoFile(WrongSetting):
    """There is nothing of that name, or a folder."""


def merged_environment() -> dict[str, str]:
    """`.env`, or the file that ENV_FILE names, fills what the environment leaves open. Empty is not set.

    Raise WrongSetting for a file that cannot be read, and for one that is named and not there.
    """
    named = os.environ.get("ENV_FILE")
    from_file = _settings_of(Path(".env") if named is None else Path(named), named)
    return {name: value for name, value in {**from_file, **os.environ}.items() if value}


def _settings_of(path: Path, named: str | None) -> dict[str, str | None]:
    """A typing error in ENV_FILE would mean the default settings, hence another database."""
    if named == "":
        return {}
    try:
        text = _text(path, f"ENV_FILE: {named}" if named else str(path))
    except _NoFile:
        if named is None:
            return {}
        raise WrongSetting(f"ENV_FILE: {named} is not there, or is no file") from None
    return dotenv_values(stream=StringIO(text))


def with_secret_files(given: Environment, is_secret: Callable[[str], bool]) -> dict[str, str]:
    """`BOT_TOKEN_FILE` names a file with the value of `BOT_TOKEN`, as containers hand secrets over.

    Raise WrongSetting for one that cannot be read. What is set by itself comes first.
    """
    files = {name.removesuffix("_FILE"): path for name, path in given.items() if name.endswith("_FILE")}
    named = {name: path for name, path in files.items() if is_secret(name) and name not in given}
    return {**given, **{name: _content(name, path) for name, path in named.items()}}


def _content(name: str, path: str) -> str:
    return _text(Path(path), f"{name}_FILE: {path}").strip()


def _text(path: Path, what: str) -> str:
    """An editor's mark at its beginning is no part of it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise _NoFile(f"{what} cannot be read: {error.strerror}") from None
    except OSError as error:
        raise WrongSetting(f"{what} cannot be read: {error.strerror}") from None
    except ValueError:  # also a NUL in its name
        text = "\0"
    if "\0" in text:  # UTF-16 of plain letters is valid UTF-8 full of them
        raise WrongSetting(f"{what} is no text in UTF-8".replace("\0", "?"))
    return text


def port_in(given: Environment, name: str, default: int) -> int:
    """Raise WrongSetting for what is no port. 0 takes a free one."""
    text = given.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > PORT_MAX:
        raise WrongSetting(f"{name}: {text} is not a port number, for example {name}={default}")
    return int(text)
