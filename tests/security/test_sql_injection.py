"""Every field a stranger can fill, filled with SQL: it is text, and it changes no other table."""

import itertools
from typing import Any

import pytest

from domain.actions import Action
from domain.failures import Failure, FailureClass
from domain.orders import VideoState
from store.admission import Admission
from store.database import Database
from tests.bot.chat import Person, RunningBot, button_data
from tests.bot.money import paid_update
from tests.fixtures.kie_rows import HandClock, add_video, keys_of
from tests.security.tables import digests
from tests.store.test_attempts import intent

PAYLOADS = (
    "'; drop table users; --",
    "' or '1'='1",
    "\\'; update wallets set available = 999; --",
    '"; delete from drafts; --',
    "$1; select pg_sleep(9); --",
    ":tg_user_id %s %(id)s {0} ${x}",
    "x' union select own_prompt from drafts --",
    "$$; drop table wallets; $$",
    "1); insert into wallets values (1, 999, 0); --",
    "'||(select pg_sleep(9))||'",
)
# Left behind by any update; and what our settings and pictures leave when they are looked at first.
TECHNICAL = (
    *("chat_leases", "handled_updates", "rate_limits", "conversations"),
    *("kie_accounts", "kie_keys", "shown_files"),
)


async def texts(database: Database, query: str) -> list[Any]:
    async with database.connection() as connection:
        return [row[0] for row in await connection.fetch(query)]


async def same_but(database: Database, before: dict[str, str], *changed: str) -> None:
    after = await digests(database, but=TECHNICAL)
    assert {name for name in after if after[name] != before[name]} <= set(changed)


# -- the dialog -----------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["product_text", "wishes", "own_prompt"])
async def test_texts_of_a_brief(ann: Person, database: Database, column: str) -> None:
    await ann.text("/start")
    for payload in PAYLOADS:
        before = await digests(database, but=TECHNICAL)
        await ann.text("/cancel")
        await ann.to_step(column)
        await ann.text(payload)
        if column == "product_text":
            await ann.press("Skip")
        await ann.press("1")
        await same_but(database, before, "drafts")
    query = f"select {column} from drafts where {column} <> ''"  # noqa: S608 - one of three
    assert sorted(set(await texts(database, query)) - {"A blue mug"}) == sorted(PAYLOADS)


async def test_captions(ann: Person, database: Database) -> None:
    await ann.text("/start")
    for payload in PAYLOADS:
        before = await digests(database, but=TECHNICAL)
        await ann.text("/cancel")
        await ann.photo(caption=payload)
        await ann.press("UGC")
        await ann.press("Skip")
        await ann.press("1")
        await same_but(database, before, "drafts")
    assert sorted(await texts(database, "select product_text from drafts")) == sorted(PAYLOADS)


async def test_edited_texts(ann: Person, database: Database) -> None:
    (card,) = await ann.to_step("wishes")
    assert card
    await ann.press("Skip")
    await ann.press("1")
    said = next(each for each in await ann.own() if each["text"] == "A blue mug")
    for payload in PAYLOADS:
        before = await digests(database, but=TECHNICAL)
        await ann.edit(said["message_id"], payload)
        await same_but(database, before, "drafts")
        assert await texts(database, "select product_text from drafts") == [payload]


# -- what a forged update holds -------------------------------------------------------------------


async def test_button_data(ann: Person, bot: RunningBot, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    order_id = button_data(card, "Generate").split(":")[1]
    await bot.parts.limits.forget(-1 * bot.parts.updates.lease)
    before = await digests(database, but=TECHNICAL)
    payloads = ("' or '1'='1", f"{order_id}' or '1'='1", "'; drop table users;--")
    for action, payload in zip(Action, itertools.cycle(payloads), strict=False):
        data = f"{action}:{payload}"
        await ann.do("press", message_id=card["message_id"], callback_data=data, stale=True)
        await ann.settled()
    await ann.answers()
    await same_but(database, before, "drafts")
    assert await texts(database, "select count(*) from orders") == [0]


async def test_start_payloads_and_unknown_commands(ann: Person, database: Database) -> None:
    await ann.text("/start")
    before = await digests(database, but=TECHNICAL)
    for payload in PAYLOADS:
        await ann.text(f"/start {payload}")
        await ann.text(f"/{payload}")
    await same_but(database, before)


async def test_language_codes_and_names(ann: Person, database: Database) -> None:
    await ann.text("/start")
    for number, payload in enumerate(PAYLOADS):
        before = await digests(database, but=TECHNICAL)
        sender = {
            "id": ann.id,
            "is_bot": False,
            "first_name": payload,
            "last_name": payload,
            "username": payload,
            "language_code": payload,
        }
        chat = {"id": ann.id, "type": "private", "first_name": payload, "username": payload}
        message = {"message_id": 9_000 + number, "date": 1, "chat": chat, "from": sender, "text": "/balance"}
        (await ann.http.post("/control/updates", json={"update": {"message": message}})).raise_for_status()
        await ann.settled()
        await same_but(database, before, "users")
        assert await texts(database, "select tg_language from users") == [payload]


async def test_files_and_albums(ann: Person, database: Database) -> None:
    """Ids of Telegram's that somebody forged: of a picture, and of an album."""
    await ann.text("/start")
    for number, payload in enumerate(PAYLOADS):
        before = await digests(database, but=TECHNICAL)
        photo = {
            "file_id": payload,
            "file_unique_id": payload,
            "width": 400,
            "height": 600,
            "file_size": 1_000,
        }
        sender = {"id": ann.id, "is_bot": False, "first_name": "Ann", "language_code": "en"}
        message: dict[str, Any] = {
            "message_id": 9_100 + number,
            "date": 1,
            "chat": {"id": ann.id, "type": "private"},
            "from": sender,
            "photo": [photo],
            "media_group_id": payload,
        }
        (await ann.http.post("/control/updates", json={"update": {"message": message}})).raise_for_status()
        await ann.settled()
        await same_but(database, before, "album_pictures")
    assert set(await texts(database, "select media_group_id from album_pictures")) <= set(PAYLOADS)


async def test_payments(ann: Person, database: Database) -> None:
    await ann.text("/start")
    for payload in PAYLOADS:
        before = await digests(database, but=TECHNICAL)
        await paid_update(
            ann, invoice_payload=payload, telegram_payment_charge_id=payload, currency=payload[:3]
        )
        await same_but(database, before, "payments", "alerts")
    assert sorted(await texts(database, "select charge_id from payments")) == sorted(PAYLOADS)
    assert set(await texts(database, "select state from payments")) == {"UNCLEAR"}


async def test_refunds_of_charges_that_nobody_made(ann: Person, database: Database) -> None:
    await ann.text("/start")
    for payload in PAYLOADS:
        before = await digests(database, but=TECHNICAL)
        refund = {
            "currency": "XTR",
            "total_amount": 1,
            "invoice_payload": payload,
            "telegram_payment_charge_id": payload,
        }
        sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
        message = {
            "message_id": 9_300,
            "date": 1,
            "chat": {"id": ann.id, "type": "private"},
            "from": sender,
            "refunded_payment": refund,
        }
        (await ann.http.post("/control/updates", json={"update": {"message": message}})).raise_for_status()
        await ann.settled()
        await same_but(database, before, "alerts")


# -- administrators, who are strangers to no one ---------------------------------------------------


async def test_arguments_of_administrators(ann: Person, boss: Person, database: Database) -> None:
    await ann.text("/start")
    await boss.text("/start")
    before = await digests(database, but=TECHNICAL)
    for payload in PAYLOADS:
        for command in ("user", "today", "maintenance", "refund", "forget", "take", "grant"):
            await boss.text(f"/{command} {payload}")
        await boss.text(f"/user {ann.id}{payload}")
        await boss.text(f"/forget {ann.id} {payload}")
    await same_but(database, before)


async def test_reasons_of_administrators(ann: Person, boss: Person, database: Database) -> None:
    await ann.text("/start")
    await boss.text("/start")
    for payload in PAYLOADS:
        before = await digests(database, but=TECHNICAL)
        (asked,) = await boss.text(f"/grant {ann.id} 1 {payload}")
        await boss.press("Yes", message_id=asked["message_id"])
        await same_but(
            database, before, "admin_deeds", "admin_actions", "credit_entries", "entry_notes", "wallets"
        )
    assert sorted(await texts(database, "select note from entry_notes")) == sorted(PAYLOADS)
    assert await texts(database, "select available from wallets order by user_id") == [13, 3]


# -- the providers --------------------------------------------------------------------------------


async def test_what_kie_answers(database: Database) -> None:
    admission = Admission(database, HandClock(), keys_of("a"), ("kling-2.6/image-to-video",))
    for number, payload in enumerate(PAYLOADS):
        attempt = await intent(admission, await add_video(database, number))
        await admission.begin_create(attempt.id)
        before = await digests(database)
        await admission.record_accepted(attempt.id, payload)
        failure = Failure(FailureClass.UNKNOWN, code=payload)
        await admission.record_task_failed(attempt.id, failure, payload, 1.0)
        await same_but(database, before, "attempts")
        row = await admission.attempt(attempt.id)
        assert (row.kie_task_id, row.raw_answer, row.failure) == (payload, payload, failure)


async def test_what_gpt_and_telegram_answer(ann: Person, bot: RunningBot, database: Database) -> None:
    (card,) = await ann.to_step("confirm")
    order_id = button_data(card, "Generate").split(":")[1]
    await ann.press("Generate")
    video = f"{order_id}-v1"
    before = await digests(database, but=TECHNICAL)
    await bot.parts.orders.keep_scripts(order_id, [PAYLOADS[0]])
    await bot.parts.videos.keep_file_id(video, PAYLOADS[1])
    await same_but(database, before, "videos")
    assert await texts(database, "select script from videos") == [PAYLOADS[0]]
    await bot.parts.videos.settle(video, VideoState.DELIVERED)
    assert await texts(database, "select telegram_file_id from videos") == [PAYLOADS[1]]


async def test_ids_of_orders_and_videos_that_are_none(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    """As a forged callback or button brings them; the address of a callback itself goes to Temporal only."""
    await ann.text("/start")
    before = await digests(database, but=TECHNICAL)
    for payload in PAYLOADS:
        assert await bot.parts.orders.source(payload, ann.id) is None
        assert await bot.parts.orders.cancel(payload, ann.id) is None
        assert await bot.parts.drafts.get(payload, ann.id) is None
        assert not await bot.parts.library.rate(payload, ann.id, 1)
        assert await bot.parts.videos.delivered_file(payload, ann.id) is None
    await same_but(database, before)
