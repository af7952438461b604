"""A rolling release with the two commands of docs/deploying.md: who began an order ends it.

What is no order's, a broadcast for one, goes on with the workers of today.
"""

import asyncio
import json
import shutil
from collections import ChainMap
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.common import VersioningBehavior

from local.processes import beside_python
from local.programs import Program
from local.stack import Stack
from local.standins import Service
from local.temporal import TemporalServer, connect
from tests.deploys.coming_and_going import wrong_with_all
from tests.resets.orders import Bought, Place, bought_with, confirm_card
from tests.resets.points import until_ended
from tests.run.programs import ended
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.seller import soon
from tests.stories.world import World
from worker_main import DEPLOYMENT

PATIENCE = 90.0
SCHEDULES = {"Housekeeping": "housekeeping", "InvariantCheck": "invariants", "KieProbe": "kie-probe"}
OTHER_ROLES = "prompts,kie,kie-create,media,telegram"
SOON_DRAINED = ("VersionDrainageStatusVisibilityGracePeriod", "VersionDrainageStatusRefreshInterval")


class SoonDrained(TemporalServer):
    """Says within seconds, not minutes, that nobody needs a version any more."""

    def _command(self, port: int, ui_port: int) -> list[str]:
        options = (("--dynamic-config-value", f'matching.wv.{name}="1s"') for name in SOON_DRAINED)
        return [*super()._command(port, ui_port), *(word for option in options for word in option)]


class Release:
    """The workers of the role orders, version by version; the others are of no version."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def start(self, build_id: str = "") -> Program:
        """Without a build id it is of no version."""
        worker = Program(
            f"orders-{build_id or 'unversioned'}",
            ["worker_main.py", "--role", "orders"],
            folder=self._stack.folder.path,
            environment=ChainMap({"WORKER_BUILD_ID": build_id}, self._stack.environment),
        )
        await worker.start()
        return worker

    async def make_current(self, build_id: str) -> None:
        """Refused until a worker of that version has polled."""

        async def done() -> bool:
            said = await self._said("set-current-version", "--build-id", build_id, "--yes")
            return said is not None

        await soon(done, f"{build_id} is current", PATIENCE)

    async def admin(self, *arguments: str) -> str:
        """What it printed; it must have worked."""
        told = await ended("admin_main.py", *arguments, settings=self._stack.environment)
        assert told.code == 0, told.err
        return told.out

    async def drains(self, build_id: str, status: str) -> bool:
        said = await self._said("describe-version", "--build-id", build_id, "-o", "json")
        return bool(json.loads(said or "{}").get("drainageInfo", {}).get("drainageStatus", "") == status)

    async def _said(self, command: str, *options: str) -> str | None:
        temporal = beside_python("temporal") or shutil.which("temporal")
        assert temporal is not None
        process = await asyncio.create_subprocess_exec(
            temporal,
            *("worker", "deployment", command, "--deployment-name", DEPLOYMENT, *options),
            *("--address", self._stack.temporal.address),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 30)
        return None if process.returncode else said.decode()


@pytest_asyncio.fixture(scope="module")
async def running() -> AsyncIterator[tuple[Release, Place]]:
    with throw_away_folder() as folder:
        plan = plan_for(folder / "data", TIME_SCALE="0.1")
        stack = Stack(replace(plan, worker_roles=(OTHER_ROLES,)))
        stack.temporal = SoonDrained(stack.folder.path / "temporal", ui_port=None)
        async with stack:
            photo = draw_product(folder / "product.jpg")
            kie, openai = stack.standins[Service.KIE].url, stack.standins[Service.OPENAI].url
            world = World(stack.chat_url, kie, openai, stack.database_url, LocalSystem(stack), photo)
            release = Release(stack)
            yield release, Place(await connect(stack.temporal.address), world)
            await world.close()


async def version_of(client: Client, workflow_id: str) -> str:
    return str((await versioning_of(client, workflow_id)).deployment_version.build_id)


async def behaviors_of(client: Client, *workflow_ids: str) -> set[VersioningBehavior]:
    return {VersioningBehavior((await versioning_of(client, each)).behavior) for each in workflow_ids}


async def versioning_of(client: Client, workflow_id: str) -> Any:
    description = await client.get_workflow_handle(workflow_id).describe()
    return description.raw_description.workflow_execution_info.versioning_info


async def held_order(place: Place, marker: str) -> Bought:
    """Its KIE task ends when it is told to."""
    await place.world.kie_outcome(marker, hold=True)
    bought = await order(place, marker)
    await place.world.wait_for_kie_task(marker)
    return bought


async def order(place: Place, marker: str) -> Bought:
    seller = await place.world.seller(marker)
    card = await confirm_card(place, seller, marker, 1, written=False)
    await seller.press("Generate", card)
    return bought_with(place, seller, marker, card)


async def newest_check(client: Client) -> str:
    """Of the schedules' runs the one that was started last."""
    return await newest(client, "WorkflowType = 'InvariantCheck'")


async def ended_since(client: Client, workflow_type: str, began: datetime) -> str:
    """One that runs may have had no task yet, and says nothing of versions before; an older one had none."""
    ended = f"WorkflowType = '{workflow_type}' and ExecutionStatus = 'Completed'"
    return await newest(client, f"{ended} and StartTime > '{began.isoformat()}'")


async def run_now(client: Client, workflow_type: str, schedule_id: str) -> str:
    """The run of a schedule that begins from now on, once it has ended."""
    now = datetime.now(UTC)
    await client.get_schedule_handle(schedule_id).trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    ended = partial(ended_since, client, workflow_type, now)
    return str(await soon(ended, f"a {workflow_type} has ended", PATIENCE))


async def newest(client: Client, query: str) -> str:
    async for found in client.list_workflows(query, limit=1):
        return found.id
    return ""


async def is_of_version(place: Place, build_id: str, *workflow_ids: str) -> bool:
    return {await version_of(place.client, each) for each in workflow_ids} == {build_id}


async def has_ended(place: Place, workflow_type: str) -> bool:
    query = f"WorkflowType = '{workflow_type}' and ExecutionStatus = 'Completed'"
    return bool((await place.client.count_workflows(query)).count)


@pytest.mark.timeout(900)
async def test_the_first_build_id_leaves_nobody_behind(running: tuple[Release, Place]) -> None:
    """Until a version is current all is theirs who have none; then nothing is, not even what they began."""
    release, place = running
    unversioned = await release.start()
    held = await held_order(place, "begunOnNone")
    first = await release.start("first")
    fresh = await order(place, "stillOnNone")
    await until_ended(place.client, fresh.workflows)
    assert await is_of_version(place, "", *fresh.workflows, *held.workflows)
    await soon(partial(has_ended, place, "Housekeeping"), "what moves on ends without a version", PATIENCE)

    await release.make_current("first")
    assert await unversioned.stop() == 0
    later = await order(place, "begunOnFirst")
    await until_ended(place.client, later.workflows)
    await place.world.release_kie_task("begunOnNone")
    await until_ended(place.client, held.workflows)
    assert await is_of_version(place, "first", *later.workflows, *held.workflows)
    assert not await wrong_with_all([held, fresh, later])
    assert await first.stop() == 0


@pytest.mark.timeout(900)
async def test_an_order_ends_with_the_version_that_began_it(running: tuple[Release, Place]) -> None:
    release, place = running
    old = await release.start("one")
    await release.make_current("one")
    held = await held_order(place, "begunOnOne")
    cancelled = await held_order(place, "cancelledOnOne")
    new = await release.start("two")
    await release.make_current("two")

    fresh = await order(place, "begunOnTwo")
    await until_ended(place.client, fresh.workflows)
    assert {await version_of(place.client, each) for each in fresh.workflows} == {"two"}

    before = await newest_check(place.client)

    async def checked_again() -> bool:
        return await newest_check(place.client) not in {"", before}

    await soon(checked_again, "a check of a schedule", PATIENCE)
    check = await newest_check(place.client)
    await soon(partial(is_of_version, place, "two", check), "the new ones make it", PATIENCE)
    assert await behaviors_of(place.client, *fresh.workflows) == {VersioningBehavior.PINNED}
    scheduled = [await run_now(place.client, *each) for each in SCHEDULES.items()]
    assert await behaviors_of(place.client, *scheduled) == {VersioningBehavior.AUTO_UPGRADE}
    await soon(partial(release.drains, "one", "draining"), "the old ones only end what they have", PATIENCE)

    await place.client.get_workflow_handle(cancelled.order).cancel()
    await place.world.release_kie_task("cancelledOnOne")
    await place.world.release_kie_task("begunOnOne")
    both = [*held.workflows, *cancelled.workflows]
    await until_ended(place.client, both)
    assert {await version_of(place.client, each) for each in both} == {"one"}

    await soon(partial(release.drains, "one", "drained"), "nobody needs the old version", PATIENCE)
    assert await old.stop() == 0
    last = await order(place, "afterOne")
    await until_ended(place.client, last.workflows)
    assert await new.stop() == 0


TOO_MANY = {"ok": False, "error_code": 429, "description": "slow", "parameters": {"retry_after": 1}}


@pytest.mark.timeout(900)
async def test_a_broadcast_goes_on_with_the_workers_of_today(running: tuple[Release, Place]) -> None:
    """It takes a day where there are many users; an old version is not kept for it."""
    release, place = running
    old = await release.start("old")
    await release.make_current("old")
    seller = await place.world.seller("Reader")
    fault = {"where": "sendMessage", "times": -1, "status": 429, "body": TOO_MANY}
    (await place.world.telegram.post("/control/faults", json=fault)).raise_for_status()
    await release.admin("broadcast", "start", "--ru", "Новости", "--en", "News", "--yes", "--by", "tests")
    broadcast_id = json.loads(await release.admin("broadcast", "progress", "--json"))["id"]
    broadcast = f"broadcast-{broadcast_id}"
    await soon(partial(is_of_version, place, "old", broadcast), "it is begun by the old ones", PATIENCE)

    new = await release.start("new")
    await release.make_current("new")
    await soon(partial(is_of_version, place, "new", broadcast), "it moved on to the new ones", PATIENCE)

    await soon(partial(release.drains, "old", "drained"), "nobody needs the old version", PATIENCE)
    assert await old.stop() == 0
    (await place.world.telegram.delete("/control/faults")).raise_for_status()
    result = await asyncio.wait_for(place.client.get_workflow_handle(broadcast).result(), PATIENCE)
    assert (result["outcome"], result["sent"]) == ("done", result["users_total"])
    await seller.wait_for_text("News")
    assert await new.stop() == 0
