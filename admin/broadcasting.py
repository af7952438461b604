"""broadcast: one message to everybody who can be reached; how far it is, and an end to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from temporalio.client import Client

from admin.console import AsJson, By, Refused, Yes, actor, confirm, say, section, show, show_json, table
from admin.timeline import counted
from admin.tools import Tools, run
from admin.workflow_facts import RUNNING, describe_all
from clients.telegram import TelegramClient, TelegramError
from domain import ids
from domain.broadcasts import Broadcast, BroadcastState, text_problem
from domain.clock import utc_now
from domain.orders import Language
from settings import require
from store.audit import AuditLog
from store.broadcasts import Broadcasts, StillRunning, UnknownBroadcast
from store.pacing import LASTING_PER_SECOND
from texts import broadcast_cards
from workflows.start import TemporalUnavailable, start_broadcast, wake_broadcast

app = typer.Typer(name="broadcast", help="List broadcasts; write to all users, follow it, end it.")

_LISTED: Final = 20
_HOURS_FROM_MINUTES: Final = 120

BroadcastId = Annotated[str, typer.Argument(metavar="ID", help="as `broadcast list` shows it")]


@dataclass(frozen=True, slots=True)
class Wording:
    """Of one language: said on the command line, or in a file."""

    language: Language
    text: str
    path: Path | None

    def read(self) -> str:
        """Raise Refused for what Telegram would not take."""
        option = f"--{self.language.value}"
        if bool(self.text) == (self.path is not None):
            raise Refused(f"say the text with {option} TEXT or {option}-file FILE, one of the two")
        text = self.text if self.path is None else _content(self.path)
        problem = text_problem(text)
        if problem:
            raise Refused(f"the text of {option} {problem}")
        return text.strip()


@app.callback(invoke_without_command=True)
def broadcast(context: typer.Context, *, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        run(lambda tools: _list(tools, as_json=as_json), only_reads=True)


@app.command()
def start(
    *,
    ru: Annotated[str, typer.Option("--ru", help="the text in Russian, plain")] = "",
    en: Annotated[str, typer.Option("--en", help="the text in English, plain")] = "",
    ru_file: Annotated[Path | None, typer.Option("--ru-file", help="a file with it")] = None,
    en_file: Annotated[Path | None, typer.Option("--en-file", help="a file with it")] = None,
    test: Annotated[bool, typer.Option("--test", help="only to the administrators")] = False,
    yes: Yes = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write to every user who has not blocked the bot, in his language. Shows it, and asks."""
    wordings = (Wording(Language.RU, ru, ru_file), Wording(Language.EN, en, en_file))
    run(lambda tools: _start(tools, wordings, by, test=test, yes=yes, as_json=as_json))


@app.command()
def progress(broadcast_id: BroadcastId = "", *, as_json: AsJson = False) -> None:
    """How far it is; without an ID, the latest."""
    run(lambda tools: _progress(tools, broadcast_id, as_json=as_json), only_reads=True)


@app.command()
def cancel(broadcast_id: BroadcastId, *, yes: Yes = False, by: By = "", as_json: AsJson = False) -> None:
    """Nobody else gets it; who has it, has it."""
    run(lambda tools: _cancel(tools, broadcast_id, actor(by), yes=yes, as_json=as_json))


@app.command()
def resume(broadcast_id: BroadcastId, *, by: By = "", as_json: AsJson = False) -> None:
    """Go on with one whose workflow was terminated, or never started. Nobody gets it twice."""
    run(lambda tools: _resume(tools, broadcast_id, actor(by), as_json=as_json))


@app.command(name="list")
def list_latest(*, as_json: AsJson = False) -> None:
    """The latest ones."""
    run(lambda tools: _list(tools, as_json=as_json), only_reads=True)


# -- start


async def _start(
    tools: Tools, wordings: tuple[Wording, ...], by: str, *, test: bool, yes: bool, as_json: bool
) -> None:
    texts = {wording.language: wording.read() for wording in wordings}
    if test:
        await _to_admins(tools, texts, as_json=as_json)
        return
    who = actor(by)
    broadcasts = await _rows(tools)
    reachable = await broadcasts.reachable()
    if not as_json:
        _preview(texts, reachable)
    total = sum(reachable.values())
    if not total:
        raise Refused("there is nobody to write to")
    confirm(f"Write to {counted(total, 'user')}?", yes=yes)
    client = await tools.temporal()
    broadcast_id = ids.new_broadcast_id()
    tools.unsure = (
        f"it may be on its way: broadcast progress {broadcast_id} says so, and what to do. Not start again:"
        " that is another one"
    )
    started = await _started(broadcasts, broadcast_id, texts)
    facts = {"users": started.users_total}
    await AuditLog(await tools.database(), utc_now).write_down(who, "broadcast", started.id, facts)
    await _work_on(tools, client, started)
    _tell(started, f"broadcast {started.id} is on its way: broadcast progress {started.id}", as_json=as_json)


async def _started(broadcasts: Broadcasts, broadcast_id: str, texts: Mapping[Language, str]) -> Broadcast:
    try:
        return await broadcasts.start(broadcast_id, texts)
    except StillRunning as other:
        raise Refused(
            f"{other} has not ended: see broadcast progress {other}, or end it with broadcast cancel {other}"
        ) from None


async def _work_on(tools: Tools, client: Client, broadcast: Broadcast) -> None:
    policy = tools.settings.order_policy
    try:
        await start_broadcast(client, broadcast.id, broadcast.users_total, policy)
    except TemporalUnavailable:
        raise Refused(
            f"Temporal did not answer, nobody was written to yet: broadcast resume {broadcast.id}"
        ) from None


def _preview(texts: Mapping[Language, str], reachable: Mapping[Language, int]) -> None:
    for language, text in texts.items():
        show(section(f"{language.value}: {counted(reachable[language], 'user')}"))
        say(text)
    say("")
    total = sum(reachable.values())
    say(f"{counted(total, 'user')}, {duration_of(total)}")


async def _to_admins(tools: Tools, texts: Mapping[Language, str], *, as_json: bool) -> None:
    settings = tools.settings
    require(settings, "BOT_TOKEN")
    if not settings.admins:
        raise Refused("there is no administrator to try it with: set ADMIN_TG_IDS")
    telegram = TelegramClient(settings.bot_token, settings.telegram_api_base)
    outcomes = {admin: await _try(telegram, admin, texts) for admin in settings.admins}
    await telegram.close()
    if as_json:
        show_json({"test": outcomes})
    else:
        for admin, outcome in outcomes.items():
            say(f"{admin}: {outcome}")
    if "sent" not in outcomes.values():
        raise Refused("no administrator has it: has each of them pressed Start in the bot's chat?")


async def _try(telegram: TelegramClient, admin: int, texts: Mapping[Language, str]) -> str:
    try:
        for text in texts.values():
            await telegram.send_text(admin, broadcast_cards.broadcast(text))
    except TelegramError as error:
        return f"not sent: {error}"
    return "sent"


# -- afterwards


async def _progress(tools: Tools, broadcast_id: str, *, as_json: bool) -> None:
    broadcasts = await _rows(tools)
    found = await _find(broadcasts, broadcast_id) if broadcast_id else await _latest(broadcasts)
    if as_json:
        show_json(_facts(found) | {"texts": found.texts})
        return
    for line in _lines(found):
        say(line)
    if found.state is BroadcastState.RUNNING:
        for line in (await _worked_on(await tools.temporal(), found.id)).splitlines():
            say(f"   {line}")


async def _cancel(tools: Tools, broadcast_id: str, by: str, *, yes: bool, as_json: bool) -> None:
    broadcasts = await _rows(tools)
    found = await _find(broadcasts, broadcast_id)
    if found.state is not BroadcastState.RUNNING:
        raise Refused(f"{found.id} has ended already: {found.state.value.lower()}")
    confirm(f"{found.sent} have it, {found.left} do not yet. End it?", yes=yes)
    cancelled = await broadcasts.cancel(found.id)
    await AuditLog(await tools.database(), utc_now).write_down(by, "cancel-broadcast", found.id, {})
    ended = await _find(broadcasts, found.id)
    said = "nobody else gets it" if cancelled else "it had just ended"
    _tell(ended, f"{found.id}: {said}; {ended.sent} have it", as_json=as_json)
    await _wake(tools, found.id)


async def _wake(tools: Tools, broadcast_id: str) -> None:
    """The row decides; without Temporal its workflow ends when it looks the next time."""
    try:
        await wake_broadcast(await tools.temporal(), broadcast_id)
    except (Refused, TemporalUnavailable):
        return


async def _resume(tools: Tools, broadcast_id: str, by: str, *, as_json: bool) -> None:
    found = await _find(await _rows(tools), broadcast_id)
    if found.state is not BroadcastState.RUNNING:
        raise Refused(f"{found.id} has ended already: {found.state.value.lower()}")
    await _work_on(tools, await tools.temporal(), found)
    await AuditLog(await tools.database(), utc_now).write_down(by, "resume-broadcast", found.id, {})
    _tell(found, f"{found.id} goes on: broadcast progress {found.id}", as_json=as_json)


async def _list(tools: Tools, *, as_json: bool) -> None:
    found = await (await _rows(tools)).latest(_LISTED)
    if as_json:
        show_json({"broadcasts": [_facts(each) for each in found]})
        return
    if not found:
        say("there has been no broadcast yet: broadcast start")
        return
    shown = table(
        "id", "begun, UTC", "state", "users", "sent", "blocked", "refused", "unknown", "begins with"
    )
    for each in found:
        counts = (each.users_total, each.sent, each.blocked, each.failed, each.unknown)
        words = each.texts[Language.RU].splitlines()[0][:30]
        begun = f"{each.created_at:%Y-%m-%d %H:%M}"
        shown.add_row(each.id, begun, each.state.value.lower(), *map(str, counts), words)
    show(shown)


# -- pieces


async def _rows(tools: Tools) -> Broadcasts:
    return Broadcasts(await tools.database(), utc_now)


async def _find(broadcasts: Broadcasts, broadcast_id: str) -> Broadcast:
    try:
        return await broadcasts.find(broadcast_id)
    except UnknownBroadcast:
        raise Refused(f"there is no broadcast {broadcast_id}: see broadcast list") from None


async def _latest(broadcasts: Broadcasts) -> Broadcast:
    found = await broadcasts.latest(1)
    if not found:
        raise Refused("there has been no broadcast yet: broadcast start")
    return found[0]


async def _worked_on(client: Client, broadcast_id: str) -> str:
    """What Temporal says of it, in words."""
    (facts,) = await describe_all(client, [ids.broadcast_workflow_id(broadcast_id)])
    if facts.status != RUNNING:
        return f"nobody works on it: broadcast resume {broadcast_id}"
    return facts.doing.rpartition("\n\n")[2] if "\n\n" in facts.doing else ""


def _tell(broadcast: Broadcast, sentence: str, *, as_json: bool) -> None:
    if as_json:
        show_json(_facts(broadcast))
    else:
        say(sentence)


def _facts(broadcast: Broadcast) -> dict[str, Any]:
    return {
        "id": broadcast.id,
        "state": broadcast.state,
        "created_at": broadcast.created_at,
        "ended_at": broadcast.ended_at,
        "users_total": broadcast.users_total,
        "sent": broadcast.sent,
        "blocked": broadcast.blocked,
        "failed": broadcast.failed,
        "unknown": broadcast.unknown,
        "left": broadcast.left,
    }


def _lines(broadcast: Broadcast) -> list[str]:
    is_running = broadcast.state is BroadcastState.RUNNING
    counts = {
        "have it": broadcast.sent,
        "have blocked the bot": broadcast.blocked,
        "were refused by Telegram": broadcast.failed,
        "may have it: no answer came, and it is not sent again": broadcast.unknown,
        "still to come": broadcast.left if is_running else 0,
        "without it: it ended before, or they blocked the bot meanwhile": 0 if is_running else broadcast.left,
    }
    head = f"{broadcast.id}: {broadcast.state.value.lower()}, begun {broadcast.created_at:%Y-%m-%d %H:%M} UTC"
    lines = [f"   {count} {words}" for words, count in counts.items() if count]
    lasts = [f"   {duration_of(broadcast.left)}"] if is_running else []
    return [f"{head}, to {counted(broadcast.users_total, 'user')}", *lines, *lasts]


def duration_of(users: int) -> str:
    """At the pace of the long run: with notices beside it, or a slow Telegram, it is longer."""
    minutes = users / LASTING_PER_SECOND / 60
    if minutes < 1:
        return "less than a minute"
    long = minutes >= _HOURS_FROM_MINUTES
    return f"about {minutes / 60:.1f} hours or more" if long else f"about {minutes:.0f} minutes or more"


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read as UTF-8 text: {error}") from None
