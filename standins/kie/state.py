"""What the KIE stand-in remembers: accounts, tasks, uploads and links, in memory; keeping.py writes down."""

import asyncio
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, PlainSerializer

from standins.control import Clock, Turns
from standins.kie.models import MODELS, StandinModel
from standins.kie.orders import KieSettings, Outcome, Selection

FILES_PATH = "/files"
RESULTS_PATH = "/results"

_KeptModel = Annotated[
    StandinModel, BeforeValidator(MODELS.__getitem__), PlainSerializer(lambda model: model.slug)
]
_KEPT = ConfigDict(arbitrary_types_allowed=True, ser_json_bytes="base64", val_json_bytes="base64")


@dataclass
class Account:
    name: str
    credits: float
    created_at: deque[datetime] = field(default_factory=deque)


@dataclass
class Task:
    __pydantic_config__: ClassVar = _KEPT

    id: str
    account: str
    model: _KeptModel
    input: dict[str, Any]
    callback_url: str
    created_at: datetime
    credits: float
    base_url: str
    outcome: Outcome
    text: str
    state: str = "waiting"
    fail_code: str = ""
    fail_msg: str = ""
    completed_at: datetime | None = None
    held: bool = False
    hurried: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    movie: bytes = b""
    result_urls: list[str] = field(default_factory=list)
    gone: bool = False
    callbacks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        return self.completed_at is not None

    @property
    def billed_credits(self) -> float:
        """What fails costs nothing in the end."""
        return 0.0 if self.state == "fail" else self.credits

    def is_selected(self, selection: Selection) -> bool:
        return selection.task_id in {"", self.id} and selection.match in self.text

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "account": self.account,
            "model": self.model.slug,
            "prompt": self.input["prompt"],
            "photo_url": self.model.photo_url(self.input),
            "input": self.input,
            "state": self.state,
            "held": self.held,
            "fail_code": self.fail_code,
            "fail_msg": self.fail_msg,
            "billed_credits": self.billed_credits,
            "callBackUrl": self.callback_url,
            "callbacks": self.callbacks,
            "result_urls": self.result_urls,
            "created_at": self.created_at.isoformat(),
            "completed_at": self.completed_at.isoformat() if self.completed_at else None,
        }


@dataclass(frozen=True)
class Upload:
    __pydantic_config__: ClassVar = _KEPT

    content: bytes
    mime_type: str
    expires_at: datetime


@dataclass(frozen=True)
class Link:
    task_id: str
    expires_at: datetime


@dataclass
class _ArmedOutcome:
    order: Outcome
    turns: Turns


class KieState:
    def __init__(self, settings: KieSettings, keys: dict[str, str], clock: Clock, *, any_key: bool) -> None:
        self._first_settings = settings
        self._first_keys = keys
        self._any_key = any_key
        self.clock = clock
        self.clear()

    def clear(self) -> None:
        """Everything as after the start."""
        self.settings = self._first_settings.model_copy()
        self.keys = dict(self._first_keys)
        self.revoked: set[str] = set()
        self.accounts: dict[str, Account] = {}
        self.tasks: dict[str, Task] = {}
        self.uploads: dict[str, Upload] = {}
        self.links: dict[str, Link] = {}
        self.holds: list[str] = []
        self.paused = {slug for slug in MODELS if slug.startswith("sora-2")}
        self._outcomes: list[_ArmedOutcome] = []
        self._queries: dict[str, deque[datetime]] = {}

    def account_of(self, key: str) -> Account | None:
        if not key or key in self.revoked:
            return None
        name = self.keys.get(key) or (key if self._any_key else "")
        return self.account(name) if name else None

    def account(self, name: str) -> Account:
        return self.accounts.setdefault(name, Account(name, self.settings.credits))

    def may_create(self, account: Account) -> bool:
        """Counts the create when it may happen; a refused one is not counted."""
        span = timedelta(seconds=self.settings.creates_window_seconds)
        return _fits(account.created_at, self.clock(), span, self.settings.creates_max)

    def may_query(self, key: str) -> bool:
        span = timedelta(seconds=self.settings.queries_window_seconds)
        window = self._queries.setdefault(key, deque())
        return _fits(window, self.clock(), span, self.settings.queries_max)

    def running_tasks(self, account: str) -> int:
        return sum(1 for task in self.tasks.values() if task.account == account and not task.closed)

    def order_outcome(self, order: Outcome) -> None:
        self._outcomes.append(_ArmedOutcome(order, Turns(order.skip, order.times)))

    def outcomes(self) -> list[dict[str, Any]]:
        return [{**armed.order.model_dump(mode="json"), **armed.turns.shown()} for armed in self._outcomes]

    def forget_outcomes(self) -> None:
        self._outcomes.clear()

    def outcome_for(self, text: str) -> Outcome:
        for armed in self._outcomes:
            if armed.order.match in text and armed.turns.fires():
                return armed.order
        return Outcome()

    def selected(self, selection: Selection) -> list[Task]:
        return [task for task in self.tasks.values() if task.is_selected(selection)]

    def keep_upload(self, path: str, content: bytes, mime_type: str) -> str:
        """The same path replaces what was there, as it does at KIE."""
        now = self.clock()
        for old in [name for name, upload in self.uploads.items() if upload.expires_at <= now]:
            del self.uploads[old]
        expires_at = now + timedelta(seconds=self.settings.upload_ttl_seconds)
        self.uploads[path] = Upload(content, mime_type, expires_at)
        return f"{FILES_PATH}/{path}"

    def upload_at(self, path: str) -> Upload | None:
        upload = self.uploads.get(path)
        return upload if upload and upload.expires_at > self.clock() else None

    def new_link(self, task: Task, ttl_seconds: float) -> str:
        token = secrets.token_hex(8)
        self.links[token] = Link(task.id, self.clock() + timedelta(seconds=ttl_seconds))
        return f"{task.base_url}{RESULTS_PATH}/{token}/{task.id}.mp4"

    def task_of_link(self, token: str, *, even_expired: bool = False) -> Task | None:
        link = self.links.get(token)
        if link is None or (link.expires_at <= self.clock() and not even_expired):
            return None
        return self.tasks.get(link.task_id)

    def expire_links(self, task: Task) -> int:
        now = self.clock()
        mine = [token for token, link in self.links.items() if link.task_id == task.id]
        for token in mine:
            self.links[token] = Link(task.id, now)
        return len(mine)

    def is_visible(self, task: Task) -> bool:
        ordered = task.outcome.invisible_seconds
        seconds = self.settings.invisible_seconds if ordered is None else ordered
        return self.clock() >= task.created_at + timedelta(seconds=seconds)


def _fits(window: deque[datetime], now: datetime, span: timedelta, calls_max: int) -> bool:
    while window and window[0] <= now - span:
        window.popleft()
    if len(window) >= calls_max:
        return False
    window.append(now)
    return True


def link_token(url: str) -> str:
    """The token of one of our result links, else nothing."""
    parts = urlsplit(url).path.split("/")
    return parts[2] if len(parts) == 4 and f"/{parts[1]}" == RESULTS_PATH else ""  # noqa: PLR2004 - /results/<token>/<name>


def record_of(task: Task, settings: KieSettings) -> dict[str, Any]:
    """`data` of recordInfo and of a callback: JSON inside JSON, as on the wire."""
    failed = task.state == "fail"
    return {
        "taskId": task.id,
        "model": task.model.slug,
        "state": task.state,
        "param": _param(task, settings),
        "resultJson": json.dumps({"resultUrls": task.result_urls}) if task.state == "success" else "",
        "failCode": task.fail_code if failed else None,
        "failMsg": task.fail_msg if failed else None,
        "costTime": round((task.completed_at - task.created_at).total_seconds())
        if task.completed_at
        else None,
        "completeTime": _milliseconds(task.completed_at),
        "createTime": _milliseconds(task.created_at),
        "updateTime": _milliseconds(task.completed_at or task.created_at),
        "creditsConsumed": task.credits,
    }


def _param(task: Task, settings: KieSettings) -> str:
    ordered = task.outcome.callback_url_in_param
    shows_url = settings.callback_url_in_param if ordered is None else ordered
    param = {"input": json.dumps(task.input, ensure_ascii=False), "model": task.model.slug}
    if task.callback_url and shows_url:
        param["callBackUrl"] = task.callback_url
    return json.dumps(param, ensure_ascii=False)


def _milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None
