"""Delivery of updates to the bot's own address, again and again until it says 2xx."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import httpx

from standins.control import Call, Control
from standins.telegram.mailbox import Mailbox
from standins.telegram.world import World

Json = dict[str, Any]
Perform = Callable[[str, Json], Awaitable[Any]]

_TIMEOUT_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_PAUSE_SECONDS_MAX: Final = 10.0


class WebhookSender:
    """Updates of one chat go out in order; chats do not wait for each other."""

    def __init__(self, world: World, mailbox: Mailbox, control: Control, perform: Perform) -> None:
        self._world = world
        self._mailbox = mailbox
        self._control = control
        self._perform = perform
        self._woken = asyncio.Event()
        self._senders: dict[int, asyncio.Task[None]] = {}
        mailbox.on_post = self._woken.set

    async def run(self) -> None:
        self._woken.set()  # what was pending before a restart
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            try:
                while True:
                    await self._woken.wait()
                    self._woken.clear()
                    self._start_senders(client)
            finally:
                await self._end_senders()

    async def _end_senders(self) -> None:
        senders = list(self._senders.values())
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    def _start_senders(self, client: httpx.AsyncClient) -> None:
        hook = self._world.memory.webhook
        if not hook.url:
            return
        for chat_id in self._mailbox.queues():
            if chat_id in self._senders or len(self._senders) >= hook.max_connections:
                continue
            self._senders[chat_id] = asyncio.create_task(self._empty_queue(client, chat_id))

    async def _empty_queue(self, client: httpx.AsyncClient, chat_id: int) -> None:
        pause_seconds = _FIRST_PAUSE_SECONDS
        try:
            while self._world.memory.webhook.url and (waiting := self._mailbox.queues().get(chat_id)):
                if await self._is_delivered(client, waiting[0]):
                    self._mailbox.confirm_one(waiting[0])
                    pause_seconds = _FIRST_PAUSE_SECONDS
                else:
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(pause_seconds * 2, _PAUSE_SECONDS_MAX)
        finally:
            del self._senders[chat_id]
            self._woken.set()

    async def _is_delivered(self, client: httpx.AsyncClient, update_id: int) -> bool:
        hook = self._world.memory.webhook
        update = self._world.memory.updates[update_id]
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret_token} if hook.secret_token else {}
        entry = self._control.note(Call("webhook", {"update_id": update_id}, user=str(update.chat_id)))
        try:
            answer = await client.post(hook.url, json=update.shown(), headers=headers)
        except httpx.HTTPError as error:
            entry.outcome = type(error).__name__
            self._remember_error("Connection failed")
            return False
        entry.outcome = str(answer.status_code)
        if not answer.is_success:
            reason = HTTPStatus(answer.status_code).phrase
            self._remember_error(f"Wrong response from the webhook: {answer.status_code} {reason}")
            return False
        await self._obey(answer)
        return True

    def _remember_error(self, message: str) -> None:
        hook = self._world.memory.webhook
        hook.last_error_date, hook.last_error_message = self._world.unix_now(), message

    async def _obey(self, answer: httpx.Response) -> None:
        """A bot may put one call into its answer; its result is lost, as on Telegram."""
        if not answer.headers.get("content-type", "").startswith("application/json"):
            return
        try:
            asked = answer.json()
        except ValueError:
            return
        if isinstance(asked, dict) and isinstance(asked.get("method"), str):
            fields = {key: value for key, value in asked.items() if key != "method"}
            await self._perform(asked["method"], fields)
