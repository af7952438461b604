"""The webhook itself: set where it differs, looked at by one of all bots, set again where it is gone."""

import asyncio

import httpx
from pydantic import SecretStr

from bot.feeder import ALLOWED_UPDATES
from bot.parts import BotParts
from bot.webhook import WebhookKeeper
from clients.telegram_webhooks import Webhook
from store.database import Database
from tests.bot.chat import ADMIN_ID, Person
from tests.bot.test_feeder import fault
from tests.bot.webhook_bots import SECRET, calls, hook, parts_over, until, until_set, webhook_bot

NOWHERE = "http://127.0.0.1:9"


def keeper(parts: BotParts, url: str = NOWHERE, secret: SecretStr = SECRET) -> WebhookKeeper:
    return WebhookKeeper(parts, Webhook(url, secret, ALLOWED_UPDATES))


async def test_the_webhook_is_set_only_where_it_differs(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        await keeper(parts).set_up()
        await keeper(parts).set_up()
        (asked,) = await calls(http, "setWebhook")
        assert asked["secret_token"] == SECRET.get_secret_value()
        assert "drop_pending_updates" not in asked
        told = await hook(http)
        assert set(told["allowed_updates"]) == set(ALLOWED_UPDATES)
        assert told["max_connections"] == 100
        await keeper(parts, secret=SecretStr("another-word")).set_up()
        await keeper(parts, f"{NOWHERE}/elsewhere").set_up()
        assert len(await calls(http, "setWebhook")) == 3


async def test_an_outage_of_telegram_is_waited_for(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    await fault(http, "getWebhookInfo", kind="drop_request", times=1)
    await fault(http, "setWebhook", status=500, body="oops", times=1)
    async with webhook_bot(database_url, telegram_base, NOWHERE):
        await until_set(http, NOWHERE)


async def test_a_webhook_that_somebody_took_away_is_set_again(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        await keeper(parts).set_up()
        await parts.telegram.call("deleteWebhook", {})
        await keeper(parts).look()
        assert (await hook(http))["url"]


async def test_a_newer_bot_beside_us_may_ask_for_more(
    database_url: str, telegram_base: str, http: httpx.AsyncClient
) -> None:
    async with parts_over(database_url, telegram_base) as parts:
        newer = Webhook(NOWHERE, SECRET, (*ALLOWED_UPDATES, "poll"))
        await WebhookKeeper(parts, newer).set_up()
        await keeper(parts).look()
        assert "poll" in (await hook(http))["allowed_updates"]
        await keeper(parts).set_up()
        assert "poll" not in (await hook(http))["allowed_updates"]


async def test_one_of_all_bots_looks(database_url: str, telegram_base: str, http: httpx.AsyncClient) -> None:
    async with (
        parts_over(database_url, telegram_base) as here,
        parts_over(database_url, telegram_base) as there,
    ):
        await asyncio.gather(*(keeper(parts).look() for parts in (here, there, here, there)))
    assert len(await calls(http, "getWebhookInfo")) == 1


async def test_admins_hear_of_errors_and_of_a_queue_once(
    database_url: str, telegram_base: str, http: httpx.AsyncClient, database: Database
) -> None:
    admin = await Person.join(http, ADMIN_ID)
    async with parts_over(database_url, telegram_base) as parts:
        await keeper(parts).set_up()
        assert await admin._new() == []
        for number in range(101):
            await http.post(f"/control/users/{ADMIN_ID}/text", json={"text": f"{number}"})
        await until(lambda: _told(http, "last_error_message"))
        for _ in range(2):
            await keeper(parts).look()
            async with database.connection() as connection:
                await connection.execute("delete from rate_limits")
    told = [each["text"] for each in await admin._new()]
    assert len(told) == 2
    assert any("could not bring updates" in each and "Connection refused" in each for each in told)
    assert any("101 updates wait" in each for each in told)


async def _told(http: httpx.AsyncClient, name: str) -> object:
    return (await hook(http))[name]
