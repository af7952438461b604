"""KIE accounts, keys and video models that are left alone for a while, and who serves meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from domain.accounts import AccountStatus, KeyStatus, ModelMark
from domain.admission import (
    KEY_REFUSED_CODE,
    AccountLoad,
    AdmissionLimits,
    BlockSpans,
    rate_limit_span,
)
from domain.clock import Clock
from domain.failures import Failure, FailureClass
from domain.keys import KeyRef
from store.database import Connection, Database, Row, load_queries

_queries = load_queries("accounts")

DEFAULT_LIMITS: Final = AdmissionLimits()
DEFAULT_SPANS: Final = BlockSpans()
DAY_SECONDS: Final = 86_400.0
_KEY_REFUSED_REASON: Final = f"{FailureClass.BILLING} {KEY_REFUSED_CODE}"


class Blocked(StrEnum):
    KEY = "key"
    ACCOUNT = "account"
    VIDEO_MODEL = "video_model"


@dataclass(frozen=True, slots=True)
class Block:
    """What a failure led to. `newly` is False where it was blocked before: one alert is enough."""

    what: Blocked
    name: str
    until: datetime
    newly: bool
    serving_accounts_left: int


class AccountRows:
    """The rows of the configured accounts and keys, and the locks on them, always in the same order."""

    def __init__(self, database: Database, keys: Sequence[KeyRef]) -> None:
        self._database = database
        self.key_ids: Final = sorted(key.key_id for key in keys)
        self.names: Final = sorted({key.account for key in keys})
        self.account_of: Final = {key.key_id: key.account for key in keys}
        self._made = False

    async def make(self) -> None:
        """In a transaction of its own, so that it holds no lock when the accounts are locked."""
        if self._made:
            return
        async with self._database.transaction() as connection:
            await _queries.make_accounts(connection, names=self.names)
            accounts = [self.account_of[key_id] for key_id in self.key_ids]
            await _queries.make_keys(connection, key_ids=self.key_ids, accounts=accounts)
        self._made = True

    async def lock(self, connection: Connection, clock: Clock) -> list[AccountLoad]:
        """Nobody else grants or blocks until this transaction ends. The clock is read after the wait."""
        rows = [row async for row in _queries.lock_accounts(connection, names=self.names)]
        return await self._loads(connection, rows, clock())

    async def read(self, connection: Connection, now: datetime) -> list[AccountLoad]:
        rows = [row async for row in _queries.read_accounts(connection, names=self.names)]
        return await self._loads(connection, rows, now)

    async def keys(self, connection: Connection) -> list[Row]:
        return [row async for row in _queries.read_keys(connection, key_ids=self.key_ids)]

    async def _loads(self, connection: Connection, rows: list[Row], now: datetime) -> list[AccountLoad]:
        keys = await self.keys(connection)
        return [_load(row, [key for key in keys if key["account"] == row["name"]], now) for row in rows]


class Accounts:
    """Every decision is made under the lock of all accounts: two failures at once see each other."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keys: Sequence[KeyRef],
        spans: BlockSpans = DEFAULT_SPANS,
        limits: AdmissionLimits = DEFAULT_LIMITS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = tuple(keys)
        self._rows = AccountRows(database, keys)
        self._spans = spans
        self._limits = limits

    async def apply_failure(
        self, *, account: str, key_id: str, video_model: str, failure: Failure
    ) -> Block | None:
        """Block what the failure says is out; None where it concerns neither key, account nor video model."""
        if failure.failure_class is FailureClass.MODEL_UNAVAILABLE:
            return await self.mark_model(video_model, self._in(self._spans.video_model_seconds), failure.code)
        if failure.failure_class is FailureClass.RATE_LIMIT:
            return await self._block(Blocked.ACCOUNT, account, None, FailureClass.RATE_LIMIT.value)
        if failure.failure_class is not FailureClass.BILLING:
            return None
        if failure.code == KEY_REFUSED_CODE:
            until = self._in(self._spans.key_seconds)
            return await self._block(Blocked.KEY, key_id, until, _KEY_REFUSED_REASON, account=account)
        reason = f"{failure.failure_class} {failure.code}".strip()
        return await self.block_account(account, self._in(self._spans.account_seconds), reason)

    async def block_key(self, key_id: str, until: datetime, reason: str) -> Block:
        account = self._rows.account_of[key_id]
        return await self._block(Blocked.KEY, key_id, until, reason, account=account)

    async def block_account(self, account: str, until: datetime, reason: str) -> Block:
        return await self._block(Blocked.ACCOUNT, account, until, reason)

    async def mark_model(self, video_model: str, until: datetime, reason: str) -> Block:
        return await self._block(Blocked.VIDEO_MODEL, video_model, until, reason)

    async def keep_balance(self, account: str, kie_credits: float, enough_kie_credits: float) -> bool:
        """What a probe read. True: the account was blocked for want of money, and now has enough again."""
        await self._rows.make()
        async with self._database.transaction() as connection:
            now = self._clock()
            await _queries.keep_balance(connection, name=account, kie_credits=kie_credits, now=now)
            if kie_credits < enough_kie_credits:
                return False
            reasons = f"{FailureClass.BILLING}%"
            lifted = await _queries.lift_block_because(connection, name=account, reasons=reasons, now=now)
        return bool(lifted)

    async def key_answers(self, key_id: str) -> bool:
        """True: it was blocked because it had been refused, and now is not."""
        async with self._database.connection() as connection:
            lifted = await _queries.lift_key_block_because(
                connection, key_id=key_id, reason=_KEY_REFUSED_REASON, now=self._clock()
            )
        return bool(lifted)

    async def spent_in_a_day(self) -> dict[str, float]:
        """KIE credits by account, of the last 24 hours."""
        since = self._clock() - timedelta(seconds=DAY_SECONDS)
        async with self._database.connection() as connection:
            return {
                row["account"]: row["kie_credits"] async for row in _queries.spent(connection, since=since)
            }

    async def lift_mark(self, video_model: str) -> bool:
        async with self._database.connection() as connection:
            return bool(await _queries.lift_mark(connection, slug=video_model))

    async def serving_accounts(self) -> tuple[str, ...]:
        await self._rows.make()
        async with self._database.connection() as connection:
            loads = await self._rows.read(connection, self._clock())
        return tuple(load.account for load in loads if load.serves_from is None)

    async def pollable_key(self, account: str, preferred_key_id: str = "") -> str | None:
        """Any key of the account that was not refused; the account's own blocks concern creates only."""
        await self._rows.make()
        now = self._clock()
        async with self._database.connection() as connection:
            rows = await self._rows.keys(connection)
        usable = [row["key_id"] for row in rows if row["account"] == account and not _refused(row, now)]
        return preferred_key_id if preferred_key_id in usable else next(iter(usable), None)

    async def statuses(self) -> list[AccountStatus]:
        await self._rows.make()
        now = self._clock()
        async with self._database.connection() as connection:
            loads = await self._rows.read(connection, now)
            counted = await count_creates(connection, loads, now, self._limits)
            blocks = [row async for row in _queries.read_accounts(connection, names=self._rows.names)]
            keys = await self._rows.keys(connection)
        return [_status(load, row, keys, now) for load, row in zip(counted, blocks, strict=True)]

    async def balance_of(self, account: str) -> float:
        """What the last probe read, also for a process that has no key of that account."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.read_accounts(connection, names=[account])]
        return next((row["balance_kie_credits"] for row in rows), None) or 0.0

    async def model_marks(self) -> list[ModelMark]:
        async with self._database.connection() as connection:
            return [
                ModelMark(row["slug"], row["unavailable_until"], row["reason"])
                async for row in _queries.read_marks(connection, now=self._clock())
            ]

    def _in(self, seconds: float) -> datetime:
        return self._clock() + timedelta(seconds=seconds)

    async def _block(
        self, what: Blocked, name: str, until: datetime | None, reason: str, account: str = ""
    ) -> Block:
        """Without `until` the rule of the last serving account decides, under the lock."""
        await self._rows.make()
        async with self._database.transaction() as connection:
            loads = await self._rows.lock(connection, self._clock)
            now = self._clock()
            wanted = until or now + timedelta(seconds=rate_limit_span(name, loads, self._spans))
            before = await _until(connection, what, name)
            storable = reason.replace("\x00", "")  # a provider's code is part of it
            await _write_block(connection, what, name, account, wanted, storable)
            after = await self._rows.read(connection, now)
        return Block(
            what,
            name,
            until=wanted if before is None else max(before, wanted),
            newly=before is None or before <= now,
            serving_accounts_left=sum(load.serves_from is None for load in after),
        )


async def lock_account(connection: Connection, account: str) -> None:
    """Of one account only: its window of real sendings."""
    async for _ in _queries.lock_accounts(connection, names=[account]):
        pass


async def count_creates(
    connection: Connection, loads: Sequence[AccountLoad], now: datetime, limits: AdmissionLimits
) -> list[AccountLoad]:
    """The loads with what each account has in flight and in its window."""
    counts = {
        row["account"]: row
        async for row in _queries.account_counts(
            connection,
            names=[load.account for load in loads],
            held_since=now - timedelta(seconds=limits.slot_hold_seconds),
            window_since=now - timedelta(seconds=limits.window_seconds),
        )
    }
    return [
        replace(
            load,
            in_flight=counts[load.account]["in_flight"],
            creates_in_window=counts[load.account]["creates_in_window"],
        )
        for load in loads
    ]


async def resting_models(connection: Connection, now: datetime) -> frozenset[str]:
    return frozenset([row["slug"] async for row in _queries.resting_models(connection, now=now)])


async def _until(connection: Connection, what: Blocked, name: str) -> datetime | None:
    read = {
        Blocked.KEY: _queries.read_key_block,
        Blocked.ACCOUNT: _queries.read_block,
        Blocked.VIDEO_MODEL: _queries.read_mark,
    }[what]
    row = await read(connection, name=name)
    return None if row is None else row["until"]


async def _write_block(
    connection: Connection, what: Blocked, name: str, account: str, until: datetime, reason: str
) -> None:
    facts: dict[str, Any] = {"until": until, "reason": reason}
    if what is Blocked.KEY:
        await _queries.block_key(connection, key_id=name, account=account, **facts)
    elif what is Blocked.ACCOUNT:
        await _queries.block_account(connection, name=name, **facts)
    else:
        await _queries.mark_model(connection, slug=name, **facts)


def _load(row: Row, keys: list[Row], now: datetime) -> AccountLoad:
    """An account serves while it is not blocked itself and has a key that is not."""
    own = _still(row["blocked_until"], now)
    key_blocks = [_still(key["blocked_until"], now) for key in keys]
    of_keys = None if None in key_blocks else min(filter(None, key_blocks), default=None)
    busy = own is not None and of_keys is None and row["block_reason"].startswith(FailureClass.RATE_LIMIT)
    return AccountLoad(
        account=row["name"],
        serves_from=max(filter(None, (own, of_keys)), default=None),
        failure_class=FailureClass.RATE_LIMIT if busy else FailureClass.BILLING,
    )


def _status(load: AccountLoad, row: Row, keys: list[Row], now: datetime) -> AccountStatus:
    blocked_until = _still(row["blocked_until"], now)
    return AccountStatus(
        account=load.account,
        serves=load.serves_from is None,
        in_flight=load.in_flight,
        creates_in_window=load.creates_in_window,
        blocked_until=blocked_until,
        block_reason=row["block_reason"] if blocked_until else "",
        keys=tuple(_key_status(key, now) for key in keys if key["account"] == load.account),
        balance_kie_credits=row["balance_kie_credits"],
        balance_at=row["balance_at"],
    )


def _key_status(key: Row, now: datetime) -> KeyStatus:
    blocked_until = _still(key["blocked_until"], now)
    return KeyStatus(key["key_id"], blocked_until, key["block_reason"] if blocked_until else "")


def _refused(key: Row, now: datetime) -> bool:
    return _still(key["blocked_until"], now) is not None and key["block_reason"] == _KEY_REFUSED_REASON


def _still(until: datetime | None, now: datetime) -> datetime | None:
    return until if until is not None and until > now else None
