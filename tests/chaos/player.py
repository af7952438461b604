"""One run: start everything, let people shop while it is broken, heal, wait for calm, have it audited."""

import asyncio
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import psutil

from local.stack import Stack, StackPlan
from local.standins import Service
from tests.chaos.auditor import AuditPlaces, audit_with_counts
from tests.chaos.calm import wait_for_calm
from tests.chaos.outside import Outside
from tests.chaos.plan import BOTS, SELLERS, SERVICES, WORKERS, Errand, plan_errands, plan_faults
from tests.chaos.shopper import Shopper
from tests.chaos.supervisor import Supervisor
from tests.chaos.tally import Tally, commit, count, machine, recoveries_of
from tests.stories.player import KIE_KEYS, TIME_SCALE, draw_product, plan_for
from tests.stories.seller import Seller
from tests.stories.world import ADMIN_ID

_SETTINGS: Final = {
    "WELCOME_CREDITS": "3",  # most have to buy Stars sooner or later
    "WELCOME_PER_DAY": "1000",
    "OPEN_ORDERS_MAX": "100",
    "ORDERS_PER_DAY_MAX": "1000",
    "MESSAGES_PER_SECOND": "20",
    "GPT_CALLS_PER_MINUTE": "3000",
}

Say = Callable[[str], None]


async def play(
    seed: int, minutes: float, say: Say, *, keep: bool = False, time_scale: float = TIME_SCALE
) -> tuple[Tally, Path]:
    """The folder is gone when all was right, unless it is to be kept. A small scale means calm sooner."""
    folder = Path(tempfile.mkdtemp(prefix="nc-chaos-"))
    tally = Tally(seed, minutes, commit(), machine())
    is_ended = False
    try:
        async with _system(folder, time_scale) as (stack, outside):
            await _play_on(stack, outside, tally, say)
            if keep or not tally.is_right:
                await _keep_records(outside, folder / "records")
            is_ended = True
    finally:
        if not is_ended or (tally.is_right and not keep):
            shutil.rmtree(folder, ignore_errors=True)
    return tally, folder


@asynccontextmanager
async def _system(folder: Path, time_scale: float) -> AsyncIterator[tuple[Stack, Outside]]:
    async with AsyncExitStack() as on_exit:
        stack = await on_exit.enter_async_context(Stack(stack_plan(folder / "data", time_scale)))
        urls = {service.value: standin.url for service, standin in stack.standins.items()}
        chance = random.Random()  # noqa: S311 - which update comes again is no secret
        outside = Outside(urls, f"http://127.0.0.1:{stack.web_port}", chance)
        on_exit.push_async_callback(outside.close)
        yield stack, outside


def stack_plan(folder: Path, time_scale: float) -> StackPlan:
    return replace(
        plan_for(folder, **_SETTINGS, TIME_SCALE=str(time_scale)),
        webhook=True,
        bot_count=len(BOTS),
        worker_roles=("",) * len(WORKERS),
        durable=True,
    )


async def _play_on(stack: Stack, outside: Outside, tally: Tally, say: Say) -> None:
    errands = plan_errands(tally.seed, tally.minutes)
    await outside.prepare(errands)
    sellers = await _sellers(outside)
    people: Counter[str] = Counter()
    photo = await asyncio.to_thread(draw_product, stack.folder.path / "product.jpg")
    shoppers = [Shopper(seller, photo, people) for seller in sellers]
    psutil.cpu_percent()
    async with Supervisor(stack, outside) as supervisor:
        say(f"{len(errands)} orders are wanted by {len(shoppers)} sellers; breaking things ...")
        await _break_meanwhile(supervisor, outside, shoppers, errands, tally)
        tally.busy_percent = psutil.cpu_percent()
        tally.own_cpu_seconds = round(sum(psutil.Process().cpu_times()[:2]), 1)
        say("healing, waiting for calm ...")
        healed_at = time.monotonic()
        await supervisor.heal()
        await asyncio.gather(*(shopper.unblock() for shopper in shoppers))
        calm = await wait_for_calm(stack.owner_database_url, outside, stack.temporal.address)
        tally.calm_seconds, tally.unrest = round(time.monotonic() - healed_at, 1), calm.unrest
        tally.recoveries = recoveries_of(supervisor.recoveries)
        tally.broken = dict(sorted(supervisor.done.items())) | {
            f"ended by itself: {name}": count for name, count in supervisor.ended_by_themselves.items()
        }
        tally.broken |= {f"forged, answered {code}": n for code, n in outside.forged_answers.items()}
        tally.people = dict(people)
        await count(tally, stack.owner_database_url, outside)
        await _audit(stack, tally, say)


async def _break_meanwhile(
    supervisor: Supervisor,
    outside: Outside,
    shoppers: Sequence[Shopper],
    errands: Sequence[Errand],
    tally: Tally,
) -> None:
    """Ends with the last fault and the time; people put their phones down wherever they are."""
    started_at = time.monotonic()

    def since_start() -> float:
        return time.monotonic() - started_at

    await outside.spoil_weather(tally.seed)
    lives = [
        asyncio.create_task(shopper.live([each for each in errands if each.seller == number], since_start))
        for number, shopper in enumerate(shoppers)
    ]
    try:
        await supervisor.carry_out(plan_faults(tally.seed, tally.minutes), since_start)
        await asyncio.sleep(max(0.0, tally.minutes * 60 - since_start()))
    finally:
        for life in lives:
            life.cancel()
        ended = await asyncio.gather(*lives, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


async def _sellers(outside: Outside) -> list[Seller]:
    http = outside.http["telegram"]
    await outside.tell("telegram", "/control/users", {"id": ADMIN_ID, "first_name": "Admin"})
    await Seller(http, ADMIN_ID, "Admin").start()
    return [await Seller.join(http, f"Seller {number}") for number in range(SELLERS)]


async def _audit(stack: Stack, tally: Tally, say: Say) -> None:
    say("auditing ...")
    places = AuditPlaces(
        stack.owner_database_url,
        stack.chat_url,
        stack.standins[Service.KIE].url,
        stack.standins[Service.OPENAI].url,
        stack.temporal.address,
    )
    known = stack.environment
    secrets = [known["BOT_TOKEN"], known["OPENAI_API_KEY"], *KIE_KEYS.values()]
    report = await audit_with_counts(places, secrets)
    tally.checked, tally.excused = dict(report.checked), dict(report.excused)
    tally.violations = [asdict(violation) for violation in report.violations]


async def _keep_records(outside: Outside, folder: Path) -> None:
    """The stand-ins forget when they end."""
    folder.mkdir(exist_ok=True)
    for name in SERVICES:
        journal = await outside.ask(name, "/control/journal")
        (folder / f"{name}-journal.json").write_text(json.dumps(journal, indent=1))
    (folder / "kie-tasks.json").write_text(json.dumps(await outside.ask("kie", "/control/tasks"), indent=1))
