"""Asks KIE's accounts for their money: who was out of it serves again, who runs low is told of."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from temporalio import activity

from activities import contracts
from activities.contracts import KieBalances, Nothing, ProbedAccount
from clients.kie import KieClient, KieError, KieRefused
from domain.accounts import AccountStatus
from domain.admission import KEY_REFUSED_CODE
from domain.failures import Failure, FailureClass
from domain.video_models import CATALOGUE
from store.accounts import Accounts

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Of one key: a balance, a refusal of the key itself, or nothing to go by."""

    key_id: str
    balance: float | None = None
    refusal: Failure | None = None


class ProbeActivities:
    def __init__(self, kie: KieClient, accounts: Accounts, video_models: Sequence[str]) -> None:
        self._kie = kie
        self._accounts = accounts
        self._one_video = max((CATALOGUE[slug].kie_credits for slug in video_models), default=0.0)

    @activity.defn(name=contracts.PROBE_KIE.name)
    async def probe_kie(self, _: Nothing) -> KieBalances:
        """Every key is asked, side by side: one that was refused may answer again."""
        statuses = await self._accounts.statuses()
        spent = await self._accounts.spent_in_a_day()
        answers = await asyncio.gather(*(self._ask(status) for status in statuses))
        return KieBalances(
            accounts=tuple(
                [
                    await self._take(status.account, of_account, spent.get(status.account, 0.0))
                    for status, of_account in zip(statuses, answers, strict=True)
                ]
            )
        )

    async def _ask(self, status: AccountStatus) -> list[_Answer]:
        return await asyncio.gather(*(self._ask_with(key.key_id) for key in status.keys))

    async def _ask_with(self, key_id: str) -> _Answer:
        try:
            return _Answer(key_id, balance=await self._kie.balance(key_id))
        except KieRefused as refused:
            is_of_key = (refused.failure.failure_class, refused.failure.code) == _KEY_REFUSED
            return _Answer(key_id, refusal=refused.failure if is_of_key else None)
        except KieError as error:
            _log.info("balance was not read", key_id=key_id, error=str(error))
            return _Answer(key_id)

    async def _take(self, account: str, answers: Sequence[_Answer], spent_in_a_day: float) -> ProbedAccount:
        """The rows first, then whoever reads the result."""
        answered = [each.key_id for each in answers if each.balance is not None]
        lifted = [key_id for key_id in answered if await self._accounts.key_answers(key_id)]
        refused = [each.key_id for each in answers if each.refusal and await self._block(account, each)]
        probed = ProbedAccount(account=account, lifted_key_ids=lifted, refused_key_ids=refused)
        balance = next((each.balance for each in answers if each.balance is not None), None)
        if balance is None:
            return probed
        money = {
            "balance_kie_credits": balance,
            "is_low": balance < max(spent_in_a_day, self._one_video),
            "block_lifted": await self._accounts.keep_balance(account, balance, self._one_video),
        }
        return probed.model_copy(update=money)

    async def _block(self, account: str, answer: _Answer) -> bool:
        """True: nobody knew before."""
        if answer.refusal is None:
            return False
        block = await self._accounts.apply_failure(
            account=account, key_id=answer.key_id, video_model="", failure=answer.refusal
        )
        return block is not None and block.newly


_KEY_REFUSED = (FailureClass.BILLING, KEY_REFUSED_CODE)
