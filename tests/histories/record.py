"""`python -m tests.histories.record [words]`: play the recordings on a real system, save their histories.

To be run, and its files committed, whenever the workflows of a release change; the old files of what
still runs in production stay until it has ended.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from domain import ids
from local.stack import Stack
from local.standins import Service
from local.temporal import connect
from tests.histories.files import payloads_in, save
from tests.histories.recordings import Recording, recordings
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.seller import Seller, soon
from tests.stories.world import World

INVARIANT_CHECKS: Final = {
    "told": b"tell_invariants",
    "settled": b"settle_lost",
    "closed": b"send_closing_card",
}
"""What the check did that is kept, and the activity that tells it from the others."""
NO_ORDERS: Final = {
    "media_retention": ("MediaRetention", b"delete_old_media"),
    "daily_report": ("DailyReport", b"send_daily_report"),
    "broadcast": ("Broadcast", b"send_broadcast"),
}
"""Workflows that are nobody's order: their type, and the activity that shows them to have begun."""


class RememberingWorld(World):
    """Knows the seller of each marker afterwards."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.sellers: dict[str, Seller] = {}

    async def seller(self, name: str, language: str = "en") -> Seller:
        self.sellers[name] = await super().seller(name, language)
        return self.sellers[name]


async def main(words: Sequence[str]) -> None:
    """Together, but for those that break what everybody shares: each of them has a system of its own."""
    for name in await play_and_record(lambda each: not each.alone and (not words or each.name in words)):
        if not words or name in words:
            await play_and_record(partial(is_named, name))


def is_named(name: str, recording: Recording) -> bool:
    return recording.name == name


async def play_and_record(is_chosen: Callable[[Recording], bool]) -> list[str]:
    """The names of those that want to be alone."""
    with throw_away_folder() as folder:
        photo = draw_product(folder / "product.jpg")
        async with Stack(plan_for(folder / "data")) as stack:
            client = await connect(stack.temporal.address)
            world = RememberingWorld(
                stack.chat_url,
                stack.standins[Service.KIE].url,
                stack.standins[Service.OPENAI].url,
                stack.database_url,
                LocalSystem(stack),
                photo,
            )
            known = recordings(client)
            await asyncio.gather(*(record(client, world, each) for each in known if is_chosen(each)))
            await world.close()
    return [each.name for each in known if each.alone]


async def record(client: Client, world: RememberingWorld, recording: Recording) -> None:
    await recording.play(world, recording.marker)
    order_id = await first_order(world, recording.marker) if recording.marker in world.sellers else ""
    last = ""
    for which in recording.saved:
        handle = await workflow_of(client, order_id, which)
        if recording.closed:
            await handle.result()
        history = await handle.fetch_history()
        last = json.dumps(list(payloads_in(json.loads(history.to_json())["events"][-1])))
        path = save(f"{recording.name}.{which}", history, world.system.secrets)
        sys.stdout.write(f"{path.name}: {len(history.events)} events, {path.stat().st_size} bytes\n")
    assert recording.ends in last.replace("\\", ""), f"{recording.name} ended with {last}"


async def first_order(world: RememberingWorld, marker: str) -> str:
    """Nothing where nothing was ordered."""
    rows = await world.rows(
        "select o.id from orders o join users u on u.id = o.user_id where u.tg_user_id = $1"
        " order by o.created_at",
        world.sellers[marker].id,
    )
    return str(rows[0]["id"]) if rows else ""


async def workflow_of(client: Client, order_id: str, which: str) -> WorkflowHandle[Any, Any]:
    if which == "order":
        return client.get_workflow_handle(ids.order_workflow_id(order_id))
    if which == "resend":
        return client.get_workflow_handle(f"resend-{ids.video_id(order_id, 1)}")
    if which == "housekeeping":
        settling: WorkflowHandle[Any, Any] = await soon(
            lambda: run_that_says(client, "Housekeeping", ids.video_id(order_id, 1).encode()),
            "the run of housekeeping that settled",
        )
        return settling
    if which == "kie_probe":
        telling: WorkflowHandle[Any, Any] = await soon(
            lambda: run_that_says(client, "KieProbe", b"LOW_BALANCE"), "the probe that alerted"
        )
        return telling
    if which in INVARIANT_CHECKS:
        checking: WorkflowHandle[Any, Any] = await soon(
            lambda: run_that_says(client, "InvariantCheck", INVARIANT_CHECKS[which]),
            f"the check that {which}",
        )
        return checking
    if which in NO_ORDERS:
        running: WorkflowHandle[Any, Any] = await soon(
            lambda: run_that_says(client, *NO_ORDERS[which]), f"the run of {which}"
        )
        return running
    return client.get_workflow_handle(f"order-{order_id}-{which}")


async def run_that_says(client: Client, workflow: str, words: bytes) -> WorkflowHandle[Any, Any] | None:
    """Of a schedule: the run that had something to do."""
    async for execution in client.list_workflows(f"WorkflowType = '{workflow}'"):
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        try:
            history = await handle.fetch_history()
        except RPCError:
            continue
        if words in b"".join(event.SerializeToString() for event in history.events):
            return handle
    return None


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
