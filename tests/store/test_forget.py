"""What is left of a person in the tables: the books, and nothing that leads to him."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta

from domain.clock import utc_now
from domain.credits import Entry, EntryKind
from domain.deeds import Deed, DeedKind
from domain.ids import attempt_id, grant_cause, video_id
from domain.orders import Brief, Language, Photo, Template, VideoState
from domain.payments import Invoice, Package, Provider, Receipt
from store.audit import AuditLog
from store.database import Database
from store.drafts import DraftOffer
from store.forget import Forgetting, Outcome
from store.ledger import Ledger
from store.payments import Payments, PersonForgotten, RefundStart
from tests.store.order_rows import Rows, rows_of

PERSON = 700_700_701
OTHER = 700_700_702
MARK = "f0f0"
SECRET = "@ann_the_seller"
PHOTO = Photo(f"file-{SECRET}", f"unique-{SECRET}", f"card-{SECRET}")


def forgetting_of(database: Database) -> Forgetting:
    return Forgetting(database, Ledger(database, utc_now), utc_now, timedelta())


async def order_of(rows: Rows, person: int = PERSON, video_count: int = 1) -> str:
    user = await rows.users.register(person, "en")
    words, photo = (SECRET, PHOTO) if person == PERSON else ("a mug", Photo("file", "unique", "card"))
    offer = DraftOffer(
        Brief(Template.OWN, words, words, words), photo, video_count, 1, Language.EN, views=(photo,)
    )
    draft = await rows.drafts.create(user.id, offer)
    await rows.drafts.set_card(draft.id, person, 5, photo.card_file_id)
    await rows.orders.place(draft.id, person, 5)
    return draft.id


async def delivered(rows: Rows, database: Database, order_id: str) -> None:
    """One video with everything that a life leaves in its rows."""
    video = video_id(order_id, 1)
    await rows.orders.keep_photo(order_id, f"orders/{SECRET}", 4, 6)
    await rows.orders.keep_views(order_id, [f"orders/{SECRET}/view"])
    await rows.orders.keep_scripts(order_id, [SECRET])
    await rows.videos.open(video)
    async with database.connection() as connection:
        await connection.execute(
            """insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state,
                                     kie_task_id, prompt, task_state, result_urls, raw_answer, admitted_at)
               select $1, id, user_id, 1, 'm', 'a', 'k', 'ACCEPTED', 'task-1', $3, 'SUCCESS', array[$3], $3,
                      now()
               from videos where id = $2""",
            attempt_id(video, 1),
            video,
            SECRET,
        )
    await rows.videos.keep_result(video, f"videos/{SECRET}", 1, 1, 1.0)
    await rows.videos.keep_file_id(video, f"file-{SECRET}")
    await rows.videos.settle(video, VideoState.DELIVERED)


async def rows_with(database: Database, *wanted: str) -> list[str]:
    """Every row of every table that holds one of these."""
    async with database.connection() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        found = []
        for table in tables:
            rows = await connection.fetch(f"select t::text as line from {table['tablename']} t")  # noqa: S608 - our own tables
            found += [f"{table['tablename']}: {row['line']}" for row in rows]
    return [line for line in found if any(each in line for each in wanted)]


async def broken_wallets(database: Database) -> list[tuple[int, int, int]]:
    query = """select w.user_id, w.available - coalesce(sum(e.available_delta), 0),
                      w.reserved - coalesce(sum(e.reserved_delta), 0)
               from wallets w left join credit_entries e on e.user_id = w.user_id
               group by w.user_id, w.available, w.reserved
               having w.available <> coalesce(sum(e.available_delta), 0)
                   or w.reserved <> coalesce(sum(e.reserved_delta), 0)"""
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def paid(database: Database, rows: Rows, charge_id: str, person: int = PERSON) -> Payments:
    payments = Payments(database, Ledger(database, utc_now), utc_now)
    user = await rows.users.register(person, "en")
    package = Package("5c150s", 5, 150)
    receipt = Receipt(Provider.STARS, person, 150, "XTR", "")
    await payments.record(user.id, charge_id, receipt, Invoice(person, package))
    return payments


async def lived(database: Database) -> Rows:
    """A payment, an order, a gift with words, an administrator who looked, a dialog, limits."""
    rows, audit = rows_of(database), AuditLog(database, utc_now)
    await delivered(rows, database, await order_of(rows))
    await paid(database, rows, "stx-1")
    deed = Deed(kind=DeedKind.GRANT, tg_user_id=PERSON, credits=2, reason=f"for {SECRET}")
    await audit.confirm(900, await audit.ask(900, deed))
    await audit.looked(900, PERSON)
    await audit.ask(900, deed)
    async with database.connection() as connection:
        await connection.execute(
            "insert into conversations values ($1, 's', $2, now())",
            f"chat:1:{PERSON}:{PERSON}:default",
            {"product_text": SECRET},
        )
        await connection.execute("insert into chat_leases values ($1, 'h', now())", PERSON)
        await connection.execute("insert into rate_limits values ($1, 1, now())", f"updates of {PERSON}")
        await connection.execute(
            "insert into album_pictures values ($1, 'album', 1, $2, now())", PERSON, {"file_id": SECRET}
        )
        await connection.execute(
            "insert into waiting_drafts select id, 'd', 'busy', now() from users where tg_user_id = $1",
            PERSON,
        )
    return rows


async def test_nothing_leads_to_the_person_any_more_and_the_books_stay(database: Database) -> None:
    rows = await lived(database)
    await order_of(rows, OTHER)
    others_before = await rows_with(database, str(OTHER))
    assert len(await rows_with(database, str(PERSON), SECRET)) >= 15
    ledger_before = await ledger_lines(database)
    assert await forgetting_of(database).forget(PERSON, MARK) is Outcome.FORGOTTEN
    assert await rows_with(database, str(PERSON), SECRET) == []
    assert await rows_with(database, str(OTHER)) == others_before
    ledger = await ledger_lines(database)
    assert ledger[: len(ledger_before)] == ledger_before
    assert ledger[len(ledger_before) :] == [("grant", -9)]
    assert await broken_wallets(database) == []
    assert await payments_of(database) == [("stx-1", 150, 5, "PAID")]


async def ledger_lines(database: Database) -> list[tuple[str, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select kind, available_delta from credit_entries order by id")
        return [tuple(row) for row in rows]


async def payments_of(database: Database) -> list[tuple[str, int, int, str]]:
    async with database.connection() as connection:
        return [
            tuple(row)
            for row in await connection.fetch("select charge_id, amount, credits, state from payments")
        ]


async def test_many_yes_at_once_are_one(database: Database) -> None:
    await lived(database)
    forgetting = forgetting_of(database)
    outcomes = await asyncio.gather(*(forgetting.forget(PERSON, MARK) for _ in range(6)))
    assert sorted(outcomes) == [Outcome.FORGOTTEN, *[Outcome.NOBODY] * 5]
    assert [each for each in await ledger_lines(database) if each == ("grant", -9)] == [("grant", -9)]
    assert await forgetting.is_gone(PERSON, MARK)


async def test_an_order_in_the_making_and_a_refund_on_its_way_are_waited_for(database: Database) -> None:
    rows, forgetting = rows_of(database), forgetting_of(database)
    order_id = await order_of(rows)
    assert await forgetting.forget(PERSON, MARK) is Outcome.NOT_YET
    assert await rows_with(database, str(PERSON))
    await rows.orders.cancel(order_id, PERSON)
    payments = await paid(database, rows, "stx-2")
    await payments.begin_refund("stx-2")
    belongings = await forgetting.look(PERSON)
    assert belongings is not None
    assert (belongings.open_orders, belongings.refunds, belongings.available) == (0, 1, 3)
    assert await forgetting.forget(PERSON, MARK) is Outcome.NOT_YET
    await payments.mark_refunded("stx-2")
    assert await forgetting.forget(PERSON, MARK) is Outcome.FORGOTTEN


async def test_an_order_that_lost_its_workflow_is_waited_for_only_until_its_time_is_over(
    database: Database,
) -> None:
    rows = rows_of(database)
    order_id = await order_of(rows, video_count=2)
    for number in (1, 2):
        await rows.videos.settle(video_id(order_id, number), VideoState.FAILED)
    assert await forgetting_of(database).forget(PERSON, MARK) is Outcome.NOT_YET
    async with database.connection() as connection:
        await connection.execute("update orders set deadline_at = now() - interval '1 minute'")
    assert await forgetting_of(database).forget(PERSON, MARK) is Outcome.FORGOTTEN


async def test_credits_that_came_after_the_question_are_asked_about_again(database: Database) -> None:
    rows, forgetting = rows_of(database), forgetting_of(database)
    await rows.users.register(PERSON, "en")
    await paid(database, rows, "stx-3")
    assert await forgetting.forget(PERSON, MARK, available_said=3) is Outcome.CHANGED
    assert await rows_with(database, str(PERSON))
    assert await forgetting.forget(PERSON, MARK, available_said=8) is Outcome.FORGOTTEN


async def test_forgetting_beside_orders_and_payments_waits_for_them_in_no_ring(database: Database) -> None:
    """Either they come first and are seen, or they find nobody: never an order of a forgotten one."""
    rows, forgetting = rows_of(database, welcome_credits=50), forgetting_of(database)
    user = await rows.users.register(PERSON, "en")
    payments = await paid(database, rows, "stx-0")
    package, receipt = Package("5c150s", 5, 150), Receipt(Provider.STARS, PERSON, 150, "XTR", "")
    offer = DraftOffer(Brief(Template.OWN, own_prompt=SECRET), PHOTO, 1, 1, Language.EN)
    drafts = await rows.drafts.create_all(user.id, [offer] * 6)

    async def pay(number: int) -> None:
        with suppress(PersonForgotten):
            await payments.record(user.id, f"stx-{number}", receipt, Invoice(PERSON, package))

    await asyncio.wait_for(
        asyncio.gather(
            *(rows.orders.place(draft.id, PERSON) for draft in drafts),
            *(pay(number) for number in range(1, 5)),
            *(forgetting.forget(PERSON, MARK) for _ in range(3)),
        ),
        30,
    )
    gone = await forgetting.is_gone(PERSON, MARK)
    async with database.connection() as connection:
        open_orders = await connection.fetchval("select count(*) from orders where state = 'OPEN'")
        kept = await connection.fetchval("select available from wallets where user_id = $1", user.id)
    assert (open_orders == 0) if gone else (open_orders == 6)
    assert (kept == 0) if gone else (kept > 0)
    assert await broken_wallets(database) == []


async def test_an_administrators_yes_beside_it_waits_in_no_ring(database: Database) -> None:
    """Who answers a deed holds its row, and locks the wallet after it."""
    rows, forgetting, audit = rows_of(database), forgetting_of(database), AuditLog(database, utc_now)
    await rows.users.register(PERSON, "en")
    deed_id = await audit.ask(900, Deed(kind=DeedKind.GRANT, tg_user_id=PERSON, credits=2, reason="a gift"))
    async with database.transaction() as connection:
        await connection.execute("select 1 from admin_deeds where id = $1 for update", deed_id)
        yes = asyncio.create_task(forgetting.forget(PERSON, MARK))
        await asyncio.sleep(1)
        await connection.execute("select 1 from wallets for update nowait")
    assert await yes is Outcome.FORGOTTEN


async def test_a_new_life_of_the_same_account_is_not_welcomed_twice(database: Database) -> None:
    rows, forgetting = rows_of(database), forgetting_of(database)
    first = await rows.users.register(PERSON, "en", MARK)
    await forgetting.forget(PERSON, MARK)
    second = await rows.users.register(PERSON, "en", MARK)
    assert second.id != first.id
    assert (await rows.ledger.balance(PERSON)).available == 0
    assert not await forgetting.is_gone(PERSON, MARK)
    assert (await rows.users.register(OTHER, "en", "other-mark")).id > second.id
    assert (await rows.ledger.balance(OTHER)).available == 3
    assert await forgetting.forget(PERSON, MARK) is Outcome.FORGOTTEN  # and again


async def test_money_that_goes_back_later_finds_the_books_whole(database: Database) -> None:
    rows, forgetting = rows_of(database), forgetting_of(database)
    payments = await paid(database, rows, "stx-4")
    await forgetting.forget(PERSON, MARK)
    refunded = await payments.mark_refunded("stx-4")
    assert refunded is not None
    assert (refunded.tg_user_id, refunded.debt_credits) == (None, 5)
    assert await payments.mark_refunded("stx-4") is None
    assert (await payments.begin_refund("stx-4")).start is RefundStart.REFUNDED
    assert await broken_wallets(database) == []


async def test_an_administrators_old_deeds_do_nothing_to_nobody(database: Database) -> None:
    rows, audit = rows_of(database), AuditLog(database, utc_now)
    await rows.users.register(PERSON, "en")
    deed = Deed(kind=DeedKind.GRANT, tg_user_id=PERSON, credits=2, reason="a gift")
    done, waiting = await audit.ask(900, deed), await audit.ask(900, deed)
    await audit.confirm(900, done)
    await forgetting_of(database).forget(PERSON, MARK)
    entries = await ledger_lines(database)
    assert await audit.confirm(900, done) is None
    assert await audit.confirm(900, waiting) is None
    assert await ledger_lines(database) == entries
    async with database.connection() as connection:
        actions = await connection.fetch("select target, details from admin_actions")
    assert [(row["target"].startswith("user #"), row["details"]) for row in actions] == [
        (True, {"credits": 2})
    ]


async def test_somebody_who_was_an_administrator_leaves_his_deeds_without_his_number(
    database: Database,
) -> None:
    rows, audit = rows_of(database), AuditLog(database, utc_now)
    await rows.users.register(PERSON, "en")
    await rows.users.register(OTHER, "en")
    deed = Deed(kind=DeedKind.GRANT, tg_user_id=OTHER, credits=2, reason="a gift")
    await audit.confirm(PERSON, await audit.ask(PERSON, deed))
    await forgetting_of(database).forget(PERSON, MARK)
    assert await rows_with(database, str(PERSON)) == []
    assert len(await rows_with(database, "a gift")) == 3


async def test_a_hundred_orders_are_forgotten_in_one_go(database: Database) -> None:
    rows = rows_of(database, welcome_credits=1_000)
    user = await rows.users.register(PERSON, "en")
    offer = DraftOffer(Brief(Template.UGC, SECRET, SECRET), PHOTO, 5, 1, Language.EN)
    drafts = await rows.drafts.create_all(user.id, [offer] * 100)
    async with database.transaction() as connection:
        await connection.execute(
            """insert into orders (id, user_id, video_count, price_credits, language, state, created_at,
                                   deadline_at)
               select id, user_id, 5, 5, 'en', 'CLOSED', now(), now() from drafts"""
        )
        await connection.execute(
            """insert into videos (id, order_id, user_id, number, price_credits, state, script, deadline_at)
               select o.id || '-v' || n, o.id, user_id, n, 1, 'FAILED', $1, now()
               from orders o, generate_series(1, 5) n""",
            SECRET,
        )
    forgetting = forgetting_of(database)
    async with asyncio.timeout(60):
        assert await forgetting.forget(PERSON, MARK) is Outcome.FORGOTTEN
    assert await rows_with(database, str(PERSON), SECRET) == []
    leased = await forgetting.lease(timedelta(minutes=1))
    assert leased == user.id
    orders = await forgetting.elsewhere(user.id)
    assert {order.order_id for order in orders} == {draft.id for draft in drafts}
    assert len(orders[0].video_ids) == 5


async def test_what_a_late_update_wrote_goes_the_second_time(database: Database) -> None:
    """An administrator forgot somebody in the middle of his answer."""
    rows, forgetting = rows_of(database), forgetting_of(database)
    user = await rows.users.register(PERSON, "en")
    await forgetting.forget(PERSON, MARK)
    await rows.drafts.create(user.id, DraftOffer(Brief(Template.UGC, SECRET), PHOTO, 1, 1, Language.EN))
    async with database.connection() as connection:
        key = f"chat:1:{PERSON}:{PERSON}:default"
        await connection.execute("insert into conversations values ($1, 's', '{}', now())", key)
        await connection.execute("insert into rate_limits values ($1, 1, now())", f"toast for {PERSON}")
        await connection.execute("insert into chat_leases values ($1, 'h', now())", PERSON)
        await connection.execute("insert into rate_limits values ('GPT calls', 1, now())")
    assert len(await rows_with(database, str(PERSON), SECRET)) == 4
    await rows.users.register(OTHER, "en")
    async with database.connection() as connection:
        await connection.execute("insert into rate_limits values ($1, 1, now())", f"updates of {OTHER}")
    await forgetting.erase_again(user.id)
    assert await rows_with(database, str(PERSON), SECRET) == []
    assert len(await rows_with(database, str(OTHER), "GPT calls")) == 3


async def test_the_outbox_is_leased_postponed_and_finished(database: Database) -> None:
    rows, forgetting = rows_of(database), forgetting_of(database)
    user = await rows.users.register(PERSON, "en")
    await forgetting.forget(PERSON, MARK)
    leases = await asyncio.gather(*(forgetting.lease(timedelta(minutes=1)) for _ in range(4)))
    assert sorted(leases, key=str) == [user.id, None, None, None]
    await forgetting.postpone(user.id, timedelta())
    assert await forgetting.lease(timedelta()) == user.id
    await forgetting.finish(user.id)
    assert await forgetting.lease(timedelta()) is None


async def test_the_words_of_a_grant_stand_beside_the_ledger(database: Database) -> None:
    rows = rows_of(database)
    await rows.users.register(PERSON, "en")
    await rows.ledger.grant(PERSON, 4, f"for {SECRET}", "g1")
    assert [line.note for line in await rows.ledger.history(PERSON, 5)] == [f"for {SECRET}", ""]
    assert [line.split(":")[0] for line in await rows_with(database, SECRET)] == ["entry_notes"]
    async with database.transaction() as connection:  # as the release before this one writes it
        entry = Entry(1, EntryKind.GRANT, grant_cause("g2"), 1)
        await rows.ledger.write(connection, entry)
    assert json.dumps([line.credits for line in await rows.ledger.history(PERSON, 5)]) == "[1, 4, 3]"
