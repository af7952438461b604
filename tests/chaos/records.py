"""What Telegram and KIE wrote down themselves, and the rows of the database, as the auditor reads them."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpx
from temporalio.client import Client

Json = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

_TABLES: Final = ("users", "credit_entries", "orders", "videos", "attempts", "messages", "payments")
_BEGINNINGS: Final = re.compile(rb"film-begins:([0-9a-f]{32})")
_ENDS: Final = re.compile(rb"film-ends:([0-9a-f]{32})")
_DOWNLOADS_AT_ONCE: Final = 8
_OWN_WORDS_MIN: Final = 6


# -- Telegram -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    at: datetime
    kind: str
    text: str
    file_id: str
    button_data: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    chat_id: int
    id: int
    from_bot: bool
    reply_to: int | None
    versions: tuple[Version, ...]

    @property
    def button_data(self) -> set[str]:
        return {data for version in self.versions for data in version.button_data}

    @property
    def written(self) -> list[Version]:
        """Without the versions that only changed buttons or a picture."""
        before = [None, *(version.text for version in self.versions)]
        return [version for version, text in zip(self.versions, before, strict=False) if version.text != text]

    @property
    def video_ids(self) -> set[str]:
        """Telegram's ids of the films it has shown, ever."""
        return {version.file_id for version in self.versions if version.kind == "video"}


@dataclass(frozen=True)
class Press:
    user_id: int
    message_id: int
    data: str
    toast: str


@dataclass(frozen=True)
class Person:
    id: int
    has_blocked: bool
    times_blocked: int


@dataclass(frozen=True)
class Stars:
    charge_id: str
    user_id: int
    amount: int
    refunded: bool


@dataclass(frozen=True)
class Film:
    """What a file holds: the KIE tasks whose first and whose last picture are in it."""

    begun: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()

    @property
    def whole(self) -> frozenset[str]:
        return self.begun & self.ended


@dataclass(frozen=True)
class Telegram:
    people: dict[int, Person]
    messages: list[Message]
    presses: list[Press]
    stars: list[Stars]
    films: dict[str, Film]

    def kie_tasks_in(self, message: Message) -> set[str]:
        return {task for file_id in message.video_ids for task in self.films[file_id].whole}

    @cached_property
    def by_chat(self) -> dict[int, list[Message]]:
        return _grouped(self.messages, lambda message: message.chat_id)

    @cached_property
    def seen(self) -> dict[str, list[Message]]:
        """Each KIE task's film: the messages that held it, in whatever chat."""
        seen: defaultdict[str, list[Message]] = defaultdict(list)
        for message in self.messages:
            if message.from_bot:
                for task in self.kie_tasks_in(message):
                    seen[task].append(message)
        return seen

    def author_of(self, prompt: str) -> int | None:
        """Who wrote the words in it; None where nobody did, or several."""
        authors = {user_id for text, user_id in self._own_words if text in prompt}
        return authors.pop() if len(authors) == 1 else None

    @cached_property
    def _own_words(self) -> list[tuple[str, int]]:
        texts = ((message.versions[-1].text, message) for message in self.messages if not message.from_bot)
        return [
            (text, message.chat_id)
            for text, message in texts
            if len(text) >= _OWN_WORDS_MIN and not text.startswith("/")
        ]


async def read_telegram(url: str) -> Telegram:
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        books = await _json(http, "/control/records")
        stars = (await _json(http, "/control/stars"))["transactions"]
        messages = [_message(each) for each in books["messages"]]
        shown = {file_id for message in messages if message.from_bot for file_id in message.video_ids}
        films = await _films(http, shown)
    films |= {file_id: Film() for message in messages for file_id in message.video_ids - films.keys()}
    return Telegram(
        people={each["id"]: Person(**each) for each in books["users"]},
        messages=messages,
        presses=[
            Press(each["user_id"], each["message_id"], each["data"], each["toast"] or "")
            for each in books["presses"]
        ],
        stars=[Stars(each["charge_id"], each["user_id"], each["amount"], each["refunded"]) for each in stars],
        films=films,
    )


def _message(told: Json) -> Message:
    return Message(
        told["chat_id"],
        told["message_id"],
        told["from_bot"],
        told["reply_to_message_id"],
        tuple(_version(each) for each in told["versions"]),
    )


def _version(told: Json) -> Version:
    buttons = [button.get("callback_data", "") for row in told["buttons"] for button in row]
    file_id = (told["media"] or {}).get("file_id", "")
    at = datetime.fromisoformat(told["at"])
    return Version(at, told["kind"], told["text"], file_id, tuple(filter(None, buttons)))


async def _films(http: httpx.AsyncClient, file_ids: Iterable[str]) -> dict[str, Film]:
    at_once = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)

    async def film(file_id: str) -> tuple[str, Film]:
        async with at_once:
            answer = await http.get(f"/files/{file_id}")
        answer.raise_for_status()
        return file_id, Film(_marks(_BEGINNINGS, answer.content), _marks(_ENDS, answer.content))

    return dict(await asyncio.gather(*map(film, file_ids)))


def _marks(mark: re.Pattern[bytes], content: bytes) -> frozenset[str]:
    return frozenset(found.decode() for found in mark.findall(content))


# -- KIE ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KieTask:
    """`attempt_id` is the one in its callback's address."""

    id: str
    attempt_id: str
    prompt: str
    billed: bool


async def read_kie(url: str) -> list[KieTask]:
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        tasks = (await _json(http, "/control/tasks"))["tasks"]
    return [
        KieTask(each["id"], _attempt_in(each["callBackUrl"]), each["prompt"], each["billed_credits"] > 0)
        for each in tasks
    ]


def _attempt_in(callback_url: str) -> str:
    parts = urlsplit(callback_url).path.strip("/").split("/")
    return parts[-2] if len(parts) > 1 else ""


# -- the database -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Books:
    """The tables, and what the auditor's own queries found, all of one moment."""

    tables: dict[str, Rows]
    answers: dict[str, Rows]

    def __getitem__(self, table: str) -> Rows:
        return self.tables[table]

    @cached_property
    def chat_of(self) -> dict[int, int]:
        """The Telegram id of each user who is not forgotten."""
        return {row["id"]: row["tg_user_id"] for row in self["users"] if row["tg_user_id"]}

    @cached_property
    def videos_by_id(self) -> dict[str, Mapping[str, Any]]:
        return {row["id"]: row for row in self["videos"]}

    @cached_property
    def orders_by_id(self) -> dict[str, Mapping[str, Any]]:
        return {row["id"]: row for row in self["orders"]}

    @cached_property
    def attempts_by_task(self) -> dict[str, list[Mapping[str, Any]]]:
        return _grouped(self["attempts"], lambda row: row["kie_task_id"])

    @cached_property
    def attempts_by_id(self) -> dict[str, Mapping[str, Any]]:
        return {row["id"]: row for row in self["attempts"]}

    @cached_property
    def reserved_orders(self) -> set[str]:
        return {row["cause"].partition(":")[2] for row in self["credit_entries"] if row["kind"] == "reserve"}

    @cached_property
    def entries_by_user(self) -> dict[int, list[Mapping[str, Any]]]:
        return _grouped(self["credit_entries"], lambda row: row["user_id"])

    @cached_property
    def messages_by_order(self) -> dict[str, list[Mapping[str, Any]]]:
        return _grouped(self["messages"], lambda row: row["order_id"])


async def read_books(url: str, queries: Mapping[str, str], secrets: Sequence[str]) -> tuple[Books, list[str]]:
    """And where in the database secrets were found."""
    connection = await asyncpg.connect(url, timeout=10, command_timeout=120)
    tables: dict[str, Rows] = {}
    answers: dict[str, Rows] = {}
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for name in _TABLES:
                rows = await connection.fetch(f"select * from {name} order by 1")  # noqa: S608 - our own names
                tables[name] = [dict(row) for row in rows]
            for name, query in queries.items():
                answers[name] = [dict(row) for row in await connection.fetch(query)]
            leaks = await _leaks(connection, secrets)
    finally:
        await connection.close(timeout=5)
    return Books(tables, answers), leaks


async def _leaks(connection: "asyncpg.Connection[Any]", secrets: Sequence[str]) -> list[str]:
    """Tables that hold one of them in any column."""
    if not secrets:
        return []
    names = await connection.fetch("select tablename from pg_tables where schemaname = 'public' order by 1")
    return [row["tablename"] for row in names if await _holds(connection, row["tablename"], secrets)]


async def _holds(connection: "asyncpg.Connection[Any]", table: str, secrets: Sequence[str]) -> bool:
    query = f'select exists (select from "{table}" t, unnest($1::text[]) s where strpos(t::text, s) > 0)'  # noqa: S608 - names from the catalogue
    return bool(await connection.fetchval(query, list(secrets)))


# -- Temporal -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Workflows:
    running: list[str] = field(default_factory=list)
    with_secrets: list[str] = field(default_factory=list)
    count: int = 0


async def read_workflows(address: str, secrets: Sequence[str]) -> Workflows:
    """Nothing without an address."""
    if not address:
        return Workflows()
    client = await Client.connect(address)
    found = [each async for each in client.list_workflows()]
    running = [each.id for each in found if each.status is not None and each.status.name == "RUNNING"]
    at_once = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)

    async def leaks(workflow_id: str, run_id: str) -> bool:
        async with at_once:
            history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        raw = b"".join(event.SerializeToString() for event in history.events)
        return any(secret.encode() in raw for secret in secrets)

    leaking = await asyncio.gather(*(leaks(each.id, each.run_id) for each in found)) if secrets else []
    with_secrets = [each.id for each, is_leaking in zip(found, leaking, strict=False) if is_leaking]
    return Workflows(running, with_secrets, len(found))


async def _json(http: httpx.AsyncClient, path: str) -> Json:
    answer = await http.get(path)
    answer.raise_for_status()
    told: Json = answer.json()
    return told


def _grouped(things: Iterable[Any], key: Any) -> dict[Any, list[Any]]:
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return groups
