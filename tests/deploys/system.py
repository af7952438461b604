"""A whole system for the tests of deploys, and what its workflows say of who did what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from local.stack import Stack
from local.standins import Service
from local.temporal import connect
from tests.resets.orders import Place
from tests.stories.player import LocalSystem, draw_product, plan_for, throw_away_folder
from tests.stories.world import World

TIME_SCALE = "0.1"
_STARTED = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
_TIMED_OUT = EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT


@asynccontextmanager
async def system(workers: int) -> AsyncIterator[tuple[Stack, Place]]:
    with throw_away_folder() as folder:
        photo = draw_product(folder / "product.jpg")
        plan = replace(plan_for(folder / "data", TIME_SCALE=TIME_SCALE), worker_roles=("",) * workers)
        async with Stack(plan) as stack:
            world = World(
                stack.chat_url,
                stack.standins[Service.KIE].url,
                stack.standins[Service.OPENAI].url,
                stack.database_url,
                LocalSystem(stack),
                photo,
            )
            yield stack, Place(await connect(stack.temporal.address), world)
            await world.close()


async def events_of(client: Client, workflow_id: str) -> list[Any]:
    return list((await client.get_workflow_handle(workflow_id).fetch_history()).events)


def tried_again(events: list[Any]) -> list[str]:
    """Activities that timed out, or of which a first try was lost."""
    names = {
        event.event_id: event.activity_task_scheduled_event_attributes.activity_type.name for event in events
    }
    started = (
        event.activity_task_started_event_attributes for event in events if event.event_type == _STARTED
    )
    again = [names[each.scheduled_event_id] for each in started if each.attempt > 1]
    return again + ["timed out" for event in events if event.event_type == _TIMED_OUT]


def pids_in(events: list[Any]) -> set[int]:
    """Of the processes that did the activities."""
    identities = (each.activity_task_started_event_attributes.identity for each in events)
    return {int(identity.partition("@")[0]) for identity in identities if identity}
