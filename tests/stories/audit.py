"""After all stories: what has to be true always, asked of the rows, the logs and the histories.

It shares no code with the store: the questions are written anew.
"""

from contextlib import suppress
from pathlib import Path

from temporalio.client import Client

from tests.stories.seller import NotSeen, soon
from tests.stories.world import World
from workflows.registry import DATA_CONVERTER

RULES = {
    "I1 wallets equal their entries": """
        select w.user_id from wallets w left join credit_entries e using (user_id)
        group by w.user_id, w.available, w.reserved
        having w.available <> coalesce(sum(e.available_delta), 0)
            or w.reserved <> coalesce(sum(e.reserved_delta), 0)""",
    "I2 closed videos are settled once": """
        select v.id from videos v
        join credit_entries r on r.cause = 'reserve:' || v.order_id and r.kind = 'reserve'
        where v.state not in ('OPEN', 'DELIVERING')
          and (select count(*) from credit_entries s where s.video_id = v.id) <> 1""",
    "I3 state and settlement agree": """
        select v.id from videos v join credit_entries s on s.cause = 'settle:' || v.id
        where (v.state in ('DELIVERED', 'WAITING')) <> (s.kind = 'capture')
           or (v.state in ('FAILED', 'CANCELLED')) <> (s.kind = 'refund')""",
    "I4 nothing bought beside what may have been bought": """
        select later.id from attempts later join attempts before using (video_id)
        where later.number = before.number + 1 and later.sent_at is not null
          and before.state in ('SENDING', 'AMBIGUOUS', 'ACCEPTED')
          and before.task_state is distinct from 'FAIL'""",
    "I5 one entry per payment, and one per refund": """
        select p.charge_id from payments p left join credit_entries e using (charge_id)
        group by p.charge_id, p.credits, p.state
        having count(*) filter (where e.kind = 'purchase') <> least(p.credits, 1)
            or count(*) filter (where e.kind = 'purchase_refund')
               <> case when p.state in ('PAID', 'UNCLEAR') then 0 else least(p.credits, 1) end""",
    "I6 nothing open past its deadline": """
        select id from videos where state in ('OPEN', 'DELIVERING') and deadline_at < now()""",
    "nothing left reserved": "select user_id from wallets where reserved <> 0",
    "every order closed": "select id from orders where state <> 'CLOSED'",
}


async def broken_rules(world: World) -> list[str]:
    """`rule: ids` for each that does not hold."""
    found = []
    for rule, query in RULES.items():
        if rows := await world.rows(query):
            found.append(f"{rule}: {', '.join(str(row[0]) for row in rows)}")
    return found


async def until_whole(world: World) -> None:
    """What closes last, an order after its videos, may need a moment. Who did not is named."""

    async def whole() -> bool:
        return not await broken_rules(world)

    with suppress(NotSeen):
        await soon(whole, "every rule holds")
    assert await broken_rules(world) == []


async def wrong_things(world: World) -> list[str]:
    return [*await broken_rules(world), *await billed_twice(world), *await secrets_seen(world)]


async def billed_twice(world: World) -> list[str]:
    """KIE's own account: every task that was billed belongs to exactly one attempt."""
    tasks = (await world.kie.get("/control/tasks")).json()["tasks"]
    known = {row["kie_task_id"] for row in await world.rows("select kie_task_id from attempts")}
    return [f"KIE task nobody knows: {task['id']}" for task in tasks if task["id"] not in known]


async def secrets_seen(world: World) -> list[str]:
    """I7: no key and no token in the database, the histories or the logs."""
    places = {path.name: path.read_text(errors="replace") for path in _logs(world.system.folder)}
    places["database"] = await _database_text(world)
    places["histories"] = await _histories_text(world.system.temporal_address)
    secrets = world.system.secrets
    return [
        f"I7 a secret in {name}" for name, text in places.items() if any(each in text for each in secrets)
    ]


def _logs(folder: Path) -> list[Path]:
    return [path for path in (folder / "logs").glob("*.log") if not path.name.startswith("telegram")]


async def _database_text(world: World) -> str:
    tables = await world.rows("select tablename from pg_tables where schemaname = 'public'")
    texts = []
    for table in tables:
        rows = await world.rows(f"select t::text as line from {table['tablename']} t")  # noqa: S608 - our own tables
        texts += [row["line"] for row in rows]
    return "\n".join(texts)


async def _histories_text(address: str) -> str:
    client = await Client.connect(address, data_converter=DATA_CONVERTER)
    texts = []
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        history = await handle.fetch_history()
        texts += [event.SerializeToString().decode("latin-1") for event in history.events]
    return "\n".join(texts)
