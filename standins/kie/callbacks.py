"""KIE calls back: once when all is well, again when nobody answers, and wrongly when asked to."""

import asyncio
import base64
import hashlib
import hmac
import secrets
from typing import Any

import httpx

from standins.control import Call, Control
from standins.kie.orders import CallbackOrder, KieSettings
from standins.kie.state import KieState, Task, record_of


def callback_body(task: Task, settings: KieSettings) -> dict[str, Any]:
    failed = task.state == "fail"
    return {
        "code": 501 if failed else 200,
        "msg": "Playground task failed." if failed else "Playground task completed successfully.",
        "data": record_of(task, settings),
    }


def forged_body(task: Task, settings: KieSettings) -> dict[str, Any]:
    """What somebody would send who knows the address, but is not KIE."""
    body = callback_body(task, settings)
    lies = {
        "taskId": secrets.token_hex(16),
        "state": "success",
        "resultJson": '{"resultUrls":["https://forged.invalid/video.mp4"]}',
    }
    return {**body, "code": 200, "data": {**body["data"], **lies}}


def signature_headers(task_id: str, settings: KieSettings, unix_seconds: int) -> dict[str, str]:
    secret = settings.callback_secret.get_secret_value()
    if not secret:
        return {}
    digest = hmac.new(secret.encode(), f"{task_id}.{unix_seconds}".encode(), hashlib.sha256).digest()
    return {
        "X-Webhook-Timestamp": str(unix_seconds),
        "X-Webhook-Signature": base64.b64encode(digest).decode(),
    }


class Callbacks:
    def __init__(self, state: KieState, control: Control, http: httpx.AsyncClient) -> None:
        self._state = state
        self._control = control
        self._http = http

    async def announce(self, task: Task) -> None:
        """The end of a task, told as its outcome orders."""
        kind = task.outcome.callback
        if not task.callback_url or kind == "lost" or self._control.weather.happens("lose_callbacks"):
            return
        await asyncio.sleep(task.outcome.callback_delay_seconds)
        is_repeated = self._control.weather.happens("repeat_callbacks")
        for _ in range(2 if kind == "twice" or is_repeated else 1):
            await self._until_answered(task)

    async def forge(self, task: Task) -> None:
        if not task.callback_url:
            return
        if task.outcome.callback == "forged" or self._control.weather.happens("forge_callbacks"):
            await self._post(task, task.callback_url, forged_body(task, self._state.settings))

    async def send(self, task: Task, order: CallbackOrder) -> dict[str, Any]:
        """Once, now, whatever the task's state is."""
        body = order.body if order.body is not None else callback_body(task, self._state.settings)
        return await self._post(task, order.url or task.callback_url, body, order.headers)

    async def _until_answered(self, task: Task) -> None:
        settings = self._state.settings
        for number in range(1 + settings.callback_retries_max):
            if number:
                await asyncio.sleep(settings.callback_retry_seconds)
            sent = await self._post(task, task.callback_url, callback_body(task, settings))
            if sent["status"] is not None and 200 <= sent["status"] < 300:  # noqa: PLR2004 - the 2xx range
                return

    async def _post(
        self, task: Task, url: str, body: Any, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        settings = self._state.settings
        signed = signature_headers(task.id, settings, int(self._state.clock().timestamp()))
        sent: dict[str, Any] = {
            "url": url,
            "at": self._state.clock().isoformat(),
            "status": None,
            "error": "",
        }
        try:
            answer = await self._http.post(
                url, json=body, headers=signed | (headers or {}), timeout=settings.callback_timeout_seconds
            )
            sent["status"] = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            sent["error"] = type(failure).__name__
        task.callbacks.append(sent)
        self._control.note(
            Call("callback", {"taskId": task.id, "url": url, "body": body}, user=task.account),
            outcome=str(sent["status"] or sent["error"]),
        )
        return sent
