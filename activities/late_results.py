"""KIE tasks of videos that are settled: nobody waits for them, but they may end yet, and cost money.

How they ended is written down and counted; nothing of it is delivered.
"""

from datetime import timedelta
from typing import Final

import structlog

from clients.kie import KieClient, KieError, KieRecord, KieTaskState
from domain.attempts import AttemptRow
from domain.failures import Failure, FailureClass
from store.accounts import Accounts
from store.admission import Admission
from store.limits import Rate, RateLimits

_ASKED_FOR: Final = timedelta(hours=2)
_NAME: Final = "late-results"

_log = structlog.get_logger(__name__)


class LateResults:
    """Their slots are free again as soon as it is known that they ended."""

    def __init__(
        self,
        kie: KieClient,
        admission: Admission,
        accounts: Accounts,
        limits: RateLimits,
        apart_seconds: float,
    ) -> None:
        self._kie = kie
        self._admission = admission
        self._accounts = accounts
        self._limits = limits
        self._rate = Rate(per_second=1 / apart_seconds, burst=1)

    async def look(self) -> None:
        """However many of us there are: KIE's pace belongs to videos that somebody waits for."""
        if await self._limits.take(_NAME, self._rate):
            return
        for attempt in await self._admission.left_alone(_ASKED_FOR):
            await self._look(attempt)

    async def _look(self, attempt: AttemptRow) -> None:
        """What KIE does not tell now, it is asked for again next time."""
        key_id = await self._accounts.pollable_key(attempt.account, attempt.key_id)
        if key_id is None:
            return
        try:
            record = await self._kie.record(key_id, attempt.kie_task_id or "")
        except KieError as error:
            _log.info("late KIE task was not read", attempt_id=attempt.id, error=type(error).__name__)
            return
        await self._keep(attempt, record)

    async def _keep(self, attempt: AttemptRow, record: KieRecord) -> None:
        spent = record.credits_consumed
        if record.state is KieTaskState.SUCCESS:
            await self._admission.record_task_success(attempt.id, record.result_urls, spent)
        elif record.state is KieTaskState.FAIL:
            failure = record.failure or Failure(FailureClass.UNKNOWN, code=record.fail_code)
            await self._admission.record_task_failed(attempt.id, failure, record.raw, spent)
        else:
            return
        _log.info("late KIE task", attempt_id=attempt.id, state=record.state.value, kie_credits=spent)
