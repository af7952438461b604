"""doctor's look at the outside: Telegram, KIE, OpenAI, storage, disk, and our own public address."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from admin.findings import Finding, ok, warning, wrong
from admin.tools import Tools
from clients.kie import KieClient, KieError, KieRefused
from clients.kie_callbacks import CALLBACK_PATH
from clients.media import MediaError, MediaStorage, folder_of
from clients.telegram import TelegramClient
from clients.telegram_outcomes import TelegramError, TelegramRefused
from clients.telegram_webhooks import WEBHOOK_PATH, WebhookInfo, webhook_digest, webhook_info
from domain.failures import FailureClass
from domain.ids import new_holder_id
from domain.keys import KieKey
from domain.video_models import CATALOGUE
from settings import Settings, load_kie_keys

_CALL_SECONDS: Final = 10.0
_PROBE: Final = b"doctor was here"
_FORGED: Final = "doctor/not-signed"
_DISK_WRONG_BYTES: Final = 2**30
_DISK_LOW_BYTES: Final = 5 * 2**30
_REACH: Final = "is this machine online, is the address right?"


# -- Telegram -------------------------------------------------------------------------------------


async def examine_telegram(tools: Tools) -> list[Finding]:
    settings = tools.settings
    if not settings.bot_token:
        return []
    telegram = TelegramClient(settings.bot_token, settings.telegram_api_base, _CALL_SECONDS)
    try:
        me = await telegram.call("getMe", {})
        return [
            ok("Telegram", f"the bot is @{me['username']}"),
            _updates(settings, await webhook_info(telegram)),
        ]
    except TelegramRefused as refused:
        return [wrong("Telegram", f"refuses BOT_TOKEN: {refused}", "take the token anew from @BotFather")]
    except TelegramError as error:
        return [wrong("Telegram", f"{settings.telegram_api_base}: {error}", _REACH)]
    finally:
        await telegram.close()


def _updates(settings: Settings, info: WebhookInfo) -> Finding:
    pending = f"{info.pending_update_count} updates wait"
    if settings.telegram_updates == "polling":
        if info.url:
            do = "start the bot, which takes it away; or set TELEGRAM_UPDATES=webhook"
            return wrong("updates", "are polled, and a webhook is set: nothing comes", do)
        return ok("updates", f"are polled; {pending}")
    digest = webhook_digest(settings.telegram_webhook_secret)
    if info.url != f"{settings.public_base_url}{WEBHOOK_PATH}/{digest}":
        said = f"the webhook is {urlsplit(info.url).netloc or 'not set'}, not as set here"
        return wrong("updates", said, "start the bot, which sets it; is another bot using this token?")
    if info.last_error_message:
        return warning(
            "updates", f"{pending}; Telegram says: {info.last_error_message}", "see PUBLIC_BASE_URL"
        )
    return ok("updates", f"come by webhook; {pending}")


# -- KIE ------------------------------------------------------------------------------------------


async def examine_kie(tools: Tools) -> list[Finding]:
    settings, keys = tools.settings, load_kie_keys()
    kie = KieClient(
        keys,
        api_base=settings.kie_api_base,
        upload_base=settings.kie_upload_base,
        webhook_secret=settings.kie_webhook_secret,
        public_base_url=settings.public_base_url,
    )
    one_video = max(CATALOGUE[slug].kie_credits for slug in settings.preferred_models)
    try:
        return await asyncio.gather(*(_key(kie, key, one_video) for key in keys))
    finally:
        await kie.aclose()


async def _key(kie: KieClient, key: KieKey, one_video: float) -> Finding:
    what = f"KIE {key.ref.key_id}"
    try:
        balance = await kie.balance(key.ref.key_id)
    except KieRefused as refused:
        if refused.failure.failure_class is FailureClass.BILLING:
            return wrong(what, f"is refused: {refused}", "replace the key, or pay the account")
        return warning(what, f"was not told its balance: {refused}", "try again in a minute")
    except KieError as error:
        return wrong(what, f"cannot be asked: {error}", _REACH)
    said = f"{balance:g} KIE credits on account {key.ref.account}"
    if balance < one_video:
        return wrong(what, f"{said}: not one video", "pay the account")
    return ok(what, said)


# -- OpenAI ---------------------------------------------------------------------------------------


async def examine_openai(tools: Tools) -> list[Finding]:
    settings = tools.settings
    if not settings.openai_api_key:
        return []
    # Takes a second to import: no other command waits for it.
    from clients.openai import OpenAiError, OpenAiFailed, ScriptWriter  # noqa: PLC0415

    writer = ScriptWriter(
        settings.openai_api_key, base_url=settings.openai_base_url, model=settings.openai_model
    )
    try:
        await writer.find_model()
    except OpenAiFailed as failed:
        said = f"refuses {settings.openai_model}: {failed}"
        return [wrong("OpenAI", said, "are OPENAI_API_KEY and OPENAI_MODEL right, is the project paid?")]
    except OpenAiError as error:
        return [wrong("OpenAI", f"{settings.openai_base_url}: {error}", _REACH)]
    finally:
        await writer.aclose()
    return [ok("OpenAI", f"knows the key and {settings.openai_model}")]


# -- storage --------------------------------------------------------------------------------------


async def examine_media(tools: Tools) -> list[Finding]:
    return [await _storage("MEDIA_URL", tools.settings.media_url)]


async def examine_backups(tools: Tools) -> list[Finding]:
    """A folder may be of the backup's container alone: then the age of the last one has to do."""
    address = tools.settings.backup_url
    if not address:
        return []
    folder = folder_of(address)
    if folder is not None and not os.access(folder, os.W_OK):
        said = f"{address} is a folder of the backup alone; how old the last one is stands beside backup"
        return [ok("BACKUP_URL", said)]
    return [await _storage("BACKUP_URL", address)]


async def _storage(name: str, address: str) -> Finding:
    """Written, read and deleted, as a worker does it."""
    key = f"doctor/{new_holder_id()}"
    try:
        storage = MediaStorage(address)
        await storage.put(key, _PROBE)
        same = await storage.get(key) == _PROBE
        await storage.delete([key])
    except (MediaError, OSError) as error:
        return wrong(
            name, f"{address}: {error}", "may this user write there, are AWS_* set, is the disk full?"
        )
    if not same:
        return wrong(name, f"{address}: gives back something else", "is a cache in between?")
    return ok(name, f"{address}: written, read, deleted")


async def examine_disk(tools: Tools) -> list[Finding]:
    folder = folder_of(tools.settings.media_url) or Path.cwd()
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 2**30:.1f} GB free under {there}"
    if free < _DISK_WRONG_BYTES:
        return [wrong("disk", said, "make room: photos and videos are kept for 30 days")]
    return [warning("disk", said, "make room soon") if free < _DISK_LOW_BYTES else ok("disk", said)]


# -- our public address ---------------------------------------------------------------------------


async def examine_public_address(tools: Tools) -> list[Finding]:
    """What the proxy lets through: a callback, which the bot refuses in words of its own."""
    base = tools.settings.public_base_url
    if not base:
        return []
    do = "does the proxy pass POST /kie/… on to the bot's WEB_PORT?"
    try:
        async with httpx.AsyncClient(timeout=_CALL_SECONDS, trust_env=False) as http:
            answer = await http.post(f"{base.rstrip('/')}{CALLBACK_PATH}/{_FORGED}", json={})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [wrong("PUBLIC_BASE_URL", f"{base} from here: {type(error).__name__} {error}".rstrip(), do)]
    if not _refuses_as_bot(answer):
        said = f"{base}{CALLBACK_PATH}/ answers {answer.status_code}, and is no bot"
        return [wrong("PUBLIC_BASE_URL", said, do)]
    return [ok("PUBLIC_BASE_URL", f"{base} reaches a bot")]


def _refuses_as_bot(answer: httpx.Response) -> bool:
    """A proxy's own 404 has no such body."""
    refused = httpx.codes.NOT_FOUND
    try:
        return answer.status_code == refused and answer.json()["code"] == refused
    except (ValueError, KeyError, TypeError):
        return False
