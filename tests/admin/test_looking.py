"""`user`, `keys` and `models`: what they show, what they change, and what they refuse."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from domain.clock import utc_now
from settings import load_kie_keys
from tests.admin.operator import KEYS, KLING, SEEDANCE, USER, Operator, Shop, first_video
from tests.run.programs import START_SECONDS_MAX
from tests.stories.seller import soon

KEY_1, KEY_2 = (key.ref.key_id for key in load_kie_keys(KEYS))


# -- user -----------------------------------------------------------------------------------------


async def test_a_user_is_found_by_number_and_the_look_is_written_down(shop: Shop, operator: Operator) -> None:
    order_id = await shop.order(3)
    await shop.run("update users set blocked_at = now() where tg_user_id = $1", USER)
    told = await operator.says("user", str(USER), "--by", "olga")
    for fact in (
        f"user {USER}   7 credits available, 3 reserved",
        order_id,
        "has blocked the bot",
        "reserve",
    ):
        assert fact in told.out
    assert told.code == 0
    assert await shop.deeds() == [("look", str(USER), "olga")]


async def test_somebody_forgotten_is_found_by_our_own_number(shop: Shop, operator: Operator) -> None:
    await shop.order()
    await shop.run("update users set tg_user_id = null, forgotten_at = now() where tg_user_id = $1", USER)
    told, gone = await asyncio.gather(operator.reads("user", "#1"), operator.says("user", str(USER)))
    assert (told["facts"]["tg_user_id"], told["facts"]["reserved"]) == (None, 1)
    assert told["facts"]["forgotten_at"]
    assert (gone.code, gone.err) == (1, f"nobody with the number {USER} has ever talked to the bot\n")


async def test_a_name_is_not_kept(operator: Operator) -> None:
    named, nonsense, huge = await asyncio.gather(
        operator.says("user", "@ann"), operator.says("user", "1e5"), operator.says("user", "9" * 40)
    )
    assert "names are not kept" in named.err
    assert {named.code, nonsense.code, huge.code} == {1}


# -- keys -----------------------------------------------------------------------------------------


async def own_key(shop: Shop, video_id: str) -> None:
    """What was bought, was bought with the first key of the settings."""
    await shop.buy(video_id, "a-task")
    await shop.run("insert into kie_accounts (name) values ('alpha') on conflict do nothing")
    await shop.run("insert into kie_keys (key_id, account) values ($1, 'alpha')", KEY_1)
    await shop.run("update attempts set key_id = $1, account = 'alpha'", KEY_1)


async def test_keys_are_shown_by_id_and_never_by_secret(shop: Shop, operator: Operator) -> None:
    await own_key(shop, first_video(await shop.order()))
    told = await operator.says("keys")
    for fact in (KEY_1, KEY_2, "KIE_API_KEY_1", "alpha", "serves", "not probed"):
        assert fact in told.out
    assert not any(secret in told.out for name, secret in KEYS.items() if not name.endswith("ACCOUNT"))


async def test_a_key_with_open_attempts_is_not_taken_away(shop: Shop, operator: Operator) -> None:
    await own_key(shop, first_video(await shop.order()))
    refused, unused = await asyncio.gather(
        operator.says("keys", "remove", KEY_1, "--yes"), operator.says("keys", "remove", "key9-none", "--yes")
    )
    assert (refused.code, "has 1 open attempt and cannot be removed" in refused.err) == (1, True)
    assert (unused.code, unused.err) == (1, "there is no key key9-none: see keys\n")
    await shop.run("update attempts set task_state = 'FAIL', ended_at = now()")
    told = await operator.says("keys", "remove", KEY_1, "--yes")
    assert (told.code, "take KIE_API_KEY_1 out of the settings" in told.out) == (0, True)
    shown = await operator.reads("keys")
    assert {line["key_id"]: line["state"] for line in shown["keys"]} == {
        KEY_1: "key blocked",
        KEY_2: "serves",
    }


@pytest.mark.timeout(900)  # several programs, one after the other
async def test_what_was_admitted_meanwhile_keeps_a_key_and_the_block_is_told(
    shop: Shop, operator: Operator
) -> None:
    """An admission holds the account while the operator says Yes."""
    await own_key(shop, first_video(await shop.order()))
    await shop.run("update attempts set task_state = 'FAIL', ended_at = now()")
    async with shop.database.transaction() as admission:
        await admission.execute("select 1 from kie_accounts for update")
        removal = asyncio.create_task(operator.says("keys", "remove", KEY_1, "--yes", "--by", "olga"))
        await soon(partial(_waits_for_a_lock, shop), "the removal waits for the admission", START_SECONDS_MAX)
        await admission.execute("update attempts set task_state = 'RUNNING', ended_at = null")
    told = await removal
    assert told.code == 1
    for words in ("cannot be removed yet, 1 open attempt began meanwhile", "blocked now", "keys unblock"):
        assert words in told.err
    assert await shop.deeds() == [("block-key", KEY_1, "olga")]
    (line,) = [each for each in (await operator.reads("keys"))["keys"] if each["key_id"] == KEY_1]
    assert (line["state"], line["block_reason"]) == ("key blocked", "taken away by olga")
    await shop.run("update attempts set task_state = 'FAIL', ended_at = now()")
    again = await operator.says("keys", "remove", KEY_1, "--yes", "--by", "olga")
    assert again.code == 0, again.err
    assert [deed for deed, _, _ in await shop.deeds()] == ["block-key", "block-key", "remove-key"]


async def _waits_for_a_lock(shop: Shop) -> bool:
    async with shop.database.connection() as connection:
        return bool(
            await connection.fetchval(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        )


async def test_a_key_that_left_too_early_is_asked_for(shop: Shop, operator: Operator) -> None:
    await own_key(shop, first_video(await shop.order()))
    left = Operator({name: value for name, value in operator.settings.items() if "KEY_1" not in name})
    told = await left.says("keys")
    assert "not in the settings" in told.out
    assert f"{KEY_1} has 1 open attempt: put it back into the settings" in told.out


async def test_a_key_is_blocked_and_unblocked(shop: Shop, operator: Operator) -> None:
    unasked = await operator.says("keys", "block", KEY_2)
    assert (unasked.code, "say --yes" in unasked.err) == (1, True)
    blocked = await operator.says("keys", "block", KEY_2, "--hours", "2", "--yes")
    assert blocked.code == 0
    assert "starts nothing until" in blocked.out
    lifted = await operator.reads("keys", "unblock", KEY_2)
    assert lifted == {"name": KEY_2, "unblocked": ["key"]}
    again = await operator.says("keys", "unblock", KEY_2)
    assert (again.code, "is not blocked; known are" in again.err) == (1, True)
    assert [deed for deed, _, _ in await shop.deeds()] == ["block-key", "unblock-key"]


# -- models ---------------------------------------------------------------------------------------


async def test_a_resting_model_is_shown_and_unmarked(shop: Shop, operator: Operator) -> None:
    await shop.run(
        "insert into video_model_marks values ($1, $2, 'paused by KIE')",
        SEEDANCE,
        utc_now() + timedelta(hours=1),
    )
    shown = await operator.reads("models")
    states = {line["slug"]: (line["preference"], line["state"]) for line in shown["models"]}
    assert (states[KLING], states[SEEDANCE]) == ((1, "serves"), (2, "rests"))
    assert states["sora-2-image-to-video"] == (0, "unused")
    assert (await operator.says("models", "unmark", SEEDANCE)).code == 0
    again, unknown = await asyncio.gather(
        operator.says("models", "unmark", SEEDANCE), operator.says("models", "unmark", "no-such-model")
    )
    assert (again.code, unknown.code) == (1, 1)
    assert "is no video model of the catalogue" in unknown.err
