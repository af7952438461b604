"""Secrets that exist nowhere else, and the search for them in everything that a running system leaves."""

import base64
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import psutil

# Where a secret is meant to be, for its owner's eyes: our own servers' passwords, what commands beside them
# are given; and what Telegram itself keeps of a bot.
PRIVATE = ("postgres/password", "webhook_secret", "env")
OF_TELEGRAM = "telegram/"


def canary(name: str) -> str:
    return f"Canary{name}{secrets.token_hex(12)}"


@dataclass
class Canaries:
    """By name, as the settings have them."""

    bot_token: str = field(default_factory=lambda: f"{secrets.randbelow(10**9) + 10**9}:AAF{canary('Bot')}")
    kie_keys: tuple[str, str] = field(default_factory=lambda: (canary("KieOne"), canary("KieTwo")))
    openai_key: str = field(default_factory=lambda: f"sk-{canary('OpenAi')}")
    kie_webhook_secret: str = field(default_factory=lambda: canary("KieHook"))
    payload_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    codec_token: str = field(default_factory=lambda: canary("Codec"))
    more: dict[str, str] = field(default_factory=dict)

    def settings(self, *, encrypted: bool) -> dict[str, str]:
        always = {
            "BOT_TOKEN": self.bot_token,
            "KIE_API_KEY_1": self.kie_keys[0],
            "KIE_API_KEY_2": self.kie_keys[1],
            "OPENAI_API_KEY": self.openai_key,
            "KIE_WEBHOOK_SECRET": self.kie_webhook_secret,
            "CODEC_TOKEN": self.codec_token,
        }
        return always | ({"TEMPORAL_PAYLOAD_KEY": f"k1:{self.payload_key}"} if encrypted else {})

    def by_name(self) -> dict[str, bytes]:
        """In the smallest part that is secret by itself."""
        return {
            "bot token": self.bot_token.partition(":")[2].encode(),
            "first KIE key": self.kie_keys[0].encode(),
            "second KIE key": self.kie_keys[1].encode(),
            "OpenAI key": self.openai_key.encode(),
            "KIE webhook secret": self.kie_webhook_secret.encode(),
            "payload key": self.payload_key.encode(),
            "payload key, decoded": base64.b64decode(self.payload_key),
            "codec token": self.codec_token.encode(),
            **{name: value.encode() for name, value in self.more.items()},
        }


def forms_of(secret: bytes) -> Iterator[bytes]:
    """Written anew, and not as the product does it."""
    yield secret
    yield quote(secret).encode()
    yield quote_plus(secret).encode()
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for before in (b"", b"x", b"xx"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole_groups = len(before + secret) // 3 * 4
            yield encode(before + secret)[4 if before else 0 : whole_groups]


def found_in(places: Mapping[str, bytes], canaries: Canaries) -> list[str]:
    """`secret: place: what stands before it` for each that is there in any form."""
    forms = {name: set(forms_of(secret)) for name, secret in canaries.by_name().items()}
    return sorted(
        f"{name}: {place}: {_before(content, form)}"
        for place, content in places.items()
        for name, each in forms.items()
        for form in each
        if form in content
    )


def _before(content: bytes, form: bytes) -> str:
    """Enough to see who said it, and nothing of the secret."""
    at = content.index(form)
    return content[max(0, at - 60) : at].decode(errors="replace")


def files_under(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {
        f"file {name}": path.read_bytes()
        for name, path in found.items()
        if name not in PRIVATE and not name.startswith(OF_TELEGRAM)
    }


def modes(folder: Path) -> dict[str, int]:
    return {name: stat.S_IMODE((folder / name).stat().st_mode) for name in PRIVATE}


def command_lines() -> dict[str, bytes]:
    """Of everything we started, as anybody on the machine sees it."""
    found = {}
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found[f"command line of {each.name()}"] = "\0".join(each.cmdline()).encode()
    return found


async def pages(urls: Iterable[str]) -> dict[str, bytes]:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        return {f"page {url}": (await http.get(url)).content for url in urls}
