"""Twenty workers join and leave; longer, and under more load, it is `python -m benchmarks.workers`."""

import pytest

from tests.deploys.coming_and_going import Plan, come_and_go, wrong_with_all
from tests.deploys.system import system

# Every third is killed: so many roles, that each of them is hit.
ROLES = ("orders", "prompts", "kie,kie-create", "media", "telegram")
PLAN = Plan(workers=20, roles=ROLES, stay_seconds=1, order_every_seconds=6)


@pytest.mark.timeout(600)
async def test_twenty_workers_join_and_leave_and_nothing_is_lost_or_done_twice() -> None:
    async with system(workers=0) as (stack, place):
        passed = await come_and_go(stack, place, PLAN)
        assert passed.killed == 5
        assert passed.exit_codes == [0] * 15
        assert len(passed.orders) >= 3
        assert not await wrong_with_all(passed.orders)
