"""doctor's look at the settings: what is missing, what was meant otherwise, what each is."""

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from admin.findings import Finding, ok, warning, wrong
from domain.addresses import without_login
from settings import Settings, load_kie_keys, read_environment

_DEFAULTS: Final = Settings()
_ELSEWHERE: Final = frozenset({"ENV_FILE"})
_KIE_KEY: Final = "KIE_API_KEY"
_LIKE: Final = 0.8  # so alike that one was meant and the other written
_OURS: Final = (
    "BOT_",
    "TELEGRAM_",
    "KIE_",
    "OPENAI_",
    "DATABASE_",
    "TEMPORAL_",
    "MEDIA_",
    "WELCOME_",
    "CODEC_",
)


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A secret is only said to be set."""

    name: str
    value: str
    is_default: bool


def setting_lines(settings: Settings) -> list[SettingLine]:
    lines = [_line(name, getattr(settings, name)) for name in Settings.model_fields]
    keys = [SettingLine(key.ref.key_id, "set", is_default=False) for key in load_kie_keys()]
    return [*lines, *keys]


def examine_settings(settings: Settings) -> Iterator[Finding]:
    changed = [line for line in setting_lines(settings) if not line.is_default]
    yield ok("settings", f"{len(changed)} are set, all can be used; doctor --settings lists every one")
    yield from _missing(settings)
    yield from _unusual(settings)
    yield from _unknown(read_environment())


def _line(name: str, value: Any) -> SettingLine:
    shown = ("set" if value else "") if isinstance(value, SecretStr) else without_login(str(value))
    return SettingLine(name.upper(), shown, is_default=value == getattr(_DEFAULTS, name))


def _missing(settings: Settings) -> Iterator[Finding]:
    if not settings.bot_token:
        yield wrong("BOT_TOKEN", "not set: no bot", "ask @BotFather for a token")
    if not load_kie_keys():
        yield wrong(
            _KIE_KEY, "not set: no video is made", "set KIE_API_KEY, or KIE_API_KEY_1 to KIE_API_KEY_10"
        )
    if not settings.openai_api_key:
        yield warning("OPENAI_API_KEY", "not set: only own prompts are offered", "set it, or leave it so")
    if not settings.admins:
        yield warning(
            "ADMIN_TG_IDS", "not set: nobody is told of trouble", "set the Telegram ids of your admins"
        )
    if not settings.public_base_url:
        yield warning(
            "PUBLIC_BASE_URL",
            "not set: KIE is only polled, a video comes up to 30 s later",
            "set it, with HTTPS",
        )
    if not settings.backup_url:
        yield warning("BACKUP_URL", "not set: nothing is backed up", "set it to a folder or bucket elsewhere")
    if not settings.metrics_port:
        yield ok("METRICS_PORT", "none for this command; programs that serve need one each")


def _unusual(settings: Settings) -> Iterator[Finding]:
    if settings.support_contact == _DEFAULTS.support_contact:
        yield warning("SUPPORT_CONTACT", "is @support, a stranger", "set whom users shall write to")
    if settings.time_scale != 1:
        yield warning(
            "TIME_SCALE", f"{settings.time_scale:g}: every wait is shorter", "leave it out but for tests"
        )


def _unknown(given: dict[str, str]) -> Iterator[Finding]:
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted(given):
        if name in known or name in _ELSEWHERE or name.startswith(_KIE_KEY) or not name.startswith(_OURS):
            continue
        meant = difflib.get_close_matches(name.removesuffix("_FILE"), known, n=1, cutoff=_LIKE)
        if meant and not name.endswith("_FILE"):
            yield warning(name, "is no setting, and has no effect", f"was {meant[0]} meant?")


def env_file() -> str:
    return os.environ.get("ENV_FILE", ".env")
