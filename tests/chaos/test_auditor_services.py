"""What only Telegram and KIE know: a film in the wrong chat, a task nobody asked for, a wrong balance."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from local.temporal import TemporalServer
from tests.chaos.auditor import audit_with_counts
from tests.chaos.small_system import OLGA_1, OLGA_2, VERA_1, SmallSystem, play, small_system
from tests.standins.telegram_parts import Person

VIDEO, LOST, WAITING = f"{VERA_1}-v1", f"{OLGA_1}-v1", f"{OLGA_2}-v1"
STRAY_ORDER = "e" * 20

Plant = Callable[[SmallSystem, Person, Person], Awaitable[Any]]


async def _film_again(system: SmallSystem, vera: Person, _olga: Person) -> None:
    await system.send_film(vera, await _task_of(system, f"{VIDEO}-a1"))


async def _film_to_another(system: SmallSystem, _vera: Person, olga: Person) -> None:
    await olga.does("unblock")
    await system.send_film(olga, await _task_of(system, f"{VIDEO}-a1"))
    await olga.does("block")


async def _film_after_refund(system: SmallSystem, _vera: Person, olga: Person) -> None:
    tasks = (await system.kie.get("/control/tasks")).json()["tasks"]
    (lost,) = [task["id"] for task in tasks if f"/{LOST}-a1/" in task["callBackUrl"]]
    await olga.does("unblock")
    await system.send_film(olga, lost)
    await olga.does("block")


async def _broken_film(system: SmallSystem, vera: Person, _olga: Person) -> None:
    film = await system.film(await _task_of(system, f"{VIDEO}-a1"))
    broken = film.replace(b"film-ends:", b"film-lacks")
    await system.bot.call("sendVideo", {"video": ("v.mp4", broken, "video/mp4")}, chat_id=vera.id)


async def _back_at_last(_system: SmallSystem, _vera: Person, olga: Person) -> None:
    await olga.does("unblock")


async def _second_task(system: SmallSystem, _vera: Person, _olga: Person) -> None:
    await system.task(f"{VIDEO}-a1", VERA_1)


async def _stray_task(system: SmallSystem, _vera: Person, _olga: Person) -> None:
    await system.task("nobody", VERA_1)


async def _wrong_balance(system: SmallSystem, vera: Person, _olga: Person) -> None:
    await system.tell(vera, "💳 You have 77 credits.")


async def _accepted_and_lost(system: SmallSystem, vera: Person, _olga: Person) -> None:
    card = await system.photo(vera, "Price", "Generate", f"gen:{STRAY_ORDER}")
    await system.bot.call(
        "editMessageCaption", chat_id=vera.id, message_id=card, caption="✅ Принято. Обычно 1–5 минут."
    )


async def _untold_refund(system: SmallSystem, vera: Person, _olga: Person) -> None:
    await system.order(vera, STRAY_ORDER, 1)
    await system.attempt(f"{STRAY_ORDER}-v1-a1", None, "REJECTED", None)
    await system.refund(vera, f"{STRAY_ORDER}-v1")


@pytest.mark.parametrize(
    ("plant", "promises", "subject"),
    [
        (_film_again, {"captured is seen once"}, VIDEO),
        (_film_to_another, {"films belong"}, VIDEO),
        (_film_after_refund, {"nothing given away"}, LOST),
        (_broken_film, {"films belong"}, ""),
        (_back_at_last, {"captured is seen once"}, WAITING),
        (_second_task, {"bought once", "lost answers found"}, VIDEO),
        (_stray_task, {"lost answers found"}, ""),
        (_wrong_balance, {"told balances"}, ""),
        (_untold_refund, {"refunded and told"}, f"{STRAY_ORDER}-v1"),
        (_accepted_and_lost, {"accepted orders ended"}, STRAY_ORDER),
    ],
)
async def test_what_only_the_services_know_is_named(
    owner_url: str, tmp_path: Path, plant: Plant, promises: set[str], subject: str
) -> None:
    async with small_system(owner_url, tmp_path) as system:
        vera, olga = await play(system)
        await plant(system, vera, olga)
        report = await audit_with_counts(system.places)
    assert {violation.promise for violation in report.violations} == promises, report.violations
    assert not subject or any(subject in violation.ids for violation in report.violations)


async def _task_of(system: SmallSystem, attempt_id: str) -> str:
    return str(await system.run("select kie_task_id from attempts where id = $1", attempt_id))


# -- Temporal -----------------------------------------------------------------------------------------


async def test_a_workflow_that_still_runs_and_a_history_that_says_too_much_are_named(
    owner_url: str, tmp_path: Path, temporal_server: TemporalServer, temporal_client: Client
) -> None:
    name = f"order-{STRAY_ORDER}"
    handle = await temporal_client.start_workflow("VideoOrder", "canary key", id=name, task_queue="nobody")
    try:
        async with small_system(owner_url, tmp_path) as system:
            places = replace(system.places, temporal_address=temporal_server.address)
            await _until_listed(temporal_client, name)
            report = await audit_with_counts(places, ["canary key"])
    finally:
        await handle.terminate()
    named = {violation.promise for violation in report.violations if name in violation.ids}
    assert named == {"accepted orders ended", "I7"}


async def _until_listed(client: Client, workflow_id: str) -> None:
    """Temporal lists what was started a moment later."""
    async with asyncio.timeout(20):
        while not [each async for each in client.list_workflows(f"WorkflowId = '{workflow_id}'")]:  # noqa: ASYNC110 - another server's
            await asyncio.sleep(0.2)
