"""Who an update is from."""

import structlog

from bot.alerting import alert_admins
from bot.parts import BotParts
from store.users import User

_log = structlog.get_logger()


async def know(parts: BotParts, tg_user_id: int, tg_language: str | None) -> User:
    """Registered, however often, and welcomed once; admins hear when a day's welcome credits are given."""
    user = await parts.users.register(tg_user_id, tg_language, parts.fingerprints.of(tg_user_id))
    if user.welcome_over:
        day = parts.clock().date()
        parts.background.run(
            alert_admins(parts, f"welcome-over:{day}", "alert-welcome-over", count=parts.shop.welcome_per_day)
        )
    return user
