"""Outages: ten calls in a row that reached nobody mark a service as down.

KIE and Telegram are then probed once a minute. Of OpenAI the next call that gets through ends it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog

from domain.clock import Clock
from store.database import UNAVAILABLE_ERRORS, Connection, Database, Row, load_queries

_ASKED_APART: Final = timedelta(seconds=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)

_log = structlog.get_logger(__name__)
_queries = load_queries("services")


class Outside(StrEnum):
    """The machines of others that are marked as down."""

    KIE = "kie"
    OPENAI = "openai"  # who writes the scripts
    OPENAI_MODERATION = "openai_moderation"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True)
class OutageRules:
    down_after_in_row: int = 10
    probe_seconds: float = 60.0


DEFAULT_RULES: Final = OutageRules()


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """`newly_down` is True for one caller only: that one tells people."""

    down: bool
    in_row: int
    next_probe_in_seconds: float = 0.0
    newly_down: bool = False


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    service: str
    in_row: int
    down_since: datetime | None


class Services:
    def __init__(self, database: Database, clock: Clock, rules: OutageRules = DEFAULT_RULES) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    async def unreachable(self, service: str) -> ServiceHealth:
        """One more call that reached nobody."""
        async with self._database.transaction() as connection:
            await _queries.make_service(connection, name=service)
            row = await _queries.lock_service(connection, name=service)
            now = self._clock()
            in_row = row["unreachable_in_row"] + 1
            newly_down = row["down_since"] is None and in_row >= self._rules.down_after_in_row
            down_since = now if newly_down else row["down_since"]
            next_probe_at = self._next_probe_at(row, down_since, now)
            await _queries.write_service(
                connection, name=service, in_row=in_row, down_since=down_since, next_probe_at=next_probe_at
            )
        return ServiceHealth(
            down_since is not None, in_row, _seconds_until(next_probe_at, now), newly_down=newly_down
        )

    async def reached(self, service: str) -> bool:
        """True for the one caller whose call ended an outage."""
        async with self._database.transaction() as connection:
            seen = await _queries.read_service(connection, name=service)
            if seen is None or not seen["unreachable_in_row"]:
                return False
            row = await _queries.lock_service(connection, name=service)
            await _queries.write_service(
                connection, name=service, in_row=0, down_since=None, next_probe_at=None
            )
        return row["down_since"] is not None

    async def wait_before_call(self, service: str) -> float:
        """0 to call now. While the service is down that is the minute's one probe; the others wait."""
        async with self._database.connection() as connection:
            row = await _queries.read_service(connection, name=service)
            if row is None or row["down_since"] is None:
                return 0.0
            now = self._clock()
            taken = await self._take_probe(connection, service, now)
        return 0.0 if taken else _seconds_until(row["next_probe_at"], now) or self._rules.probe_seconds

    async def take_probe(self, service: str) -> bool:
        """Whether it is down, and the caller the one who looks again now."""
        now = self._clock()
        async with self._database.connection() as connection:
            return await self._take_probe(connection, service, now)

    def watch(self, service: str) -> "Watch":
        return Watch(self, service, self._clock)

    async def statuses(self) -> list[ServiceStatus]:
        async with self._database.connection() as connection:
            return [
                ServiceStatus(row["name"], row["unreachable_in_row"], row["down_since"])
                async for row in _queries.read_services(connection)
            ]

    async def _take_probe(self, connection: Connection, service: str, now: datetime) -> bool:
        next_probe_at = now + self._probe_span
        taken = await _queries.take_probe(connection, name=service, now=now, next_probe_at=next_probe_at)
        return taken is not None

    def _next_probe_at(self, row: Row, down_since: datetime | None, now: datetime) -> datetime | None:
        """A late answer of a call that was under way does not move the probe."""
        if down_since is None:
            return None
        planned: datetime | None = row["next_probe_at"]
        return planned if planned is not None and planned > now else now + self._probe_span

    @property
    def _probe_span(self) -> timedelta:
        return timedelta(seconds=self._rules.probe_seconds)


class Watch:
    """Told of every call's end, whether it was answered. Of many that were, one a second is written down.

    A database that is away spoils no call that went well.
    """

    def __init__(self, services: Services, service: str, clock: Clock) -> None:
        self._services = services
        self._service = service
        self._clock = clock
        self._well_until = _NEVER

    async def heard(self, *, answered: bool) -> None:
        if answered and self._clock() < self._well_until:
            return
        try:
            await self._note(answered=answered)
        except UNAVAILABLE_ERRORS as error:
            _log.warning("call not noted", service=self._service, error=type(error).__name__)

    async def _note(self, *, answered: bool) -> None:
        if answered:
            self._well_until = self._clock() + _ASKED_APART
            if await self._services.reached(self._service):
                _log.info("service is back", service=self._service)
            return
        self._well_until = _NEVER
        if (await self._services.unreachable(self._service)).newly_down:
            _log.warning("service is down", service=self._service)


def _seconds_until(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (moment - now).total_seconds())
