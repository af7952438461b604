"""The stand-ins' controls as chaos uses them: weather, closed ports, strange updates and forged callbacks."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from tests.chaos.plan import (
    EVENT_SHARES,
    SERVICES,
    WEATHER_SHARE,
    Errand,
    Fate,
    Fault,
    FaultKind,
    weather_seed,
)

_REPEATED_UPDATES: Final = 3
_TRIES_MAX: Final = 40
_PAUSE_SECONDS: Final = 0.5
_FAILURE: Final = "Internal Error, Please try again later."
_FORBIDDEN: Final = "We currently do not support uploads of images containing photorealistic people."
_OUTCOMES: Final[Mapping[Fate, dict[str, Any]]] = {
    Fate.FAILS_ONCE: {"times": 1, "fail_code": "500", "fail_msg": _FAILURE},
    Fate.FAILS_ALWAYS: {"times": -1, "fail_code": "500", "fail_msg": _FAILURE},
    Fate.FORBIDDEN: {"times": -1, "fail_code": "400", "fail_msg": _FORBIDDEN},
}


class Outside:
    def __init__(self, urls: Mapping[str, str], bot_url: str, chance: random.Random) -> None:
        self.http = {name: httpx.AsyncClient(base_url=urls[name], timeout=30) for name in SERVICES}
        self._bot = httpx.AsyncClient(base_url=bot_url, timeout=20)
        self._chance = chance
        self.forged_answers: Counter[int] = Counter()

    async def close(self) -> None:
        for client in (*self.http.values(), self._bot):
            await client.aclose()

    async def prepare(self, errands: Sequence[Errand]) -> None:
        outcomes = [
            {"match": errand.words, **_OUTCOMES[errand.fate]}
            for errand in errands
            if errand.fate in _OUTCOMES
        ]
        await self.tell("kie", "/control/outcomes", outcomes)

    async def spoil_weather(self, seed: int) -> None:
        for name in SERVICES:
            shares = EVENT_SHARES.get(name, {})
            order = {"seed": weather_seed(seed, name), "share": WEATHER_SHARE, **shares}
            await self.tell(name, "/control/weather", order)

    async def heal(self) -> None:
        for name in SERVICES:
            await self.tell(name, "/control/weather", None, method="DELETE")
        await self.tell("telegram", "/control/webhook", {"duplicate": False})

    async def break_for_a_while(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.REFUSE:
                await self.tell(fault.target, "/control/refuse", {"seconds": fault.seconds})
            case FaultKind.DUPLICATE:
                await self._duplicate(fault.seconds)
            case FaultKind.REPEAT:
                await self._repeat_updates()
            case FaultKind.FORGE:
                await self._forge()

    async def tell(self, name: str, path: str, body: Any, method: str = "POST") -> None:
        await self._request(name, method, path, json=body)

    async def ask(self, name: str, path: str, **query: str) -> dict[str, Any]:
        told: dict[str, Any] = (await self._request(name, "GET", path, params=query)).json()
        return told

    async def _request(self, name: str, method: str, path: str, **content: Any) -> httpx.Response:
        """Again while its port is closed."""
        for _ in range(_TRIES_MAX):
            try:
                answer = await self.http[name].request(method, path, **content)
            except httpx.TransportError:
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                answer.raise_for_status()
                return answer
        raise RuntimeError(f"the stand-in for {name} takes no orders")

    async def _duplicate(self, seconds: float) -> None:
        await self.tell("telegram", "/control/webhook", {"duplicate": True})
        await asyncio.sleep(seconds)
        await self.tell("telegram", "/control/webhook", {"duplicate": False})

    async def _repeat_updates(self) -> None:
        updates = (await self.ask("telegram", "/control/updates"))["updates"]
        for update in self._some(updates, _REPEATED_UPDATES):
            await self.tell("telegram", "/control/updates/repeat", {"update_id": update["update_id"]})

    async def _forge(self) -> None:
        """By somebody who guesses an address, and by somebody who knows one and lies."""
        tasks = (await self.ask("kie", "/control/tasks"))["tasks"]
        known = [task["callBackUrl"] for task in self._some(tasks, 1) if task["callBackUrl"]]
        body = _forged_success()
        await self._post_forged(f"/kie/{secrets.token_hex(8)}/{secrets.token_hex(32)}", body)
        for url in known:
            guessed = f"{url.rpartition('/')[0]}/{secrets.token_hex(32)}"
            await self._post_forged(guessed, body)
            await self._post_forged(url, body)
        await self._post_forged((await self.ask("telegram", "/control/webhook"))["url"], _forged_update())

    async def _post_forged(self, url: str, body: dict[str, Any]) -> None:
        """A bot that is down or slow refuses it, too."""
        try:
            answer = await self._bot.post(url, json=body)
        except httpx.TransportError:
            self.forged_answers[0] += 1
        else:
            self.forged_answers[answer.status_code] += 1

    def _some(self, things: list[Any], count: int) -> list[Any]:
        return self._chance.sample(things, min(count, len(things)))


def _forged_update() -> dict[str, Any]:
    """Without the secret that Telegram sends along."""
    stranger = {"id": 666, "first_name": "Mallory", "is_bot": False}
    message = {"message_id": 1, "date": 1, "text": "/start", "from": stranger}
    return {"update_id": 666, "message": {**message, "chat": {**stranger, "type": "private"}}}


def _forged_success() -> dict[str, Any]:
    record = {
        "taskId": secrets.token_hex(16),
        "state": "success",
        "resultJson": '{"resultUrls":["https://forged.invalid/video.mp4"]}',
    }
    return {"code": 200, "msg": "Playground task completed successfully.", "data": record}
