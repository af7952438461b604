"""The parts of the Telegram stand-in, put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from standins.control import Clock, Control, utc_now
from standins.telegram.account import Account
from standins.telegram.api import BotApi
from standins.telegram.content import MediaReader
from standins.telegram.control_routes import ControlRoutes
from standins.telegram.editing import Editing
from standins.telegram.files import FileStore
from standins.telegram.group_routes import GroupRoutes
from standins.telegram.groups import Groups
from standins.telegram.mailbox import Mailbox
from standins.telegram.model import Memory
from standins.telegram.paying import Paying
from standins.telegram.payment_routes import PaymentRoutes
from standins.telegram.payments import Payments
from standins.telegram.people import People
from standins.telegram.records import Records
from standins.telegram.sending import Sending
from standins.telegram.weather import SERVICE_CALLS, UPDATE_EVENTS, bad_answer
from standins.telegram.webhook import WebhookSender
from standins.telegram.webhook_routes import WebhookRoutes
from standins.telegram.world import World
from standins.weather import Weather

_SAVE_SECONDS: Final = 1.0
_STATIC: Final = Path(__file__).parent / "static"
_SNAPSHOT: Final = "chats.json"


class _FreshFiles(StaticFiles):
    """The page after an update is never half old: the browser asks each time, and mostly hears 304."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response


def build_app(folder: Path, clock: Clock = utc_now) -> Starlette:
    """One Telegram, remembered in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    snapshot = folder / _SNAPSHOT
    memory = _remembered(snapshot)
    world = World(memory, clock)
    files = FileStore(memory, folder / "files")
    mailbox = Mailbox(world)
    media = MediaReader(files)
    weather = Weather(bad_answer, spared=SERVICE_CALLS, events=UPDATE_EVENTS)
    control = Control(world.forget_everything, clock, weather)
    sending = Sending(world, media)
    payments = Payments(world, sending, mailbox)
    groups = Groups(world, mailbox)
    methods = {
        **sending.methods(),
        **payments.methods(),
        **Editing(world, media).methods(),
        **Account(world, files, mailbox, groups).methods(),
    }
    api = BotApi(world, files, mailbox, control, methods)
    people = ControlRoutes(world, files, mailbox, People(world, files, mailbox))
    stars = PaymentRoutes(memory, payments, Paying(world, mailbox, payments))
    sender = WebhookSender(world, mailbox, control, api.perform)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(sender.run()), asyncio.create_task(_save_now_and_then(world, snapshot))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _save(world, snapshot)

    routes = [
        *api.routes(),
        *control.routes(),
        *people.routes(),
        *stars.routes(),
        *GroupRoutes(groups).routes(),
        *WebhookRoutes(memory).routes(),
        *Records(memory).routes(),
        *_page_routes(people),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _page_routes(people: ControlRoutes) -> list[Route | Mount]:
    return [Route("/", people.page), Mount("/static", _FreshFiles(directory=_STATIC))]


def _remembered(snapshot: Path) -> Memory:
    """An unreadable snapshot is put aside: a chat that starts empty is better than none."""
    if not snapshot.exists():
        return Memory()
    try:
        return Memory.model_validate_json(snapshot.read_bytes())
    except ValidationError:
        snapshot.replace(snapshot.with_suffix(".unreadable"))
        return Memory()


async def _save_now_and_then(world: World, snapshot: Path) -> None:
    while True:
        await asyncio.sleep(_SAVE_SECONDS)
        if world.is_unsaved:
            _save(world, snapshot)


def _save(world: World, snapshot: Path) -> None:
    world.is_unsaved = False
    fresh = snapshot.with_suffix(".new")
    fresh.write_text(world.memory.model_dump_json())
    fresh.replace(snapshot)
