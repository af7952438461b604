"""One run per failure class that the book of stories does not end with, and the other ways to go wrong."""

from temporalio.client import Client

from domain import ids
from tests.resets.points import points_of, reset
from tests.stories.seller import soon
from tests.stories.world import World

_FORBIDDEN = "We currently do not support uploads of images containing photorealistic people."


class FailureRecordings:
    def __init__(self, client: Client) -> None:
        self._client = client

    # -- KIE refuses

    async def bad_request(self, world: World, marker: str) -> str:
        return await self._refused(world, marker, 422, "The input is invalid")

    async def unknown(self, world: World, marker: str) -> str:
        return await self._refused(world, marker, 777, "Something nobody has written down")

    async def rate_limit(self, world: World, marker: str) -> str:
        """On its own system: its accounts rest afterwards."""
        return await self._refused(world, marker, 429, "Too many requests")

    async def billing(self, world: World, marker: str) -> str:
        """On its own system."""
        return await self._refused(world, marker, 402, "Insufficient credits")

    async def models_rest(self, world: World, marker: str) -> str:
        """On its own system."""
        return await self._refused(world, marker, 500, "This interface is temporarily paused")

    async def _refused(self, world: World, marker: str, code: int, words: str) -> str:
        body = {"code": code, "msg": words}
        await world.kie_fault("createTask", marker, times=-1, status=200, body=body)
        return await self._refunded(world, marker)

    async def _refunded(self, world: World, marker: str) -> str:
        seller = await world.seller(marker)
        await seller.buy(world.photo, f"{marker} by the wall")
        await seller.wait_for_text("back", "3", seconds=180)
        return ""

    # -- KIE is away, or too slow

    async def outage(self, world: World, marker: str) -> str:
        """Ten calls in a row that reached nobody, then it is back. On its own system."""
        await world.kie_fault("createTask", marker, times=11, status=521, body="")
        return await self._delivered(world, marker)

    async def not_sent_once(self, world: World, marker: str) -> str:
        await world.kie_fault("createTask", marker, times=1, status=521, body="")
        return await self._delivered(world, marker)

    async def create_lost_for_good(self, world: World, marker: str) -> str:
        """Nobody ever hears of that create again."""
        await world.kie_fault("createTask", marker, times=1, kind="drop_request")
        return await self._refunded(world, marker)

    async def never_ends(self, world: World, marker: str) -> str:
        await world.kie_outcome(marker, hold=True)
        return await self._refunded(world, marker)

    async def _delivered(self, world: World, marker: str) -> str:
        seller = await world.seller(marker)
        await seller.buy(world.photo, f"{marker} on the stairs")
        await seller.wait_for_videos(1, seconds=150)
        return ""

    # -- results, GPT, Telegram

    async def broken_result(self, world: World, marker: str) -> str:
        await world.kie_outcome(marker, result="not_a_video")
        return await self._refunded(world, marker)

    async def fresh_link(self, world: World, marker: str) -> str:
        await world.kie_fault("result", marker, times=1, status=404, body="")
        return await self._delivered(world, marker)

    async def gpt_fails(self, world: World, marker: str) -> str:
        await world.openai_fault("moderations", marker, times=-1, status=500, body={"error": {}})
        seller = await world.seller(marker)
        await seller.send_photo(world.photo)
        await seller.press("UGC")
        question = await seller.wait_for_button("Skip")
        await seller.say(f"A mug {marker}")
        await seller.press("Skip", await seller.wait_for_button("Skip", after=question.id))
        await seller.press("1")
        await seller.press("Generate")
        await seller.wait_for_button("Try again")
        return ""

    async def sending_refused(self, world: World, marker: str) -> str:
        refusal = {"ok": False, "error_code": 400, "description": "Bad Request: wrong file identifier"}
        seller = await world.seller(marker)
        await world.telegram_fault("editMessageMedia", seller, times=3, status=400, body=refusal)
        await seller.buy(world.photo, f"{marker} on wood")
        await seller.wait_for_text("back", "3")
        return ""

    async def five_and_one_failed(self, world: World, marker: str) -> str:
        seller = await world.seller(marker)
        await world.system.admin("grant", "--yes", str(seller.id), "2", "five videos")
        await world.kie_outcome(marker, fail_code="400", fail_msg=_FORBIDDEN)
        await seller.buy(world.photo, f"{marker} turn it slowly", 5)
        await seller.wait_for_videos(4)
        await seller.wait_for_text("4", "5", "back")
        return ""

    # -- cancelled, never reserved, reset

    async def cancelled_by_its_user(self, world: World, marker: str) -> str:
        await world.openai_fault("moderations", marker, kind="delay", delay_seconds=3)
        seller = await world.seller(marker)
        await seller.buy(world.photo, f"{marker} in the sun")
        await seller.press("Cancel the order")
        await seller.press("Yes, cancel")
        return ""

    async def never_reserved(self, world: World, marker: str) -> str:
        """An order without a reservation, as no tap makes it: it is released, and starts nothing."""
        seller = await world.seller(marker)
        await seller.order(world.photo, f"{marker} for nothing")
        await world.system.admin("grant", "--yes", "--", str(seller.id), "-3", "taken away")
        (order,) = await world.rows(
            "insert into orders (id, user_id, video_count, price_credits, language, created_at, deadline_at)"
            " select d.id, u.id, 1, 1, 'en', now() - interval '1 minute', now() + interval '2 minutes'"
            " from drafts d join users u on u.id = d.user_id where u.tg_user_id = $1 returning id, user_id",
            seller.id,
        )
        await world.rows(
            "insert into videos (id, order_id, user_id, number, price_credits, deadline_at)"
            " values ($1, $2, $3, 1, 1, now() + interval '2 minutes') returning id",
            ids.video_id(order["id"], 1),
            order["id"],
            order["user_id"],
        )
        closed = "select 1 from orders where id = $1 and state = 'CLOSED'"
        await soon(lambda: world.rows(closed, order["id"]), "the end of the order")
        return ""

    async def order_reset(self, world: World, marker: str) -> str:
        return await self._reset(world, marker, "order")

    async def video_reset(self, world: World, marker: str) -> str:
        return await self._reset(world, marker, "video")

    async def _reset(self, world: World, marker: str, which: str) -> str:
        """In the middle, while KIE works."""
        await world.kie_outcome(marker, hold=True)
        seller = await world.seller(marker)
        await seller.buy(world.photo, f"{marker} twice over")
        await world.wait_for_kie_task(marker)
        (row,) = await world.rows(
            "select o.id from orders o join users u on u.id = o.user_id where u.tg_user_id = $1", seller.id
        )
        order_id: str = row["id"]
        workflow_id = (
            ids.order_workflow_id(order_id)
            if which == "order"
            else ids.video_workflow_id(ids.video_id(order_id, 1))
        )
        points = await points_of(self._client, workflow_id)
        await reset(self._client, points[len(points) // 2])
        await world.release_kie_task(marker)
        await seller.wait_for_ring()
        return ""
