"""Users, chats and messages: what is true on Telegram's servers, and who waits for a change of it."""

import asyncio
import contextlib
import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from standins.telegram.errors import UserError, bad_request, forbidden
from standins.telegram.model import CallbackQuery, Chat, Group, Kept, Memory, Toast, User, Version

Json = dict[str, Any]
Clock = Callable[[], datetime]

VERSIONS_KEPT_MAX: Final = 200
CALLBACK_QUERIES_KEPT_MAX: Final = 20_000
TOASTS_KEPT_MAX: Final = 20_000
TYPING_SECONDS: Final = 5.0
CALLBACK_QUERY_SECONDS: Final = 600.0
_EVERYBODY: Final = 0


class World:
    def __init__(self, memory: Memory, clock: Clock) -> None:
        self.memory = memory
        self.clock = clock
        self.is_unsaved = False
        self._typing_until: dict[int, datetime] = {}
        self._waiting: defaultdict[int, set[asyncio.Future[None]]] = defaultdict(set)

    def unix_now(self) -> int:
        return int(self.clock().timestamp())

    # -- changes

    def next_event(self, chat_id: int) -> int:
        """Number a change of a chat, and wake whoever waits for one."""
        self.memory.last_event += 1
        self.is_unsaved = True
        if chat_id in self.memory.users:
            self.memory.users[chat_id].event = self.memory.last_event
        for future in [*self._waiting.pop(chat_id, ()), *self._waiting.pop(_EVERYBODY, ())]:
            if not future.done():
                future.set_result(None)
        return self.memory.last_event

    async def wait_for_change(self, seconds: float, chat_id: int = _EVERYBODY) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting[chat_id].add(future)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(future, seconds)
        self._waiting[chat_id].discard(future)

    def forget_everything(self) -> None:
        """The next generation: pages that look at the old one load again. The webhook and commands stay."""
        fresh = Memory(
            generation=self.memory.generation + 1,
            bot=self.memory.bot,
            webhook=self.memory.webhook,
            commands=self.memory.commands,
            allowed_updates=self.memory.allowed_updates,
            **{name: getattr(self.memory, name) for name in ("last_event", "last_message_id")},
            **{
                name: getattr(self.memory, name)
                for name in ("next_update_id", "next_user_id", "next_file_number")
            },
        )
        for name in Memory.model_fields:
            setattr(self.memory, name, getattr(fresh, name))
        self.next_event(_EVERYBODY)

    # -- users

    def add_user(self, user_id: int, first_name: str, language_code: str, username: str = "") -> User:
        """The user with this id, made or renamed; a new id for 0."""
        if user_id == 0:
            user_id = self.memory.next_user_id
            self.memory.next_user_id += 1
        self.memory.next_user_id = max(self.memory.next_user_id, user_id + 1)
        fields = {"first_name": first_name, "language_code": language_code, "username": username}
        known = self.memory.users.get(user_id) or User(id=user_id, **fields)
        self.memory.users[user_id] = known.model_copy(update=fields)
        self.next_event(user_id)
        return self.memory.users[user_id]

    def user(self, user_id: int) -> User:
        found = self.memory.users.get(user_id)
        if found is None:
            raise UserError(f"there is no user {user_id}; add one with POST /control/users", 404)
        return found

    def receiver(self, chat_id: str) -> Chat:
        """Where a bot may write to."""
        found = self.reachable(chat_id)
        if isinstance(found, User) and found.has_blocked:
            raise forbidden("bot was blocked by the user")
        if isinstance(found, User) and not found.has_started:
            raise forbidden("bot can't initiate conversation with a user")
        return found

    def reachable(self, chat_id: str) -> Chat:
        """Where a bot may change what is there: `edits_pass` tells how it went with a real blocked chat."""
        found = self.known_chat(chat_id)
        if isinstance(found, Group) and not found.has_bot:
            raise forbidden("bot is not a member of the supergroup chat")
        if isinstance(found, User) and found.has_blocked and not found.edits_pass:
            raise forbidden("bot was blocked by the user")
        return found

    def known_chat(self, chat_id: str) -> Chat:
        if not chat_id:
            raise bad_request("chat_id is empty")
        number = int(chat_id) if chat_id.lstrip("-").isdigit() else 0
        found = self.memory.users.get(number) or self.memory.groups.get(number)
        if found is None:
            raise bad_request("chat not found")
        return found

    def show_typing(self, user_id: int) -> None:
        self._typing_until[user_id] = self.clock() + timedelta(seconds=TYPING_SECONDS)
        self.next_event(user_id)

    def is_typing(self, user_id: int) -> bool:
        until = self._typing_until.get(user_id)
        return until is not None and until > self.clock()

    # -- messages

    def chat_messages(self, user_id: int) -> list[Kept]:
        return list(self.memory.messages.get(user_id, {}).values())

    def changed_messages(self, user_id: int, since_event: int) -> Iterator[Kept]:
        return (kept for kept in self.chat_messages(user_id) if kept.event > since_event)

    def find(self, user_id: int, message_id: int) -> Kept | None:
        """None also for what was deleted."""
        found = self.memory.messages.get(user_id, {}).get(message_id)
        return None if found is None or found.deleted else found

    def add_message(
        self, chat: Chat, content: Json, *, from_bot: bool, rang: bool = False, sender: User | None = None
    ) -> Kept:
        """In a private chat the person is the sender; in a group `sender` says who."""
        self.memory.last_message_id += 1
        author = sender or (chat if isinstance(chat, User) and not from_bot else self.memory.bot)
        body = {
            "message_id": self.memory.last_message_id,
            "from": author.shown(),
            "chat": chat.chat(),
            "date": self.unix_now(),
            **content,
        }
        if from_bot:
            self._typing_until.pop(chat.id, None)
        kept = Kept(
            chat_id=chat.id,
            message_id=body["message_id"],
            from_bot=from_bot,
            rang=rang,
            event=self.next_event(chat.id),
            body=body,
            versions=[Version(at=self.clock(), body=body)],
        )
        self.memory.messages.setdefault(chat.id, {})[kept.message_id] = kept
        return kept

    def change_message(self, kept: Kept, body: Json) -> Kept:
        kept.body = {**body, "edit_date": self.unix_now()}
        kept.versions.append(Version(at=self.clock(), body=kept.body))
        del kept.versions[1:-VERSIONS_KEPT_MAX]
        kept.event = self.next_event(kept.chat_id)
        return kept

    def delete_message(self, kept: Kept) -> None:
        kept.deleted = True
        kept.event = self.next_event(kept.chat_id)

    # -- callback queries

    def add_callback_query(self, user: User, message_id: int, data: str) -> CallbackQuery:
        number = str(secrets.randbelow(9 * 10**17) + 10**17)
        query = CallbackQuery(
            id=number, user_id=user.id, message_id=message_id, data=data, made_at=self.clock()
        )
        self.memory.callback_queries[number] = query
        for oldest in list(self.memory.callback_queries)[:-CALLBACK_QUERIES_KEPT_MAX]:
            del self.memory.callback_queries[oldest]
        self.next_event(user.id)
        return query

    def answerable_query(self, query_id: str) -> CallbackQuery:
        query = self.memory.callback_queries.get(query_id)
        limit = self.clock() - timedelta(seconds=CALLBACK_QUERY_SECONDS)
        if query is None or query.expired or query.made_at < limit:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        return query

    def waiting_queries(
        self, user_id: int, seconds_max: float = CALLBACK_QUERY_SECONDS
    ) -> list[CallbackQuery]:
        oldest = self.clock() - timedelta(seconds=seconds_max)
        return [
            query
            for query in self.memory.callback_queries.values()
            if query.user_id == user_id and query.made_at > oldest and not (query.answered or query.expired)
        ]

    def add_toast(self, query: CallbackQuery, text: str, url: str, *, show_alert: bool) -> None:
        query.answered = True
        toast = Toast(
            event=self.next_event(query.user_id),
            at=self.clock(),
            user_id=query.user_id,
            callback_query_id=query.id,
            text=text,
            show_alert=show_alert,
            url=url,
        )
        self.memory.toasts = [*self.memory.toasts[-TOASTS_KEPT_MAX:], toast]


def chat_instance(user_id: int) -> str:
    """The same for all buttons of one chat, and nothing else."""
    return str(int.from_bytes(hashlib.sha256(str(user_id).encode()).digest()[:8], signed=True))
