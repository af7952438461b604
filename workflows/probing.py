"""The money in KIE's accounts, asked on a schedule."""

from temporalio import workflow
from temporalio.common import VersioningBehavior

from activities import contracts
from activities.contracts import Alert, KieBalances, ProbedAccount
from domain.failures import FailureClass
from domain.policy import OrderPolicy
from workflows.contracts import Nothing
from workflows.policies import run
from workflows.telling import tell

# Nothing here belongs to an order; an admin who cannot be told in a minute is told by the next probe's alert.
_POLICY = OrderPolicy(sending_wait_seconds=60.0)


@workflow.defn(name="KieProbe", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class KieProbe:
    @workflow.run
    async def run(self, _: Nothing) -> KieBalances:
        probed = await run(contracts.PROBE_KIE, contracts.Nothing(), _POLICY, "balance of every account")
        workflow.set_current_details("\n".join(_line(each) for each in probed.accounts))
        for alert in _alerts(probed):
            await tell(run(contracts.ALERT_ADMINS, alert, _POLICY, f"{alert.failure_class} {alert.account}"))
        return probed


def _alerts(probed: KieBalances) -> list[Alert]:
    refused = [
        Alert(failure_class=FailureClass.BILLING.value, account=each.account, key_id=key_id)
        for each in probed.accounts
        for key_id in each.refused_key_ids
    ]
    low = [
        Alert(failure_class=contracts.LOW_BALANCE_ALERT, account=each.account)
        for each in probed.accounts
        if each.is_low
    ]
    return refused + low


def _line(probed: ProbedAccount) -> str:
    balance = probed.balance_kie_credits
    facts = {
        "not answered": balance is None,
        f"{balance or 0.0:.0f} KIE credits": balance is not None,
        "low": probed.is_low,
        "serves again": probed.block_lifted,
        f"keys back: {', '.join(probed.lifted_key_ids)}": bool(probed.lifted_key_ids),
        f"keys refused: {', '.join(probed.refused_key_ids)}": bool(probed.refused_key_ids),
    }
    return f"* **{probed.account}**: {', '.join(fact for fact, holds in facts.items() if holds)}"
