"""keys: the KIE keys by their ids, never by their secrets; blocks, and how a key is taken away."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer
from rich.text import Text

from admin.console import AsJson, By, Refused, Yes, actor, confirm, say, show, show_json, table
from admin.timeline import counted
from admin.tools import Tools, run
from domain.accounts import AccountStatus
from domain.clock import utc_now
from settings import load_kie_keys
from store.accounts import Accounts
from store.audit import AuditLog
from store.database import Database
from store.key_rows import KeyRows, KnownKey

app = typer.Typer(name="keys", help="Show the KIE keys; block and unblock them, take one away.")

KeyId = Annotated[str, typer.Argument(metavar="KEY", help="a key, as `keys` shows it")]

_HOURS_MAX: Final = 24 * 90
_REMOVAL: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """`setting` is empty for a key that no setting names any more."""

    key_id: str
    account: str
    setting: str
    state: str
    blocked_until: datetime | None
    block_reason: str
    open_attempts: int
    in_flight_of_account: int
    balance_kie_credits: float | None
    balance_at: datetime | None
    spent_in_a_day_kie_credits: float


@app.callback(invoke_without_command=True)
def keys(context: typer.Context, *, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        run(lambda tools: _show(tools, as_json=as_json), only_reads=True)


@app.command()
def unblock(
    name: Annotated[str, typer.Argument(metavar="KEY|ACCOUNT", help="as `keys` shows it")],
    *,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Let a key or an account create again, before its block is over."""
    run(lambda tools: _unblock(tools, name, actor(by), as_json=as_json))


@app.command()
def block(
    key_id: KeyId,
    *,
    hours: Annotated[int, typer.Option(min=1, max=_HOURS_MAX, help="for so long")] = 24,
    yes: Yes = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Start no KIE task with a key any more. What is in flight goes on, and is asked about with it."""
    run(lambda tools: _block(tools, key_id, actor(by), hours, yes=yes, as_json=as_json))


@app.command()
def remove(key_id: KeyId, *, yes: Yes = False, by: By = "", as_json: AsJson = False) -> None:
    """Say whether a key may be taken out of the settings; with open attempts it may not."""
    run(lambda tools: _remove(tools, key_id, actor(by), yes=yes, as_json=as_json))


async def _show(tools: Tools, *, as_json: bool) -> None:
    lines = await read_keys(tools)
    if as_json:
        show_json({"keys": lines})
        return
    if not lines:
        raise Refused("there is no KIE key: set KIE_API_KEY, or KIE_API_KEY_1 to KIE_API_KEY_10")
    _show_table(lines)


async def read_keys(tools: Tools) -> list[KeyLine]:
    """Those of the settings, and those without one that something still asks for."""
    database = await tools.database()
    named = {key.ref.key_id for key in load_kie_keys()}
    accounts = _accounts(database)
    statuses = {status.account: status for status in await accounts.statuses()}
    spent = await accounts.spent_in_a_day()
    known = await KeyRows(database, utc_now).known()
    return [
        _line(key, statuses.get(key.account), spent.get(key.account, 0.0), named=key.key_id in named)
        for key in known
        if key.key_id in named or key.open_attempts
    ]


def _accounts(database: Database) -> Accounts:
    return Accounts(database, utc_now, [key.ref for key in load_kie_keys()])


def _line(key: KnownKey, status: AccountStatus | None, spent: float, *, named: bool) -> KeyLine:
    own = key.blocked_until if key.blocked_until and key.blocked_until > utc_now() else None
    of_account = status.blocked_until if status else None
    by_key = own is not None and (of_account is None or own >= of_account)
    reason = key.block_reason if by_key else status.block_reason if status else ""
    return KeyLine(
        key_id=key.key_id,
        account=key.account,
        setting=setting_of(key.key_id) if named else "",
        state=_state(own, of_account, named=named),
        blocked_until=own if by_key else of_account,
        block_reason=reason,
        open_attempts=key.open_attempts,
        in_flight_of_account=status.in_flight if status else 0,
        balance_kie_credits=status.balance_kie_credits if status else None,
        balance_at=status.balance_at if status else None,
        spent_in_a_day_kie_credits=spent,
    )


def _state(own: datetime | None, of_account: datetime | None, *, named: bool) -> str:
    if not named:
        return "not in the settings"
    if own:
        return "key blocked"
    return "account blocked" if of_account else "serves"


def setting_of(key_id: str) -> str:
    """key1-0a1b2c3d is KIE_API_KEY_1."""
    number = key_id.partition("-")[0].removeprefix("key")
    return f"KIE_API_KEY_{number}" if number else "KIE_API_KEY"


def _show_table(lines: list[KeyLine]) -> None:
    shown = table("key", "account", "state", "open", "in flight", "balance", "spent in a day")
    for line in lines:
        state = "\n".join(filter(None, (line.state, _until(line))))
        shown.add_row(
            f"{line.key_id}\n{line.setting}".rstrip(),
            line.account if line.account != line.key_id else "its own",
            Text(state, style="green" if line.state == "serves" else "red"),
            str(line.open_attempts),
            str(line.in_flight_of_account),
            _balance(line),
            f"{line.spent_in_a_day_kie_credits:g}",
        )
    show(shown)
    for line in lines:
        if not line.setting:
            what = f"{line.key_id} has {_open(line.open_attempts)}"
            say(f"{what}: put it back into the settings until they are over")


def _until(line: KeyLine) -> str:
    return f"until {line.blocked_until:%m-%d %H:%M} UTC: {line.block_reason}" if line.blocked_until else ""


def _balance(line: KeyLine) -> str:
    if line.balance_kie_credits is None:
        return "not probed"
    at = f"\nat {line.balance_at:%m-%d %H:%M}" if line.balance_at else ""
    return f"{line.balance_kie_credits:g}{at}"


def _open(attempts: int) -> str:
    return counted(attempts, "open attempt")


# -- deeds ----------------------------------------------------------------------------------------


async def _unblock(tools: Tools, name: str, by: str, *, as_json: bool) -> None:
    database = await tools.database()
    lifted = await KeyRows(database, utc_now).unblock(name)
    if not lifted:
        names = sorted({each for line in await read_keys(tools) for each in (line.key_id, line.account)})
        raise Refused(f"{name} is not blocked; known are {', '.join(names) or 'none'}")
    await AuditLog(database, utc_now).write_down(by, "unblock-key", name, {"what": lifted})
    if as_json:
        show_json({"name": name, "unblocked": lifted})
    else:
        say(f"{name} may create again ({' and '.join(lifted)}); within 10 s who waits is admitted")


async def _block(tools: Tools, key_id: str, by: str, hours: int, *, yes: bool, as_json: bool) -> None:
    database = await tools.database()
    _require_setting(key_id)
    confirm(f"Start nothing with {key_id} for {hours} h?", yes=yes)
    done = await _accounts(database).block_key(key_id, utc_now() + timedelta(hours=hours), f"blocked by {by}")
    await AuditLog(database, utc_now).write_down(by, "block-key", key_id, {"until": done.until.isoformat()})
    if as_json:
        show_json(
            {"key_id": key_id, "blocked_until": done.until, "accounts_left": done.serving_accounts_left}
        )
        return
    say(f"{key_id} starts nothing until {done.until:%Y-%m-%d %H:%M} UTC; what is in flight goes on")
    if not done.serving_accounts_left:
        say("no account serves now: videos wait until one does")


async def _remove(tools: Tools, key_id: str, by: str, *, yes: bool, as_json: bool) -> None:
    database = await tools.database()
    rows = KeyRows(database, utc_now)
    await _refuse_open(rows, key_id)
    named = key_id in {key.ref.key_id for key in load_kie_keys()}
    if named:
        confirm(f"Start nothing with {key_id} any more, so that it can be taken away?", yes=yes)
        await _block_for_good(database, key_id, by)
        said = (
            f"take {setting_of(key_id)} out of the settings and restart bots and workers: nothing uses it now"
        )
    else:
        await rows.forget(key_id)
        said = f"{key_id} is forgotten; it was in no setting any more"
    await AuditLog(database, utc_now).write_down(by, "remove-key", key_id, {})
    if as_json:
        show_json({"key_id": key_id, "setting": setting_of(key_id) if named else "", "removable": True})
    else:
        say(said)


async def _block_for_good(database: Database, key_id: str, by: str) -> None:
    """What was admitted in between keeps the key; the block stays, or there would always be something."""
    done = await _accounts(database).block_key(key_id, utc_now() + _REMOVAL, f"taken away by {by}")
    await AuditLog(database, utc_now).write_down(by, "block-key", key_id, {"until": done.until.isoformat()})
    begun = await _open_attempts(KeyRows(database, utc_now), key_id)
    if begun:
        raise Refused(
            f"{key_id} cannot be removed yet, {_open(begun)} began meanwhile. It is blocked now, and starts"
            f" nothing until {done.until:%Y-%m-%d %H:%M} UTC: keys remove {key_id} again in an hour at most,"
            f" or keys unblock {key_id}"
        )


async def _refuse_open(rows: KeyRows, key_id: str) -> None:
    attempts = await _open_attempts(rows, key_id)
    if attempts:
        raise Refused(
            f"{key_id} has {_open(attempts)} and cannot be removed: keys block {key_id},"
            " and again when they are over (an hour at most)"
        )


async def _open_attempts(rows: KeyRows, key_id: str) -> int:
    key = await rows.find(key_id)
    if key is None:
        raise Refused(f"there is no key {key_id}: see keys")
    return key.open_attempts


def _require_setting(key_id: str) -> None:
    known = sorted(key.ref.key_id for key in load_kie_keys())
    if key_id not in known:
        raise Refused(f"{key_id} is no key of the settings; those are {', '.join(known) or 'none'}")
