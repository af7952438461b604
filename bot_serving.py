"""What the bot serves: Telegram's updates, and the address that KIE calls back."""

import asyncio
import gc
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramUnauthorizedError
from temporalio.client import Client

from bot.app import build_feeder, run_loops
from bot.feeder import ALLOWED_UPDATES, Feeder
from bot.parts import BotParts
from bot.payments_reading import PaymentsReader
from bot.polling import Poller
from bot.webhook import Inbox, WebhookKeeper
from clients.fingerprints import Fingerprints
from clients.payload_codec import payload_codec
from clients.stars import StarsPayments
from clients.telegram import TelegramClient, TelegramError
from clients.telegram_session import aiogram_bot, api_address
from clients.telegram_webhooks import Webhook, webhook_digest
from domain.clock import utc_now
from domain.orders import Template
from environment import WrongSetting
from serving import (
    EXIT_FAILED,
    EXIT_WRONG_SETTING,
    NotYet,
    Stop,
    StopRequested,
    await_database,
    connect_temporal,
    database_answers,
    prepare_ready_file,
    say_ready,
    set_up_metrics,
    set_up_traces,
    temporal_answers,
    temporal_client,
)
from settings import Settings, load_kie_keys, origin_of
from starting import check_clock
from store.albums import Albums
from store.audit import AuditLog
from store.chores import Chores
from store.conversations import Conversations
from store.counting import STAR_OUTCOMES
from store.database import UNAVAILABLE_ERRORS, Database
from store.drafts import Drafts
from store.forget import DUE_AFTER, Forgetting
from store.library import Library
from store.limits import RateLimits
from store.payments import Payments
from store.restores import Restores
from store.services import Outside
from store.shown_files import ShownFiles
from store.statistics import Statistics
from store.stores import build_stores
from store.switches import Switches
from store.updates import LEASE, HandledUpdates
from store.users import Users
from store.waiting_drafts import WaitingDrafts
from telemetry import metrics
from web.codec import CodecRoutes
from web.health import HealthRoutes, Readiness
from web.kie_callback import KieCallbackRoute, begin_counting
from web.server import CannotListen, WebServer, build_app
from web.telegram_webhook import TelegramWebhookRoute
from workflows.namespace import WrongAttributes
from workflows.start import WorkflowStarter, signal_kie_callback

DRAIN_TIMEOUT_SECONDS: Final = 20.0
_FIRST_CALL_SECONDS_MAX: Final = 3  # a slow Telegram must not keep a restarted bot from serving
_LEASE_MIN: Final = timedelta(seconds=5)

log = structlog.get_logger("bot")


async def serve_bot(settings: Settings, stop: Stop) -> int:
    """Temporal may be away: taps are committed, and the sweeper starts them later."""
    prepare_ready_file(settings)
    set_up_metrics(settings, "bot")
    metrics.ORDERS_ACCEPTED.begin(template=Template)
    metrics.STARS.begin(outcome=STAR_OUTCOMES)
    set_up_traces(settings, "bot")
    async with AsyncExitStack() as stack:
        database = await await_database(settings, stop)
        stack.push_async_callback(database.close)
        await check_clock(database, utc_now)
        client = await temporal_client(settings, lazy=True)
        parts = build_parts(settings, database, client, stack)
        feeder = build_feeder(parts)
        server = web_server(settings, database, client, _webhook_route(settings, Inbox(parts, feeder)))
        try:
            server.listen()
        except CannotListen as error:
            sys.stderr.write(f"{error}\n")
            return EXIT_WRONG_SETTING
        await _refuse_unknown_token(parts.bot)
        await stop.until_ready(lambda: _read_payments_after_restore(parts), target="Telegram, for payments")
        stack.callback(asyncio.create_task(_say_while_temporal_is_away(settings, stop)).cancel)
        running = Running(
            taking=[
                asyncio.create_task(server.run()),
                asyncio.create_task(_take_updates(settings, parts, feeder)),
            ],
            loops=asyncio.create_task(run_loops(parts, feeder)),
        )
        return await _run(running, settings, stop)


async def _take_updates(settings: Settings, parts: BotParts, feeder: Feeder) -> None:
    if settings.telegram_updates == "polling":
        await Poller(parts, feeder).run()
    else:
        secret = settings.telegram_webhook_secret
        await WebhookKeeper(parts, Webhook(settings.public_base_url, secret, ALLOWED_UPDATES)).run()


def _webhook_route(settings: Settings, inbox: Inbox) -> TelegramWebhookRoute | None:
    if settings.telegram_updates == "polling":
        return None
    secret = settings.telegram_webhook_secret
    return TelegramWebhookRoute(webhook_digest(secret), secret, inbox.receive)


async def _refuse_unknown_token(bot: Bot) -> None:
    """Raise WrongSetting where Telegram says so; any other answer is for the poller to wait out."""
    try:
        await bot.get_me(request_timeout=_FIRST_CALL_SECONDS_MAX)
    except TelegramUnauthorizedError:
        raise WrongSetting(f"BOT_TOKEN: unknown to Telegram at {api_address(bot)}") from None
    except TelegramAPIError:
        return


async def _read_payments_after_restore(parts: BotParts) -> None:
    """Raise NotYet: nobody is served on books that may lack what he has paid."""
    try:
        if await parts.restores.payments_unread():
            await PaymentsReader(parts).read()
    except TelegramError as error:
        raise NotYet(
            f"the payments since the database was restored: Telegram ({str(error) or type(error).__name__})"
        ) from None
    except UNAVAILABLE_ERRORS as error:
        raise NotYet(f"PostgreSQL, to read payments again ({type(error).__name__})") from None


async def _say_while_temporal_is_away(settings: Settings, stop: Stop) -> None:
    """Nothing waits for this; it is for whoever wonders why orders do not start."""
    target = f"Temporal at {settings.temporal_address}"
    try:
        await stop.until_ready(lambda: connect_temporal(settings), target=target)
    except StopRequested:
        return
    except (WrongAttributes, WrongSetting) as wrong:
        log.error("no order starts", why=str(wrong))  # noqa: TRY400 - one sentence, made for the operator


@dataclass(frozen=True, slots=True)
class Running:
    """`taking` brings in work, and ends first; the loops go on while it is finished."""

    taking: list[asyncio.Task[None]]
    loops: asyncio.Task[None]


async def _run(running: Running, settings: Settings, stop: Stop) -> int:
    """Until a signal; what ends by itself has failed."""
    tasks = [*running.taking, running.loops]
    stopping = asyncio.create_task(stop.wait())
    gc.freeze()  # a library's types by the hundred thousand stay: looking for garbage among them stalls taps
    say_ready(settings, "bot")
    await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done()]
    stopping.cancel()
    log.info("bot drains")
    await _end(running.taking)
    await _end([running.loops])
    for task in failed:
        log.error("bot cannot go on", exc_info=task.exception())
    return EXIT_FAILED if failed else 0


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=DRAIN_TIMEOUT_SECONDS)


def build_parts(settings: Settings, database: Database, client: Client, stack: AsyncExitStack) -> BotParts:
    stores = build_stores(
        database,
        utc_now,
        settings.order_policy,
        [key.ref for key in load_kie_keys()],
        settings.preferred_models,
        settings.time_scale,
    )
    bot = aiogram_bot(settings.bot_token, settings.telegram_api_base)
    watch = stores.services.watch(Outside.TELEGRAM)
    telegram = TelegramClient(settings.bot_token, settings.telegram_api_base, listener=watch)
    stack.push_async_callback(bot.session.close)
    stack.push_async_callback(telegram.close)
    return BotParts(
        bot=bot,
        telegram=telegram,
        users=Users(database, stores.ledger, utc_now, settings.welcome_credits, settings.welcome_per_day),
        ledger=stores.ledger,
        drafts=Drafts(database, utc_now),
        orders=stores.orders,
        videos=stores.videos,
        conversations=Conversations(database, utc_now),
        updates=HandledUpdates(database, utc_now, _lease(settings)),
        albums=Albums(database, utc_now),
        admission=stores.admission,
        accounts=stores.accounts,
        alerts=stores.alerts,
        payments=Payments(database, stores.ledger, utc_now),
        chores=Chores(database),
        restores=Restores(database, utc_now),
        limits=RateLimits(database, utc_now),
        switches=Switches(database, utc_now),
        audit=AuditLog(database, utc_now),
        statistics=Statistics(database, utc_now),
        waiting_drafts=WaitingDrafts(database, utc_now),
        library=Library(database, utc_now),
        shown_files=ShownFiles(database),
        forgetting=Forgetting(database, stores.ledger, utc_now, DUE_AFTER * settings.time_scale),
        fingerprints=Fingerprints(settings.bot_token),
        provider=StarsPayments(telegram, settings.bot_token),
        starter=WorkflowStarter(client, stores.orders, settings.order_policy),
        clock=utc_now,
        support_contact=settings.support_contact,
        shop=settings.shop_rules,
        offers_templates=bool(settings.openai_api_key),
        time_scale=settings.time_scale,
    )


def _lease(settings: Settings) -> timedelta:
    """Never so short that a busy machine loses a chat that it is working on."""
    return max(LEASE * settings.time_scale, _LEASE_MIN)


def web_server(
    settings: Settings, database: Database, client: Client, telegram: TelegramWebhookRoute | None = None
) -> WebServer:
    callback = KieCallbackRoute(
        callback_secret=settings.kie_webhook_secret,
        webhook_secret=settings.kie_webhook_secret,
        signal=lambda attempt_id, kie_task_id: signal_kie_callback(client, attempt_id, kie_task_id),
    )

    async def check() -> Readiness:
        probes = {"PostgreSQL": database_answers(database), "Temporal": temporal_answers(client)}
        answers = await asyncio.gather(*probes.values())
        return Readiness(tuple(name for name, answers_ in zip(probes, answers, strict=True) if not answers_))

    if settings.public_base_url:
        begin_counting()
    app = build_app(callback, HealthRoutes(check), telegram, codec_routes(settings))
    return WebServer(app, settings.web_host, settings.web_port)


def codec_routes(settings: Settings) -> CodecRoutes | None:
    codec = payload_codec(settings.temporal_payload_key)
    if not codec.decrypts or not settings.codec_token:
        return None
    return CodecRoutes(codec, settings.codec_token, origin_of(settings.temporal_ui_url))
