"""Telegram messages that must not be doubled: a row is committed as SENDING before the call."""

from dataclasses import dataclass

from domain.clock import Clock
from domain.orders import MessagePurpose, MessageState
from store.database import Database, Row, load_queries

_queries = load_queries("messages")


@dataclass(frozen=True, slots=True)
class MessageKey:
    """Names one message for ever. `video_number` 0 is the order's own; `step` counts the long waits."""

    order_id: str
    purpose: MessagePurpose
    video_number: int = 0
    step: int = 0

    def as_parameters(self) -> dict[str, object]:
        return {
            "order_id": self.order_id,
            "purpose": self.purpose.value,
            "video_number": self.video_number,
            "step": self.step,
        }


@dataclass(frozen=True, slots=True)
class MessageRow:
    state: MessageState
    chat_id: int
    message_id: int | None
    nonce: str


class Messages:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, key: MessageKey) -> MessageRow | None:
        async with self._database.connection() as connection:
            row = await _queries.find_message(connection, **key.as_parameters())
        return _message(row) if row else None

    async def begin(
        self, key: MessageKey, chat_id: int, message_id: int | None = None, nonce: str = ""
    ) -> bool:
        """True: the row is SENDING now and the caller sends. False: it was begun before."""
        async with self._database.connection() as connection:
            row = await _queries.insert_sending(
                connection,
                **key.as_parameters(),
                chat_id=chat_id,
                message_id=message_id,
                nonce=nonce,
                now=self._clock(),
            )
        return row is not None

    async def restart(self, key: MessageKey, chat_id: int, message_id: int | None, nonce: str) -> None:
        """SENDING once more, of a message that surely was not sent before."""
        if await self.begin(key, chat_id, message_id, nonce):
            return
        async with self._database.connection() as connection:
            await _queries.restart_sending(
                connection, **key.as_parameters(), message_id=message_id, nonce=nonce, now=self._clock()
            )

    async def claim_refused(self, key: MessageKey) -> bool:
        """SENDING once more, for one of those who ask; only what Telegram surely did not take."""
        async with self._database.connection() as connection:
            claimed = await _queries.claim_refused(connection, **key.as_parameters(), now=self._clock())
        return claimed is not None

    async def finish(self, key: MessageKey, state: MessageState, message_id: int | None = None) -> None:
        async with self._database.connection() as connection:
            await _queries.finish_message(
                connection, **key.as_parameters(), state=state.value, message_id=message_id, now=self._clock()
            )


def _message(row: Row) -> MessageRow:
    return MessageRow(MessageState(row["state"]), row["chat_id"], row["message_id"], row["nonce"])
