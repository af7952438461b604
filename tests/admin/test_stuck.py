"""`stuck`: each trouble is found, is told what to do about, and is not seen where all is well."""

import re
from datetime import timedelta

import pytest

from domain.clock import utc_now
from domain.orders import VideoState
from local.temporal import TemporalServer, connect
from store.database import Database
from store.stuck import Patience, StuckRows, Trouble
from tests.admin.operator import Operator, Shop, first_video
from workflows.namespace import prepare_namespace
from workflows.start import ensure_schedules

LONG_AGO = timedelta(hours=2)


async def found(database: Database) -> set[tuple[Trouble, str]]:
    rows = await StuckRows(database, utc_now, Patience()).list(50)
    return {(row.trouble, row.id) for row in rows}


async def test_a_shop_at_work_is_not_stuck(shop: Shop, database: Database) -> None:
    order_id = await shop.order(3)
    await shop.rows.orders.mark_started(order_id)
    first, second, third = await shop.rows.videos.of_order(order_id)
    await shop.buy(first, "a-task")
    await shop.rows.videos.keep_result(second, "key", 1, 1, 5)
    await shop.rows.videos.settle(third, VideoState.DELIVERED)
    assert await found(database) == set()


ORDER = "update orders set created_at = $1, workflow_started_at = {} where true"
TAPPED = ORDER.format("null")
BEGUN = ORDER.format("$1")
PAID = """
    insert into payments (charge_id, provider, user_id, package_id, amount, currency, credits, state, paid_at)
    select 'c1', 'stars', user_id, 'p', 1, 'XTR', 0, 'UNCLEAR', $1 from videos
"""
RESERVED = """
    insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, available_after,
                                reserved_after, created_at)
    select user_id, 'reserve', -1, 1, 'reserve:lost', 0, 0, $1 from videos
"""
HELD = "update wallets set available = 8, reserved = 2 where $1::timestamptz is not null"


@pytest.mark.parametrize(
    ("trouble", "statements"),
    [
        (Trouble.UNSTARTED, [TAPPED]),
        (Trouble.PAST_DEADLINE, ["update videos set deadline_at = $1 where true"]),
        (Trouble.NEAR_DEADLINE, [BEGUN]),
        (Trouble.UNSENT, ["update videos set ready_at = $1 where true"]),
        (Trouble.LOST_CREATE, ["update attempts set state = 'AMBIGUOUS', sent_at = $1 where true"]),
        (
            Trouble.WAITING_FOR_ACCOUNT,
            ["insert into admission_queue select id, user_id, '{}', '{}', '{}', $1 from videos"],
        ),
        (Trouble.UNCLOSED_ORDER, ["update videos set state = 'DELIVERED', closed_at = $1 where true"]),
        (Trouble.OLDER_EPOCH, ["update orders set epoch = -1 where created_at > $1"]),
        (
            Trouble.PAYMENT,
            [PAID],
        ),
        (Trouble.DOWN_SERVICE, ["insert into services values ('kie', 10, $1)"]),
        (
            Trouble.HELD_RESERVATION,
            [RESERVED, HELD],
        ),
    ],
)  # fmt: skip
async def test_each_trouble_is_found(
    shop: Shop, database: Database, owner_url: str, trouble: Trouble, statements: list[str]
) -> None:
    order_id = await shop.order()
    await shop.rows.orders.mark_started(order_id)
    if trouble is Trouble.LOST_CREATE:
        await shop.admission.begin_create(await shop.attempt(first_video(order_id)))
    if trouble is Trouble.HELD_RESERVATION:  # the tap was long ago, too
        await _long_ago(owner_url)
    for statement in statements:
        await shop.run(statement, utc_now() - LONG_AGO)
    assert trouble in {each for each, _ in await found(database)}


async def _long_ago(owner_url: str) -> None:
    owner = await Database.connect(owner_url)
    async with owner.connection() as connection:
        await connection.execute("alter table credit_entries disable trigger credit_entries_append_only")
        await connection.execute("update credit_entries set created_at = now() - interval '2 hours'")
    await owner.close()


async def test_every_line_says_since_when_and_what_to_do(shop: Shop, well_connected: Operator) -> None:
    order_id = await shop.order()
    await shop.run(TAPPED, utc_now() - LONG_AGO)
    screen = await well_connected.says("stuck")
    told = await well_connected.reads("stuck")
    assert screen.code == 1
    assert re.search(r"2:0\d:", screen.out)
    assert order_id in screen.out
    assert all(line["do"] and line["since"] for line in told["stuck"])
    assert told["temporal"] == ""


async def test_nothing_is_stuck(operator: Operator, temporal_server: TemporalServer) -> None:
    """In a namespace of its own: what other tests left in theirs would be a trouble."""
    client = await connect(temporal_server.address, "operated")
    await prepare_namespace(client)
    await ensure_schedules(client)
    where = {"TEMPORAL_ADDRESS": temporal_server.address, "TEMPORAL_NAMESPACE": "operated"}
    told = await Operator({**operator.settings, **where}).says("stuck")
    assert (told.code, told.out) == (0, "nothing is stuck\n")
