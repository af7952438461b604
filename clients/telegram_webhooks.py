"""The webhook as Telegram knows it, and what makes a request of Telegram's one of ours.

A secret that was changed cannot be seen in what Telegram tells, so the address holds a digest of it: another
secret is another address.
"""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel, SecretStr, ValidationError

from clients.telegram import TelegramClient, TelegramUnknown

WEBHOOK_PATH: Final = "/telegram/webhook"
SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - its name
CONNECTIONS_MAX: Final = 100
"""As many as Telegram opens at most: a slow chat holds one of them."""

_DIGEST_CHARS: Final = 16


class WebhookInfo(BaseModel):
    """`url` is empty while updates are polled."""

    url: str = ""
    pending_update_count: int = 0
    max_connections: int = 0
    allowed_updates: list[str] = []
    last_error_date: datetime | None = None
    last_error_message: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """What Telegram should have. `public_base_url` is where it reaches us."""

    public_base_url: str
    secret: SecretStr
    allowed_updates: Collection[str]

    @property
    def url(self) -> str:
        return f"{self.public_base_url.rstrip('/')}{WEBHOOK_PATH}/{webhook_digest(self.secret)}"

    def is_set(self, info: WebhookInfo) -> bool:
        return (
            self.serves(info)
            and set(info.allowed_updates) == set(self.allowed_updates)
            and info.max_connections == CONNECTIONS_MAX
        )

    def serves(self, info: WebhookInfo) -> bool:
        """It may bring more than we ask for: a newer bot beside us takes payments that we know nothing of."""
        return info.url == self.url and set(info.allowed_updates) >= set(self.allowed_updates)


def webhook_digest(secret: SecretStr) -> str:
    signed = hmac.new(secret.get_secret_value().encode(), WEBHOOK_PATH.encode(), hashlib.sha256)
    return signed.hexdigest()[:_DIGEST_CHARS]


def secret_fits(secret: SecretStr, header: str) -> bool:
    """Compare in constant time. Without a secret nothing is Telegram's."""
    expected = secret.get_secret_value()
    return bool(expected) and hmac.compare_digest(expected.encode(), header.encode())


async def webhook_info(telegram: TelegramClient) -> WebhookInfo:
    """Raise TelegramError."""
    try:
        return WebhookInfo.model_validate(await telegram.call("getWebhookInfo", {}))
    except ValidationError:
        raise TelegramUnknown("getWebhookInfo was answered with something else") from None


async def set_webhook(telegram: TelegramClient, webhook: Webhook) -> None:
    """Pending updates stay. Raise TelegramError."""
    fields = {
        "url": webhook.url,
        "secret_token": webhook.secret.get_secret_value(),
        "allowed_updates": list(webhook.allowed_updates),
        "max_connections": CONNECTIONS_MAX,
    }
    await telegram.call("setWebhook", fields)


async def delete_webhook(telegram: TelegramClient) -> None:
    """Pending updates stay. Raise TelegramError."""
    await telegram.call("deleteWebhook", {})
