"""Who was forgotten, so that only he himself can be recognised, by those who hold the bot token."""

import hashlib
import hmac
from typing import Final

from pydantic import SecretStr

_KEY_PURPOSE: Final = b"fingerprint of a person"


class Fingerprints:
    """Keyed, because Telegram's ids are few enough to try them all. The key comes from the bot token."""

    def __init__(self, bot_token: SecretStr) -> None:
        token = bot_token.get_secret_value().encode()
        self._key = SecretStr(hmac.new(token, _KEY_PURPOSE, hashlib.sha256).hexdigest())

    def of(self, tg_user_id: int) -> str:
        key = self._key.get_secret_value().encode()
        return hmac.new(key, str(tg_user_id).encode(), hashlib.sha256).hexdigest()
