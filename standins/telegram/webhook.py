"""Delivery of updates to the bot's own address, again and again until it says 2xx."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from standins.control import Call, Control
from standins.telegram.mailbox import Mailbox, Queue
from standins.telegram.model import Update
from standins.telegram.world import World

Json = dict[str, Any]
Perform = Callable[[str, Json], Awaitable[Any]]

_FIRST_PAUSE_SECONDS: Final = 0.2  # Telegram's is a second, and grows to minutes
_PAUSE_SECONDS_MAX: Final = 10.0
_RETRY_AFTER_SECONDS_MAX: Final = 3_600
_NOT_IN_ANSWERS: Final = {"setwebhook", "deletewebhook", "close", "logout"}
_FAILURES: Final = (
    (httpx.ConnectTimeout, "Connection timed out"),
    (httpx.ConnectError, "Connection refused"),
    (httpx.ReadTimeout, "Read timeout expired"),
)


class WebhookSender:
    """Updates of one queue go out one at a time and in order; queues do not wait for each other."""

    def __init__(self, world: World, mailbox: Mailbox, control: Control, perform: Perform) -> None:
        self._world = world
        self._mailbox = mailbox
        self._control = control
        self._perform = perform
        self._woken = asyncio.Event()
        self._hook = world.memory.webhook
        self._senders: dict[Queue, asyncio.Task[None]] = {}
        mailbox.on_post = self._woken.set

    async def run(self) -> None:
        self._woken.set()  # what was pending before a restart
        async with httpx.AsyncClient() as client:
            try:
                while True:
                    await self._woken.wait()
                    self._woken.clear()
                    await self._follow_settings()
                    self._start_senders(client)
            finally:
                await self._end_senders()

    async def _follow_settings(self) -> None:
        """Another address, or none: what is under way to the old one stays pending."""
        if self._hook is not self._world.memory.webhook:
            self._hook = self._world.memory.webhook
            await self._end_senders()

    async def _end_senders(self) -> None:
        senders = list(self._senders.values())
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        self._senders.clear()  # one that was ended before it began has not left by itself

    def _start_senders(self, client: httpx.AsyncClient) -> None:
        if not self._hook.url:
            return
        for queue in self._mailbox.queues():
            if queue in self._senders or len(self._senders) >= self._hook.max_connections:
                continue
            self._senders[queue] = asyncio.create_task(self._empty_queue(client, queue))

    async def _empty_queue(self, client: httpx.AsyncClient, queue: Queue) -> None:
        pause_seconds = _FIRST_PAUSE_SECONDS
        try:
            while waiting := self._mailbox.queues().get(queue):
                wanted_pause = await self._deliver(client, self._world.memory.updates[waiting[0]])
                if wanted_pause is None:
                    self._mailbox.confirm_one(waiting[0])
                    pause_seconds = _FIRST_PAUSE_SECONDS
                else:
                    await asyncio.sleep(wanted_pause or pause_seconds)
                    pause_seconds = min(pause_seconds * 2, _PAUSE_SECONDS_MAX)
        finally:
            self._senders.pop(queue, None)
            self._woken.set()

    async def _deliver(self, client: httpx.AsyncClient, update: Update) -> float | None:
        """None when it was taken, by all copies; else the pause the bot asked for, or 0."""
        is_doubled = self._world.memory.knobs.duplicate or self._control.weather.happens("repeat_updates")
        copies = 2 if is_doubled else 1
        pauses = await asyncio.gather(*(self._post(client, update) for _ in range(copies)))
        return next((pause for pause in pauses if pause is not None), None)

    async def _post(self, client: httpx.AsyncClient, update: Update) -> float | None:
        secret = self._hook.secret_token
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        call = Call("webhook", {"update_id": update.update_id}, user=str(update.chat_id))
        entry = self._control.note(call)
        timeout = self._world.memory.knobs.timeout_seconds
        try:
            answer = await client.post(self._hook.url, json=update.shown(), headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            entry.outcome = type(error).__name__
            self._remember_error(_what_failed(error))
            return 0
        entry.outcome = str(answer.status_code)
        if not answer.is_success:
            wrong = f"{answer.status_code} {answer.reason_phrase}"
            self._remember_error(f"Wrong response from the webhook: {wrong}")
            return _retry_after(answer)
        await self._obey(answer)
        return None

    def _remember_error(self, message: str) -> None:
        self._hook.last_error_date, self._hook.last_error_message = self._world.unix_now(), message
        self._world.is_unsaved = True

    async def _obey(self, answer: httpx.Response) -> None:
        """A bot may put one call into its answer; its result is lost, as on Telegram."""
        if not answer.headers.get("content-type", "").startswith("application/json"):
            return
        try:
            asked = answer.json()
        except ValueError:
            return
        if isinstance(asked, dict) and _is_performed(asked.get("method")):
            fields = {key: value for key, value in asked.items() if key != "method"}
            await self._perform(asked["method"], fields)


def _what_failed(error: httpx.HTTPError) -> str:
    known = (message for kind, message in _FAILURES if isinstance(error, kind))
    return next(known, "Connection closed")


def _retry_after(answer: httpx.Response) -> float:
    asked = answer.headers.get("retry-after", "")
    return min(int(asked), _RETRY_AFTER_SECONDS_MAX) if asked.isdecimal() else 0


def _is_performed(method: Any) -> bool:
    """What changes the delivery itself, or only asks, is passed over."""
    if not isinstance(method, str):
        return False
    return method.lower() not in _NOT_IN_ANSWERS and not method.lower().startswith("get")
