"""What a story can see and break: the stack, the stand-ins' controls, and the database's own account."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import httpx

from tests.stories.seller import Seller, soon

ADMIN_ID = 999_000_001


class Breakable(Protocol):
    """The running system, as a story may hurt it."""

    @property
    def secrets(self) -> list[str]: ...
    @property
    def folder(self) -> Path: ...
    @property
    def temporal_address(self) -> str: ...

    async def kill_worker(self) -> None: ...
    async def start_worker(self) -> None: ...
    async def kill_bot(self) -> None: ...
    async def start_bot(self) -> None: ...
    async def kill_temporal(self) -> None: ...
    async def start_temporal(self) -> None: ...
    async def admin(self, *arguments: str) -> str: ...


@dataclass(frozen=True)
class Facts:
    """How a seller's story ended: chat, money and KIE, each from its own source."""

    videos: int
    orders: int
    captured: int
    refunded: int
    available: int
    reserved: int
    kie_tasks: int

    def __str__(self) -> str:
        return (
            f"{self.videos} seen, {self.orders} orders, {self.captured} captured, {self.refunded} refunded, "
            f"balance {self.available}+{self.reserved}, {self.kie_tasks} KIE tasks"
        )


class World:
    def __init__(
        self,
        telegram_url: str,
        kie_url: str,
        openai_url: str,
        database_url: str,
        system: Breakable,
        photo: Path,
    ) -> None:
        self.telegram = httpx.AsyncClient(base_url=telegram_url, timeout=30)
        self.kie = httpx.AsyncClient(base_url=kie_url, timeout=30)
        self.openai = httpx.AsyncClient(base_url=openai_url, timeout=30)
        self._database_url = database_url
        self.system = system
        self.photo = photo

    async def close(self) -> None:
        for client in (self.telegram, self.kie, self.openai):
            await client.aclose()

    async def seller(self, name: str, language: str = "en") -> Seller:
        seller = await Seller.join(self.telegram, name, language)
        await seller.start()
        return seller

    # -- faults

    async def kie_fault(self, where: str, match: str, **fault: Any) -> None:
        await _post(self.kie, "/control/faults", {"where": where, "match": match, **fault})

    async def kie_outcome(self, match: str, **outcome: Any) -> None:
        await _post(self.kie, "/control/outcomes", {"match": match, **outcome})

    async def release_kie_task(self, match: str) -> None:
        """Of a task that was ordered with `hold`."""
        await _post(self.kie, "/control/release", {"match": match})

    async def telegram_fault(self, where: str, seller: Seller, **fault: Any) -> None:
        await _post(self.telegram, "/control/faults", {"where": where, "user": str(seller.id), **fault})

    async def openai_fault(self, where: str, match: str, **fault: Any) -> None:
        await _post(self.openai, "/control/faults", {"where": where, "match": match, **fault})

    async def kie_account(self, account: str, credits: float) -> None:  # noqa: A002 - KIE's word
        await _post(self.kie, "/control/accounts", {"account": account, "credits": credits})

    # -- what really happened

    async def kie_tasks(self, marker: str) -> list[dict[str, Any]]:
        tasks = (await self.kie.get("/control/tasks")).json()["tasks"]
        return [task for task in tasks if marker in task["prompt"]]

    async def openai_calls(self, where: str, marker: str) -> list[dict[str, Any]]:
        entries = (await self.openai.get("/control/journal", params={"where": where})).json()["entries"]
        return [entry for entry in entries if marker in str(entry["fields"])]

    async def all_updates_taken(self) -> bool:
        """At this moment nothing that anybody sent is still on its way to the bot."""
        return not (await self.telegram.get("/control/updates")).json()["pending"]

    async def stars(self, seller: Seller) -> list[dict[str, Any]]:
        """Telegram's own book of what this seller paid."""
        transactions = (await self.telegram.get("/control/stars")).json()["transactions"]
        return [each for each in transactions if each["user_id"] == seller.id]

    async def wait_for_kie_task(self, marker: str) -> dict[str, Any]:
        tasks: list[dict[str, Any]] = await soon(lambda: self.kie_tasks(marker), f"a KIE task of {marker}")
        return tasks[0]

    async def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self._database_url)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    async def facts(self, seller: Seller, marker: str) -> Facts:
        """Waits until every video of the seller is closed, so that nothing is still moving."""
        await soon(lambda: self._all_closed(seller), f"all videos of {seller.name} closed")
        (money,) = await self.rows(
            """select coalesce(w.available, 0) as available, coalesce(w.reserved, 0) as reserved,
                      (select count(*) from orders o where o.user_id = u.id) as orders,
                      (select count(*) from credit_entries e where e.user_id = u.id and kind = 'capture')
                          as captured,
                      (select count(*) from credit_entries e where e.user_id = u.id and kind = 'refund')
                          as refunded
               from users u left join wallets w on w.user_id = u.id where u.tg_user_id = $1""",
            seller.id,
        )
        return Facts(
            videos=len(await seller.videos()),
            orders=money["orders"],
            captured=money["captured"],
            refunded=money["refunded"],
            available=money["available"],
            reserved=money["reserved"],
            kie_tasks=len(await self.kie_tasks(marker)),
        )

    async def _all_closed(self, seller: Seller) -> bool:
        rows = await self.rows(
            """select 1 from videos v join users u on u.id = v.user_id
               where u.tg_user_id = $1 and v.state in ('OPEN', 'DELIVERING')""",
            seller.id,
        )
        return not rows


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    answer = await client.post(path, json=body)
    answer.raise_for_status()


Play = Callable[[World, str], Awaitable[str]]
