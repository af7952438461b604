"""The only reader of the environment. A wrong value stops the start with its name and an example."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from domain.addresses import check_encoded, has_port_or_none, parts_of, secrets_of
from domain.keys import KeyRef, KieKey
from domain.payload_keys import parse_payload_keys
from domain.payments import Package
from domain.policy import OrderPolicy
from domain.shop import ShopRules
from domain.video_models import CATALOGUE
from environment import PORT_MAX, Environment, WrongSetting, merged_environment, with_secret_files

_TOKEN: Final = re.compile(r"\d+:[\w-]+", re.ASCII)
_KIE_KEY_NAME: Final = re.compile(r"KIE_API_KEY(_\d+)?")
_SENDABLE: Final = re.compile(r"[!-~]+")  # what a header or an address can carry
_PACKAGE: Final = re.compile(r"[1-9][0-9]{0,4}:[1-9][0-9]{0,4}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,19}")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_WEBHOOK_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)  # what Telegram takes
_TELEGRAM: Final = "https://api.telegram.org"
_WEBHOOK_PORTS: Final = (443, 80, 88, 8443)
_CODEC_TOKEN_CHARACTERS_MIN: Final = 24  # nobody guesses it, however often he tries
_NOT_SENDABLE: Final = "holds a space or a letter that no key has"
_KEY_SLOTS: Final = ("", *(f"_{number}" for number in range(1, 11)))

_EXAMPLES: Final = {
    "BOT_TOKEN": "123456789:AAF-the-token-that-BotFather-gave-you",
    "TELEGRAM_API_BASE": "https://api.telegram.org",
    "TELEGRAM_UPDATES": "polling",
    "TELEGRAM_WEBHOOK_SECRET": "a-long-random-word",
    "PUBLIC_BASE_URL": "https://bot.example.com",
    "WEB_PORT": "8088",
    "KIE_API_BASE": "https://api.kie.ai",
    "KIE_UPLOAD_BASE": "https://kieai.redpandaai.co",
    "KIE_API_KEY": "0123456789abcdef0123456789abcdef",
    "OPENAI_API_KEY": "sk-the-key-of-your-project",
    "KIE_WEBHOOK_SECRET": "another-long-random-word",
    "VIDEO_MODELS": "kling-2.6/image-to-video,bytedance/seedance-1.5-pro",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "DATABASE_URL": "postgresql://user:password@localhost:5432/neurocards",
    "DATABASE_OWNER_URL": "postgresql://owner:password@localhost:5432/neurocards",
    "TEMPORAL_ADDRESS": "localhost:7233",
    "TEMPORAL_PAYLOAD_KEY": "2026-11:$(openssl rand -base64 32)",
    "TEMPORAL_UI_URL": "http://localhost:8233",
    "CODEC_TOKEN": "$(openssl rand -hex 24)",
    "MEDIA_URL": "file:///var/lib/neurocards/media",
    "ADMIN_TG_IDS": "123456789,987654321",
    "WELCOME_CREDITS": "3",
    "WELCOME_PER_DAY": "500",
    "STAR_PACKAGES": "5:150,20:500,60:1300",
    "TERMS_VERSION": "1",
    "MESSAGES_PER_SECOND": "3",
    "OPEN_ORDERS_MAX": "10",
    "ORDERS_PER_DAY_MAX": "100",
    "GPT_CALLS_PER_MINUTE": "300",
    "METRICS_PORT": "9464",
    "HEALTH_PORT": "8089",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    "WORKER_BUILD_ID": "2026-11-21",
    "BACKUP_URL": "s3://bucket/backups",
    "LOG_FORMAT": "json",
    "TIME_SCALE": "1",
    "START_WAIT_SECONDS": "600",
}


class Settings(BaseModel):
    """Field names are the environment's, in lower case."""

    model_config = ConfigDict(frozen=True)

    bot_token: SecretStr = SecretStr("")
    telegram_api_base: str = "https://api.telegram.org"
    telegram_updates: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: SecretStr = SecretStr("")
    public_base_url: str = ""
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8088, ge=0, le=PORT_MAX)

    kie_api_base: str = "https://api.kie.ai"
    kie_upload_base: str = "https://kieai.redpandaai.co"
    kie_webhook_secret: SecretStr = SecretStr("")
    video_models: str = (
        "kling-2.6/image-to-video,bytedance/seedance-1.5-pro,hailuo/2-3-image-to-video-standard"
    )

    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"
    openai_model: str = "gpt-5-mini"

    database_url: SecretStr = SecretStr("postgresql://neurocards@localhost:5432/neurocards")
    database_owner_url: SecretStr = SecretStr("")
    temporal_address: str = "localhost:7233"
    temporal_namespace: str = "default"
    temporal_payload_key: SecretStr = SecretStr("")
    temporal_ui_url: str = "http://localhost:8233"
    codec_token: SecretStr = SecretStr("")
    media_url: str = "file://./.data/media"

    admin_tg_ids: str = ""
    support_contact: str = "@support"
    welcome_credits: int = Field(default=3, ge=0, le=1_000)
    welcome_per_day: int = Field(default=500, ge=0, description="users who get welcome credits on one day")
    star_packages: str = "5:150,20:500,60:1300"
    terms_version: int = Field(default=1, ge=1)

    messages_per_second: float = Field(
        default=3.0, gt=0, description="of one user, after a burst of ten times as many"
    )
    open_orders_max: int = Field(default=10, ge=1, description="of one user")
    orders_per_day_max: int = Field(default=100, ge=1, description="of one user")
    gpt_calls_per_minute: int = Field(default=300, ge=1)

    metrics_port: int = Field(default=0, ge=0, le=PORT_MAX, description="0: no metrics endpoint")
    health_port: int = Field(default=0, ge=0, le=PORT_MAX, description="of a worker; 0: none")
    otel_exporter_otlp_endpoint: str = Field(default="", description="where traces go; empty: nowhere")
    worker_build_id: str = Field(default="", description="pins orders to this version of the workers")
    backup_url: str = Field(default="", description="where backups are kept, as MEDIA_URL has it")
    backup_database_url: SecretStr = Field(
        default=SecretStr(""), description="a login that may replicate; empty: DATABASE_OWNER_URL"
    )
    backup_folder: str = Field(
        default="./.data/backup", description="WAL that is not kept yet, and room for the restore test"
    )
    log_format: Literal["auto", "json", "text"] = "auto"
    time_scale: float = Field(default=1.0, gt=0, le=1)
    start_wait_seconds: float = Field(
        default=600.0, ge=0, description="for servers, schema and search attributes; then a start has failed"
    )
    ready_file: str = Field(default="", description="created once the program serves; for health checks")

    @field_validator(
        "telegram_api_base",
        "kie_api_base",
        "kie_upload_base",
        "openai_base_url",
        "public_base_url",
        "temporal_ui_url",
        "otel_exporter_otlp_endpoint",
    )
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = parts_of(value)
        if value and not (parts.scheme in {"http", "https"} and parts.hostname and has_port_or_none(parts)):
            raise ValueError("is not a web address")
        return value.rstrip("/")

    @field_validator("bot_token")
    @classmethod
    def _token_of_botfather(cls, value: SecretStr) -> SecretStr:
        if value and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("is not a bot token")
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _secret_of_telegram(cls, value: SecretStr) -> SecretStr:
        if value and not _WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("may hold only A-Z, a-z, 0-9, _ and -, at most 256 of them")
        return value

    @field_validator("openai_api_key")
    @classmethod
    def _sendable(cls, value: SecretStr) -> SecretStr:
        if value and not _SENDABLE.fullmatch(value.get_secret_value()):
            raise ValueError(_NOT_SENDABLE)
        return value

    @field_validator("temporal_payload_key")
    @classmethod
    def _payload_keys(cls, value: SecretStr) -> SecretStr:
        parse_payload_keys(value.get_secret_value())
        return value

    @field_validator("codec_token")
    @classmethod
    def _long_and_sendable(cls, value: SecretStr) -> SecretStr:
        if value and len(value.get_secret_value()) < _CODEC_TOKEN_CHARACTERS_MIN:
            raise ValueError(f"has fewer than {_CODEC_TOKEN_CHARACTERS_MIN} letters")
        return cls._sendable(value)

    @field_validator("database_url", "database_owner_url", "backup_database_url")
    @classmethod
    def _postgres_address(cls, value: SecretStr) -> SecretStr:
        check_encoded(value.get_secret_value())
        parts = parts_of(value.get_secret_value())
        if value and (parts.scheme not in {"postgresql", "postgres"} or not has_port_or_none(parts)):
            raise ValueError(
                "is not a PostgreSQL address; what is special in its password is percent-encoded"
            )
        return value

    @field_validator("media_url", "backup_url")
    @classmethod
    def _storage_address(cls, value: str) -> str:
        parts = parts_of(value)
        if not value:
            return value
        is_folder = parts.scheme == "file" and parts.netloc in {"", "."} and parts.path.startswith("/")
        if not is_folder and not (parts.scheme == "s3" and parts.netloc):
            raise ValueError("is neither file:///… nor s3://…")
        return value

    @field_validator("video_models")
    @classmethod
    def _known_models(cls, value: str) -> str:
        slugs = [slug.strip() for slug in value.split(",") if slug.strip()]
        unknown = [slug for slug in slugs if slug not in CATALOGUE]
        if unknown or not slugs:
            raise ValueError(f"names no video model of the catalogue: {', '.join(unknown) or 'empty'}")
        return ",".join(slugs)

    @field_validator("temporal_address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not _HOST.fullmatch(host) or not _NUMBER.fullmatch(port) or int(port) > PORT_MAX:
            raise ValueError("is not host:port")
        return value

    @field_validator("admin_tg_ids")
    @classmethod
    def _numbers(cls, value: str) -> str:
        if any(not _NUMBER.fullmatch(part.strip()) for part in value.split(",") if part.strip()):
            raise ValueError("is not a list of numbers")
        return value

    @field_validator("star_packages")
    @classmethod
    def _credits_and_stars(cls, value: str) -> str:
        if not all(_PACKAGE.fullmatch(part.strip()) for part in value.split(",")):
            raise ValueError("is not a list of credits:stars")
        return value

    @property
    def packages(self) -> tuple[Package, ...]:
        """The id of a package names both numbers, so that an old invoice never means a new price."""
        pairs = (part.strip().split(":") for part in self.star_packages.split(","))
        return tuple(Package(f"{amount}c{stars}s", int(amount), int(stars)) for amount, stars in pairs)

    @property
    def shop_rules(self) -> ShopRules:
        return ShopRules(
            packages=self.packages,
            terms_version=self.terms_version,
            admins=self.admins,
            video_models=self.preferred_models,
            welcome_per_day=self.welcome_per_day,
            messages_per_second=self.messages_per_second,
            open_orders_max=self.open_orders_max,
            orders_per_day_max=self.orders_per_day_max,
        )

    @property
    def admins(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.admin_tg_ids.split(",") if part.strip())

    @property
    def preferred_models(self) -> tuple[str, ...]:
        return tuple(self.video_models.split(","))

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """What no log line may show: whole, and in the parts that are secret by themselves."""
        values = (getattr(self, name) for name in type(self).model_fields)
        whole = [value for value in values if isinstance(value, SecretStr) and value]
        return (*whole, *(SecretStr(part) for part in self._secret_parts() if part))

    def _secret_parts(self) -> Iterator[str]:
        for name in type(self).model_fields:
            if name.endswith(("_url", "_base", "_endpoint")):
                yield from secrets_of(_as_text(getattr(self, name)))
        for key in self.temporal_payload_key.get_secret_value().split(","):
            yield key.partition(":")[2].strip()
        yield self.bot_token.get_secret_value().partition(":")[2]

    @property
    def order_policy(self) -> OrderPolicy:
        return OrderPolicy().scaled(self.time_scale)


def _as_text(value: str | SecretStr) -> str:
    return value if isinstance(value, str) else value.get_secret_value()


def origin_of(address: str) -> str:
    """As browsers say where a page is from."""
    parts = parts_of(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def read_environment() -> dict[str, str]:
    """`.env`, or the file that ENV_FILE names, fills what the environment leaves open. Empty is not set."""
    return with_secret_files(merged_environment(), _is_secret)


def _is_secret(name: str) -> bool:
    field = Settings.model_fields.get(name.lower())
    return bool(_KIE_KEY_NAME.fullmatch(name)) or (field is not None and field.annotation is SecretStr)


def load_settings(environment: Environment | None = None) -> Settings:
    """Raise WrongSetting for the first value that cannot be used."""
    given = read_environment() if environment is None else environment
    fields = {name.lower(): value for name, value in given.items() if value and name.isupper()}
    try:
        settings = Settings.model_validate(
            {name: fields[name] for name in Settings.model_fields if name in fields}
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        raise _wrong(name, str(first["msg"]).removeprefix("Value error, ")) from None
    _check_together(settings)
    return settings


def require(settings: Settings, *names: str) -> None:
    """Raise WrongSetting for the first of these that a program cannot do without."""
    for name in names:
        if not getattr(settings, name.lower()):
            raise _wrong(name, "is not set")


def _check_together(settings: Settings) -> None:
    if settings.telegram_updates == "webhook":
        _need_beside(settings, "PUBLIC_BASE_URL", "TELEGRAM_UPDATES is webhook")
        _need_beside(settings, "TELEGRAM_WEBHOOK_SECRET", "TELEGRAM_UPDATES is webhook")
        _check_reachable(settings)
    if settings.public_base_url:
        _need_beside(settings, "KIE_WEBHOOK_SECRET", "PUBLIC_BASE_URL is set")


def _check_reachable(settings: Settings) -> None:
    """Telegram itself posts only there; a server of one's own may post anywhere."""
    address = parts_of(settings.public_base_url)
    if settings.telegram_api_base != _TELEGRAM:
        return
    if address.scheme != "https":
        raise _wrong("PUBLIC_BASE_URL", "Telegram posts updates over https only")
    if address.port not in {None, *_WEBHOOK_PORTS}:
        ports = ", ".join(map(str, _WEBHOOK_PORTS))
        raise _wrong(
            "PUBLIC_BASE_URL", f"Telegram posts updates to the ports {ports} only, not {address.port}"
        )


def _need_beside(settings: Settings, name: str, reason: str) -> None:
    if not getattr(settings, name.lower()):
        raise _wrong(name, f"must be set when {reason}")


def _wrong(name: str, said: str) -> WrongSetting:
    example = f", for example {name}={_EXAMPLES[name]}" if name in _EXAMPLES else ""
    return WrongSetting(f"{name}: {said}{example}")


def load_kie_keys(environment: Environment | None = None) -> tuple[KieKey, ...]:
    """`KIE_API_KEY` and `KIE_API_KEY_1` … `_10`; without a named account each key is its own.

    Raise WrongSetting for one that cannot be sent.
    """
    given = read_environment() if environment is None else environment
    return tuple(
        _kie_key(name, secret, given)
        for slot in _KEY_SLOTS
        if (secret := given.get(name := f"KIE_API_KEY{slot}"))
    )


def require_kie_key(keys: tuple[KieKey, ...]) -> None:
    if not keys:
        raise _wrong("KIE_API_KEY", "is not set")


def _kie_key(name: str, secret: str, environment: Environment) -> KieKey:
    """The id holds a digest, so that a new key in an old slot does not inherit the old one's block."""
    if not _SENDABLE.fullmatch(secret):
        raise WrongSetting(f"{name}: {_NOT_SENDABLE}, for example {name}={_EXAMPLES['KIE_API_KEY']}")
    digest = hashlib.sha256(secret.encode()).hexdigest()[:8]
    key_id = f"{name.removeprefix('KIE_API_').lower().replace('_', '')}-{digest}"
    account = environment.get(f"{name}_ACCOUNT") or key_id
    return KieKey(KeyRef(key_id, account), SecretStr(secret))
