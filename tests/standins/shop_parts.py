"""A bot that sells in the Telegram stand-in, and a person who buys."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.standins.telegram_parts import HttpBot, Json, Person, Standin

TERMS: Json = {
    "title": "10 videos",
    "description": "Ten credits",
    "payload": "signed:10",
    "currency": "XTR",
    "prices": [{"label": "10 videos", "amount": 250}],
    "start_parameter": "topup",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """A bot that sells, and a person who buys."""

    standin: Standin
    bot: HttpBot
    vera: Person

    async def invoice(self, **changes: Any) -> Json:
        return dict(await self.bot.call("sendInvoice", chat_id=self.vera.id, **TERMS | changes))

    async def refused(self, **changes: Any) -> str:
        return await self.bot.refused("sendInvoice", chat_id=self.vera.id, **TERMS | changes)

    async def answered(self, verdict: Json, **purchase: Any) -> tuple[Json, Json]:
        """What the person saw, and what the bot was asked."""
        paying = asyncio.create_task(self.vera.does("pay", **purchase))
        (asked,) = await self.bot.awaited()
        query = asked["pre_checkout_query"]
        await self.bot.call("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], **verdict)
        return await paying, query

    async def bought(self, **purchase: Any) -> Json:
        paid, _ = await self.answered({"ok": True}, **purchase)
        assert paid["paid"], paid
        return paid

    async def stars(self) -> int:
        shown = await self.standin.http.get(f"/control/users/{self.vera.id}")
        return int(shown.json()["stars"])

    async def books(self) -> Json:
        return dict((await self.standin.http.get("/control/stars")).json())
