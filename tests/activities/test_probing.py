"""A probe of KIE's accounts against the stand-in: money read, blocks lifted, keys refused."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.contracts import KieBalances, Nothing, ProbedAccount
from activities.probing import ProbeActivities
from clients.kie import KieClient
from domain.failures import Failure, FailureClass
from domain.keys import KeyRef, KieKey
from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running
from store.accounts import Accounts
from store.database import Database
from tests.fixtures.kie_rows import START, HandClock, add_video

KLING = "kling-2.6/image-to-video"  # one video is 55 KIE credits
KEYS = {"a1": "alpha", "a2": "alpha", "b1": "beta"}
REFUSED = Failure(FailureClass.BILLING, code="401")
NO_MONEY = Failure(FailureClass.BILLING, code="402")
BUSY = Failure(FailureClass.RATE_LIMIT, code="429")


@dataclass
class Rig:
    http: httpx.AsyncClient
    accounts: Accounts
    activities: ProbeActivities
    database: Database

    async def probe(self) -> dict[str, ProbedAccount]:
        found: KieBalances = await ActivityEnvironment().run(self.activities.probe_kie, Nothing())
        return {each.account: each for each in found.accounts}

    async def money(self, account: str, credits: float) -> None:  # noqa: A002 - KIE's word
        order = {"account": account, "credits": credits}
        (await self.http.post("/control/accounts", json=order)).raise_for_status()

    async def key(self, key: str, *, revoked: bool) -> None:
        (await self.http.post("/control/keys", json={"key": key, "revoked": revoked})).raise_for_status()

    async def failed(self, account: str, key_id: str, failure: Failure) -> None:
        await self.accounts.apply_failure(account=account, key_id=key_id, video_model=KLING, failure=failure)

    async def spent(self, kie_credits: float) -> None:
        video_id = await add_video(self.database, 7)
        async with self.database.connection() as connection:
            await connection.execute(
                """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                         kie_task_id, task_state, credits_consumed, admitted_at, ended_at)
                   select 'x', id, user_id, 1, 'm', 'alpha', 'a1', 'ACCEPTED', 't', 'SUCCESS', $2, $3, $3
                   from videos where id = $1""",
                video_id, kie_credits, START,
            )  # fmt: skip


@pytest_asyncio.fixture
async def rig(database: Database) -> AsyncIterator[Rig]:
    secrets = {f"secret-{key_id}": account for key_id, account in KEYS.items()}
    refs = [KeyRef(key_id, account) for key_id, account in KEYS.items()]
    async with (
        running(kie_app(KieSettings(), secrets)) as url,
        httpx.AsyncClient(base_url=url, timeout=10) as http,
    ):
        client = KieClient(
            [KieKey(ref, SecretStr(f"secret-{ref.key_id}")) for ref in refs],
            api_base=url,
            upload_base=url,
            webhook_secret=SecretStr("s"),
        )
        accounts = Accounts(database, HandClock(), refs)
        yield Rig(http, accounts, ProbeActivities(client, accounts, [KLING]), database)
        await client.aclose()


async def test_balances_are_read_and_kept(rig: Rig) -> None:
    await rig.money("alpha", 1_234.5)
    found = await rig.probe()
    assert found["alpha"] == ProbedAccount(account="alpha", balance_kie_credits=1_234.5)
    alpha, beta = await rig.accounts.statuses()
    assert (alpha.balance_kie_credits, alpha.balance_at) == (1_234.5, START)
    assert beta.balance_kie_credits == 100_000


async def test_an_account_with_money_again_serves_again(rig: Rig) -> None:
    await rig.failed("alpha", "a1", NO_MONEY)
    await rig.money("alpha", 54)
    assert not (await rig.probe())["alpha"].block_lifted, "not even one video"
    assert await rig.accounts.serving_accounts() == ("beta",)
    await rig.money("alpha", 55)
    assert (await rig.probe())["alpha"].block_lifted
    assert await rig.accounts.serving_accounts() == ("alpha", "beta")
    assert not (await rig.probe())["alpha"].block_lifted


async def test_money_does_not_help_against_a_busy_account(rig: Rig) -> None:
    await rig.failed("alpha", "a1", BUSY)
    assert not (await rig.probe())["alpha"].block_lifted
    assert await rig.accounts.serving_accounts() == ("beta",)


async def test_a_refused_key_is_blocked_and_told_once_and_comes_back(rig: Rig) -> None:
    await rig.key("secret-a1", revoked=True)
    found = (await rig.probe())["alpha"]
    assert found.refused_key_ids == ("a1",)
    assert found.balance_kie_credits == 100_000, "asked with the other key"
    assert await rig.accounts.pollable_key("alpha", "a1") == "a2"
    assert (await rig.probe())["alpha"].refused_key_ids == ()
    await rig.key("secret-a1", revoked=False)
    assert (await rig.probe())["alpha"].lifted_key_ids == ("a1",)
    assert await rig.accounts.pollable_key("alpha", "a1") == "a1"


async def test_an_account_without_a_key_that_works_says_nothing_of_its_money(rig: Rig) -> None:
    await rig.probe()
    await rig.key("secret-b1", revoked=True)
    found = (await rig.probe())["beta"]
    assert (found.balance_kie_credits, found.is_low) == (None, False)
    assert found.refused_key_ids == ("b1",)
    assert (await rig.accounts.statuses())[1].balance_kie_credits == 100_000, "as it was read"


async def test_less_than_a_day_costs_is_low(rig: Rig) -> None:
    await rig.spent(500)
    await rig.money("alpha", 499)
    await rig.money("beta", 499)
    found = await rig.probe()
    assert (found["alpha"].is_low, found["beta"].is_low) == (True, False)
    await rig.money("beta", 54)
    assert (await rig.probe())["beta"].is_low, "less than one video"


async def test_kie_away_changes_nothing(rig: Rig) -> None:
    await rig.failed("alpha", "a1", NO_MONEY)
    fault = {"where": "credit", "kind": "answer", "status": 503, "body": "no", "times": 10}
    (await rig.http.post("/control/faults", json=fault)).raise_for_status()
    found = await rig.probe()
    assert {each.balance_kie_credits for each in found.values()} == {None}
    assert not any(each.is_low or each.block_lifted or each.refused_key_ids for each in found.values())
    assert await rig.accounts.serving_accounts() == ("beta",)
