"""The runbook, walked through from top to bottom on a whole system with an order in each state."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus

from local.processes import beside_python
from local.programs import ROOT
from tests.runbook.reading import Recipe, recipes
from tests.stories.audit import until_whole
from tests.stories.seller import soon
from tests.webui.showroom import TOKEN, Showroom, open_showroom

pytestmark = pytest.mark.timeout(300)

_COMMANDS_SECONDS: Final = 170.0  # two programs that start, or one that drains
_ADMIN: Final = f'admin() {{ {sys.executable} {ROOT / "admin_main.py"} "$@"; }}\n'


@dataclass
class Printed:
    text: str
    code: int


@pytest_asyncio.fixture(scope="module")
async def showroom() -> AsyncIterator[Showroom]:
    async with open_showroom() as opened:
        await opened.hold()
        yield opened


async def variables(showroom: Showroom, state: str) -> dict[str, str]:
    """What whoever reads it puts in himself."""
    order_id = showroom.orders[state]
    rows = await showroom.world.rows(
        """select a.kie_task_id, a.key_id from attempts a join videos v on v.id = a.video_id
           where v.order_id = $1 order by a.number desc limit 1""",
        order_id,
    )
    attempt: Any = rows[0] if rows else {"kie_task_id": "", "key_id": ""}
    return {
        "ORDER": order_id,
        "TG_USER": str(showroom.sellers[state].id),
        "KIE_TASK": attempt["kie_task_id"] or "",
        "KEY": attempt["key_id"],
        "WORKER_PID": str(showroom.stack.workers[0].child.pid),
        "ACTIVITY": "2",  # as `describe` shows it for "held": its second step
    }


async def printed(showroom: Showroom, recipe: Recipe) -> Printed:
    temporal = beside_python("temporal")
    assert temporal is not None
    environment = {
        **showroom.stack.environment,
        **await variables(showroom, recipe.state),
        "PATH": f"{Path(temporal).parent}:{os.environ['PATH']}",
        "TEMPORAL_CODEC_ENDPOINT": showroom.codec_url,
        "TEMPORAL_CODEC_AUTH": f"Bearer {TOKEN}",
        "COLUMNS": "200",
    }
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euc", _ADMIN + recipe.commands),
        env=environment,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    text, _ = await asyncio.wait_for(shell.communicate(), _COMMANDS_SECONDS)
    assert shell.returncode is not None
    return Printed(text.decode().replace(environment["ORDER"], "$ORDER"), shell.returncode)


@pytest.mark.parametrize(
    "recipe", [each for each in recipes() if each.name], ids=lambda recipe: recipe.name.replace(" ", "-")
)
async def test_it_does_what_is_said(showroom: Showroom, recipe: Recipe) -> None:
    result = await printed(showroom, recipe)
    assert recipe.exits in {"any", str(result.code)}, result.text
    for words in recipe.shown:
        assert words in result.text, f"{words} is not in\n{result.text}"
    check = EFFECTS.get(recipe.name)
    if check is not None:
        await check(showroom)


async def is_paused(showroom: Showroom) -> None:
    """And is not tried any more, though Telegram is well again."""
    await showroom.let_go()
    handle = (await showroom.client()).get_workflow_handle(showroom.order("held"))
    await asyncio.sleep(3)
    described = await handle.describe()
    (pending,) = described.raw_description.pending_activities
    assert pending.paused
    assert described.status is WorkflowExecutionStatus.RUNNING


async def goes_on(showroom: Showroom) -> None:
    await showroom.sellers["held"].wait_for_videos(1)


async def is_drained(showroom: Showroom) -> None:
    """It ends by itself, well; another one serves."""
    worker = showroom.stack.workers[0]

    async def ended() -> bool:
        return not worker.child.is_running

    await soon(ended, "the end of the worker", seconds=80)
    assert await worker.child.wait() == 0
    await worker.start()


async def nothing_twice(showroom: Showroom) -> None:
    facts = await showroom.world.facts(showroom.sellers["several"], "several")
    assert (facts.videos, facts.orders, facts.captured, facts.refunded) == (2, 1, 2, 1)


EFFECTS: Final = {
    "reset": nothing_twice,
    "pause": is_paused,
    "unpause": goes_on,
    "drain": is_drained,
}


async def test_nothing_was_lost_or_paid_twice_by_it(showroom: Showroom) -> None:
    await showroom.world.release_kie_task("making")
    await showroom.sellers["making"].wait_for_videos(1)
    await until_whole(showroom.world)


def test_every_effect_is_of_a_recipe() -> None:
    assert EFFECTS.keys() <= {each.name for each in recipes()}
