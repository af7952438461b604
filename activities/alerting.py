"""What the admins hear of failures: each kind once in a while, with how often it happened since."""

from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity

from activities import contracts
from activities.admins import Admins
from activities.contracts import Alert, Nothing
from clients.telegram import TelegramClient
from domain.actions import Card
from domain.failures import FailureClass
from domain.orders import Language
from store.alerts import AGAIN_IN
from store.stores import Stores
from store.users import Users
from texts import alert_cards

_log = structlog.get_logger(__name__)

_QUIET: Final = timedelta(hours=1)
_QUIET_PER_VIDEO: Final = timedelta(minutes=10)
_QUIET_LOW_BALANCE: Final = timedelta(days=1)
_PAUSE: Final = timedelta(minutes=1)

# One video at a time, so there may be hundreds: grouped, and never two messages in a minute.
_PER_VIDEO: Final = frozenset(
    {FailureClass.UNKNOWN.value, FailureClass.BAD_REQUEST.value, FailureClass.RESULT.value}
)


class AlertActivities:
    def __init__(
        self, telegram: TelegramClient, stores: Stores, users: Users, admins: tuple[int, ...]
    ) -> None:
        self._alerts = stores.alerts
        self._admission = stores.admission
        self._accounts = stores.accounts
        self._admins = Admins(telegram, users, admins)

    @activity.defn(name=contracts.ALERT_ADMINS.name)
    async def alert_admins(self, alert: Alert) -> Nothing:
        """The provider's raw answer is read from the attempt's row; it is never in a payload."""
        facts, raw = await self._facts(alert)
        cause = _cause(alert, facts)
        pause = _PAUSE if alert.failure_class in _PER_VIDEO else None
        passed_over = await self._alerts.claim(cause, _quiet(alert), _sender(), pause)
        if passed_over is None:
            return Nothing()
        _log.warning("admins are alerted", cause=cause, passed_over=passed_over)
        told = await self._admins.tell(
            lambda language: self._card(language, alert, facts, raw, passed_over), cause
        )
        if told or not self._admins.places:  # without administrators the log is who is told
            await self._alerts.sent(cause)
        else:
            await self._alerts.not_sent({cause: passed_over + 1}, AGAIN_IN)
        return Nothing()

    async def _facts(self, alert: Alert) -> tuple[dict[str, str], str]:
        facts = {"order": alert.order_id, "video": alert.video_id, "attempt": alert.attempt_id}
        if not alert.attempt_id:
            return facts | {"account": alert.account, "key": alert.key_id}, ""
        attempt = await self._admission.attempt(alert.attempt_id)
        facts |= {"account": attempt.account, "key": attempt.key_id, "video_model": attempt.video_model}
        return facts, attempt.raw_answer

    async def _card(
        self, language: Language, alert: Alert, facts: dict[str, str], raw: str, passed_over: int
    ) -> Card:
        if alert.failure_class != contracts.LOW_BALANCE_ALERT:
            return alert_cards.alert(language, alert.failure_class, facts, raw, passed_over)
        balance = await self._accounts.balance_of(alert.account)
        spent = await self._accounts.spent_in_a_day()
        return alert_cards.low_balance(language, alert.account, balance, spent.get(alert.account, 0.0))


def _cause(alert: Alert, facts: dict[str, str]) -> str:
    """What is told together: an account, a key, a video model, or everybody; never one video alone."""
    named = {
        FailureClass.BILLING.value: (facts["account"], alert.key_id),
        contracts.LOW_BALANCE_ALERT: (alert.account,),
        contracts.OUTAGE_ALERT: (),
    }.get(alert.failure_class, (facts.get("video_model", ""),))
    return ":".join(filter(None, (alert.failure_class, *named)))


def _quiet(alert: Alert) -> timedelta:
    if alert.failure_class in _PER_VIDEO:
        return _QUIET_PER_VIDEO
    return _QUIET_LOW_BALANCE if alert.failure_class == contracts.LOW_BALANCE_ALERT else _QUIET


def _sender() -> str:
    """A later try of the same activity sends what the try before it was about to send."""
    info = activity.info()
    return f"{info.workflow_id}/{info.workflow_run_id}/{info.activity_id}"
