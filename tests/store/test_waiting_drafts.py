"""Who waits is claimed once, whoever asks."""

import asyncio
from datetime import timedelta

import pytest

from domain.waiting import WaitingDraft, WaitReason
from store.database import Database
from store.waiting_drafts import WaitingDrafts
from tests.fixtures.kie_rows import HandClock, add_user, add_videos

EVERY = tuple(WaitReason)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def waiting(database: Database, clock: HandClock) -> WaitingDrafts:
    return WaitingDrafts(database, clock)


async def people(database: Database, count: int) -> list[int]:
    return [await add_user(database, number) for number in range(1, count + 1)]


async def claimed(waiting: WaitingDrafts) -> list[str]:
    found: list[str] = []
    while (one := await waiting.claim(EVERY)) is not None:
        found.append(one.draft_id)
    return found


async def test_the_oldest_comes_first_and_each_once(
    waiting: WaitingDrafts, database: Database, clock: HandClock
) -> None:
    for number, user_id in enumerate(await people(database, 3)):
        await waiting.remember(user_id, f"d{number}", WaitReason.BUSY)
        clock.forward(1)
    assert await waiting.reasons() == {WaitReason.BUSY}
    assert await claimed(waiting) == ["d0", "d1", "d2"]
    assert await waiting.reasons() == frozenset()


async def test_many_at_once_never_claim_the_same(waiting: WaitingDrafts, database: Database) -> None:
    for user_id in await people(database, 12):
        await waiting.remember(user_id, f"d{user_id}", "busy")
    found = await asyncio.gather(*(claimed(waiting) for _ in range(4)))
    everything = [draft for each in found for draft in each]
    assert len(everything) == len(set(everything)) == 12


async def test_the_newest_draft_wins_and_keeps_the_turn(
    waiting: WaitingDrafts, database: Database, clock: HandClock
) -> None:
    first, second = await people(database, 2)
    await waiting.remember(first, "old", WaitReason.BUSY)
    clock.forward(1)
    await waiting.remember(second, "other", WaitReason.BUSY)
    clock.forward(1)
    await waiting.remember(first, "new", WaitReason.MAINTENANCE)
    assert await claimed(waiting) == ["new", "other"]


async def test_only_for_the_reasons_asked_for(waiting: WaitingDrafts, database: Database) -> None:
    (user_id,) = await people(database, 1)
    await waiting.remember(user_id, "d", WaitReason.MAINTENANCE)
    assert await waiting.claim([WaitReason.BUSY]) is None
    assert await waiting.claim([WaitReason.MAINTENANCE]) == WaitingDraft(
        user_id, 1, "d", WaitReason.MAINTENANCE
    )


async def test_who_asks_again_after_he_was_told_is_told_again(
    waiting: WaitingDrafts, database: Database
) -> None:
    (user_id,) = await people(database, 1)
    for reason, again in ((WaitReason.BUSY, ["d"]), (WaitReason.MODEL_RESTS, [])):
        await waiting.remember(user_id, "d", reason)
        await claimed(waiting)
        await waiting.remember(user_id, "d", reason)
        assert await claimed(waiting) == again


async def test_what_was_not_told_is_put_back(waiting: WaitingDrafts, database: Database) -> None:
    (user_id,) = await people(database, 1)
    await waiting.remember(user_id, "d", WaitReason.BUSY)
    one = await waiting.claim(EVERY)
    assert one is not None
    await waiting.put_back(one)
    assert await claimed(waiting) == ["d"]


async def test_room_is_kept_for_a_while_for_who_was_told(
    waiting: WaitingDrafts, database: Database, clock: HandClock
) -> None:
    user_id, other_id = await people(database, 2)
    async with database.connection() as connection:
        await connection.execute(
            "insert into drafts (id, user_id, origin, template, photo_file_id, photo_unique_id, video_count,"
            " price_credits, language, created_at)"
            " values ('d', $1, 'dialog', 'ugc', 'f', 'u', 3, 1, 'en', $2)",
            user_id,
            clock(),
        )
    (ordered,) = await add_videos(database, other_id)
    await waiting.remember(user_id, "d", WaitReason.BUSY)
    await waiting.remember(other_id, ordered.rpartition("-v")[0], WaitReason.BUSY)
    assert await waiting.invited_videos(timedelta(minutes=5)) == 0
    await claimed(waiting)
    assert await waiting.invited_videos(timedelta(minutes=5)) == 3, "an order that was placed needs no room"
    clock.forward(301)
    assert await waiting.invited_videos(timedelta(minutes=5)) == 0


async def test_an_unknown_reason_is_a_bug(waiting: WaitingDrafts, database: Database) -> None:
    (user_id,) = await people(database, 1)
    with pytest.raises(ValueError, match="holiday"):
        await waiting.remember(user_id, "d", "holiday")
