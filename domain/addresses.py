"""Addresses that hold a login: what every library reads alike, and how they are shown."""

import re
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from domain.hiding import HIDDEN, Hider

_LOGIN: Final = re.compile(r"(?<=://)(?![/.])\S*@")  # up to the last @: a password may hold one, unencoded
_UP_TO_PATH: Final = re.compile(r"://([^@/?]*@)?[^@/?]*")  # the one @ that has its meaning, and no more
_HALF_ENCODED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_PARAMETERS: Final = re.compile(r"([^=&?]+=[^&?]*(&[^=&?]+=[^&?]*)*)?")
_SECRET_PARAMETERS: Final = frozenset({"password", "sslpassword"})


class UnreadableAddress(ValueError):
    """In words that show nothing of the address."""


def parts_of(address: str) -> SplitResult:
    """The library names what it cannot read, which may be a password. Raise UnreadableAddress."""
    try:
        return urlsplit(address)
    except ValueError:
        raise UnreadableAddress(
            "cannot be read: a special character in it has to be percent-encoded"
        ) from None


def check_encoded(address: str) -> None:
    """What one library takes for a password is the host for another. Raise UnreadableAddress."""
    if any(not character.isprintable() or character.isspace() for character in address):
        raise UnreadableAddress(
            "holds a space or a sign that cannot be seen: percent-encode it (a space is %20)"
        )
    if _HALF_ENCODED.search(address):
        raise UnreadableAddress("holds a % that begins no percent-encoded character: write %25 for it")
    if "#" in address or "@" in _UP_TO_PATH.sub("", address, count=1):
        raise UnreadableAddress(
            "holds an @ or # inside user or password: percent-encode them (%40, %23), as / (%2F) and ? (%3F)"
        )
    if "?" in address and not _PARAMETERS.fullmatch(address.partition("?")[2]):
        raise UnreadableAddress("holds parameters after ? that are not name=value, with & between them")


def has_port_or_none(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port >= 0
    except ValueError:
        return False


def without_login(address: str) -> str:
    return _LOGIN.sub(f"{HIDDEN}@", address)


def secrets_of(address: str) -> set[str]:
    """Its password, as it is written and as it is meant."""
    parts = parts_of(address)
    password = parts.password or ""
    asked = {value for name, value in parameters_of(parts) if name in _SECRET_PARAMETERS}
    written = {password, *asked}
    return {secret for each in written for secret in (each, unquote(each)) if secret}


def parameters_of(parts: SplitResult) -> list[tuple[str, str]]:
    """Name and value of what stands behind the ?, the value as it is written."""
    pairs = (each.partition("=") for each in parts.query.split("&"))
    return [(unquote(name), value) for name, _, value in pairs if name]


def hidden_in(said: str, address: str) -> str:
    """What a library says of an address, without the password in it."""
    try:
        secrets = secrets_of(address)
    except UnreadableAddress:
        secrets = set()
    return without_login(Hider(secrets).hide(said.replace(address, without_login(address))))
