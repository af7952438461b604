"""A seller with a phone: what is typed and tapped, and what is seen, through the Telegram stand-in."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

FoundT = TypeVar("FoundT")

PATIENCE_SECONDS = 150.0  # a bound, not a promise


class NotSeen(AssertionError):
    """The chat never showed what the story waits for."""


@dataclass(frozen=True)
class Message:
    """One message as it stands in the chat now; `versions` is how it got there."""

    id: int
    from_bot: bool
    kind: str
    text: str
    labels: tuple[str, ...]
    datas: tuple[str, ...]
    rang: bool
    file_unique_id: str
    reply_to: int | None
    versions: tuple[str, ...]

    def data_of(self, label: str) -> str:
        return next(data for each, data in zip(self.labels, self.datas, strict=True) if label in each)


class Seller:
    def __init__(self, http: httpx.AsyncClient, user_id: int, name: str) -> None:
        self._http = http
        self.id = user_id
        self.name = name

    @classmethod
    async def join(cls, http: httpx.AsyncClient, name: str, language: str = "en") -> "Seller":
        answer = await http.post("/control/users", json={"first_name": name, "language_code": language})
        answer.raise_for_status()
        return cls(http, answer.json()["id"], name)

    # -- what is done

    async def start(self) -> None:
        await self.say("/start")
        await self.wait_for_button("My balance")

    async def say(self, text: str) -> dict[str, Any]:
        return await self._do("text", text=text)

    async def send_photo(self, path: Path) -> dict[str, Any]:
        return await self._do("photo", path=str(path))

    async def send_document(self, path: Path, name: str, mime: str) -> dict[str, Any]:
        return await self._do("document", path=str(path), filename=name, mime=mime)

    async def send_album(self, paths: list[Path], caption: str = "") -> dict[str, Any]:
        return await self._do("album", paths=[str(path) for path in paths], caption=caption)

    async def edit(self, message_id: int, text: str) -> dict[str, Any]:
        return await self._do("edit", message_id=message_id, text=text)

    async def pay(self, **how: Any) -> dict[str, Any]:
        """The newest invoice; `how` as the stand-in's controls have it."""
        await self.wait("an invoice", _last_invoice)
        return await self._do("pay", **how)

    async def press(self, label: str, message: Message | None = None) -> dict[str, Any]:
        """The newest button with that label."""
        message = message or await self.wait_for_button(label)
        return await self._do("press", message_id=message.id, callback_data=message.data_of(label))

    async def press_old(self, label: str, message: Message) -> dict[str, Any]:
        """A button as it was when the message was seen: an old screen still shows it."""
        data = message.data_of(label)
        return await self._do("press", message_id=message.id, callback_data=data, stale=True)

    async def block(self, *, edits_pass: bool = False) -> None:
        await self._do("block", edits_pass=edits_pass)

    async def unblock(self) -> None:
        await self._do("unblock")

    async def order(self, photo: Path, prompt: str, count: int = 1) -> Message:
        """Photo, own prompt, count; the confirm card is back, not yet tapped."""
        await self.send_photo(photo)
        await self.press("Own prompt")
        await self.choose_count(prompt, count)
        return await self.wait_for_button("Generate")

    async def choose_count(self, prompt: str, count: int) -> None:
        before = await self._last_id()
        await self.say(prompt)
        card = await self.wait_for_button(str(count), after=before)
        await self.press(str(count), card)

    async def buy(self, photo: Path, prompt: str, count: int = 1) -> Message:
        card = await self.order(photo, prompt, count)
        await self.press("Generate", card)
        return card

    # -- what is seen

    async def messages(self) -> list[Message]:
        return (await self._messages(0, 0))[1]

    async def look(self, since_event: int = 0, wait_seconds: float = 0) -> tuple[int, list[Message]]:
        """The chat, once something in it is newer than that event, or after so long; and its newest event."""
        return await self._messages(since_event, wait_seconds)

    async def videos(self) -> list[Message]:
        return [each for each in await self.messages() if each.kind == "video"]

    async def wait(
        self, what: str, find: Callable[[list[Message]], FoundT | None], seconds: float = PATIENCE_SECONDS
    ) -> FoundT:
        """Look at the chat whenever it changes; raise NotSeen with the end of it."""
        until = time.monotonic() + seconds
        event, messages = await self._messages(0, 0)
        while (found := find(messages)) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise NotSeen(f"{self.name} never saw {what}; last: {_end_of(messages)}")
            event, messages = await self._messages(event, min(left, 5.0))
        return found

    async def wait_for_button(self, label: str, after: int = 0) -> Message:
        def find(messages: list[Message]) -> Message | None:
            shown = [each for each in messages if each.id > after and _has(each, label)]
            return shown[-1] if shown else None

        return await self.wait(f"the button {label}", find)

    async def wait_for_text(self, *parts: str, after: int = 0, seconds: float = PATIENCE_SECONDS) -> Message:
        def find(messages: list[Message]) -> Message | None:
            shown = [
                each
                for each in messages
                if each.from_bot
                and each.id > after
                and all(part.lower() in each.text.lower() for part in parts)
            ]
            return shown[-1] if shown else None

        return await self.wait(f"the words {parts}", find, seconds)

    async def wait_for_videos(self, count: int, seconds: float = PATIENCE_SECONDS) -> list[Message]:
        def find(messages: list[Message]) -> list[Message] | None:
            videos = [each for each in messages if each.kind == "video"]
            return videos if len(videos) >= count else None

        return await self.wait(f"{count} videos", find, seconds)

    async def wait_for_ring(self, count: int = 1) -> list[Message]:
        def find(messages: list[Message]) -> list[Message] | None:
            rung = [each for each in messages if each.from_bot and each.rang and "ready" in each.text.lower()]
            return rung if len(rung) >= count else None

        return await self.wait(f"{count} times ready", find)

    async def toasts(self) -> list[str]:
        answer = await self._http.get(f"/control/users/{self.id}/toasts")
        return [toast["text"] for toast in answer.json()["toasts"]]

    async def last_id(self) -> int:
        return await self._last_id()

    async def _last_id(self) -> int:
        messages = await self.messages()
        return messages[-1].id if messages else 0

    async def _do(self, deed: str, **what: Any) -> dict[str, Any]:
        answer = await self._http.post(f"/control/users/{self.id}/{deed}", json=what)
        if answer.status_code != httpx.codes.OK:
            raise NotSeen(f"{self.name} could not {deed}: {answer.text}")
        done: dict[str, Any] = answer.json()
        return done

    async def _messages(self, since_event: int, wait_seconds: float) -> tuple[int, list[Message]]:
        query = {"since_event": str(since_event), "wait_seconds": str(wait_seconds)}
        answer = await self._http.get(f"/control/users/{self.id}/messages", params=query, timeout=70)
        told = answer.json()
        return told["event"], [_message(each) for each in told["messages"] if not each["deleted"]]


def _message(told: dict[str, Any]) -> Message:
    buttons = [button for row in told["buttons"] for button in row]
    return Message(
        id=told["message_id"],
        from_bot=told["from_bot"],
        kind=told["kind"],
        text=told["text"],
        labels=tuple(button["text"] for button in buttons),
        datas=tuple(button.get("callback_data", "") for button in buttons),
        rang=told["rang"],
        file_unique_id=(told["media"] or {}).get("file_unique_id", ""),
        reply_to=told["reply_to_message_id"],
        versions=tuple(version["kind"] for version in told["versions"]),
    )


def _last_invoice(messages: list[Message]) -> Message | None:
    return next((each for each in reversed(messages) if each.kind == "invoice"), None)


def _has(message: Message, label: str) -> bool:
    if label.isdigit():
        return label in message.labels
    return any(label in each for each in message.labels)


def _end_of(messages: list[Message]) -> str:
    shown = [f"{each.kind}: {each.text[:150]!r} {list(each.labels)}" for each in messages[-4:]]
    return " | ".join(shown)


async def soon(check: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Await `check()` until it is true."""
    until = time.monotonic() + seconds
    while not (found := await check()):
        if time.monotonic() > until:
            raise NotSeen(f"never: {what}")
        await asyncio.sleep(0.2)
    return found
