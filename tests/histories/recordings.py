"""Which runs are recorded: one per kind of ending. Where a story of the book ends so, it is that story."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from domain import ids
from tests.histories.failures import FailureRecordings
from tests.stories import book
from tests.stories.seller import Message, soon
from tests.stories.world import Play, World

ORDER_AND_VIDEO = ("order", "v1")


@dataclass(frozen=True)
class Recording:
    """`play` returns when the ending is there. `saved` names workflows of the seller's first order.

    `ends` is what the last event of the last of them has to say.
    """

    name: str
    play: Play
    saved: tuple[str, ...] = ("v1",)
    ends: str = "DELIVERED"
    closed: bool = True
    alone: bool = False  # it leaves accounts or models behind that nobody else could use

    @property
    def marker(self) -> str:
        return "record" + "".join(part.capitalize() for part in self.name.split("_"))


def order_id_on(card: Message) -> str:
    found = re.search(r"[0-9a-f]{20}", card.data_of("Generate"))
    assert found, card
    return found.group()


def recordings(client: Client) -> list[Recording]:
    """In the order of the file names."""
    own, failing = OwnRecordings(client), FailureRecordings(client)
    return [
        Recording("adopted", book.create_answered_by_silence),
        Recording("bad_request", failing.bad_request, ends="BAD_REQUEST"),
        Recording("billing", failing.billing, ends="BILLING", alone=True),
        Recording("broken_wallet", own.broken_wallet, ("told",), '"rule":"I1"'),
        Recording("broken_result", failing.broken_result, ends="RESULT"),
        Recording("broadcast", own.broadcast, ("broadcast",), '"outcome":"done"', alone=True),
        Recording("cancelled_before_scripts", own.cancelled_before_scripts, ("order",), '"cancelled":1'),
        Recording("cancelled_by_its_user", failing.cancelled_by_its_user, ("order",), '"cancelled":1'),
        Recording("cancelled_too_late", own.cancelled_too_late, ORDER_AND_VIDEO),
        Recording("cancelled_while_uploading", own.cancelled_while_uploading, ORDER_AND_VIDEO, "CANCELLED"),
        Recording("create_lost_for_good", failing.create_lost_for_good, ORDER_AND_VIDEO, "TIMED_OUT"),
        Recording("daily_report", own.daily_report, ("daily_report",), '"day":"'),
        Recording("delivered_by_callback", book.one_video, ORDER_AND_VIDEO),
        Recording("delivered_by_poll", book.lost_callback),
        Recording("failed_three_times", own.failed_three_times, ends="TEMPORARY"),
        Recording("five_and_one_failed", failing.five_and_one_failed, ("order",), '"failed":1'),
        Recording("five_videos", book.five_videos, ("order", "v2")),
        Recording("forbidden_photo", book.forbidden_photo, ORDER_AND_VIDEO, "USER_VIOLATION"),
        Recording("fresh_link", failing.fresh_link),
        Recording("gpt_fails", failing.gpt_fails, ("order",), "TEMPORARY"),
        Recording("housekeeping", own.abandoned, ("housekeeping",), "-v1"),
        Recording("lost_order", own.lost_order, ("settled", "closed"), '"complete":false'),
        Recording("low_money", own.low_money, ("kie_probe",), "is_low"),
        Recording("models_rest", failing.models_rest, ends="MODEL_UNAVAILABLE", alone=True),
        Recording("never_ends", failing.never_ends, ("order",), '"failed":1'),
        Recording("never_reserved", failing.never_reserved, ("order",), "not_reserved"),
        Recording("next_video_model", book.paused_model),
        Recording("no_product", own.no_product, ("order",), "USER_VIOLATION"),
        Recording("not_sent_once", failing.not_sent_once),
        Recording("order_reset", failing.order_reset, ("order",), '"delivered":1'),
        Recording("outage", failing.outage, ORDER_AND_VIDEO, alone=True),
        Recording("rate_limit", failing.rate_limit, ends="RATE_LIMIT", alone=True),
        Recording("retention", own.retention, ("media_retention",), '"files":0'),
        Recording("sending_refused", failing.sending_refused, ends="DELIVERY"),
        Recording("sent_and_looked", book.lost_edit),
        Recording("sent_again", book.sending_refused_twice),
        Recording("temporary_then_delivered", book.kie_refuses_twice),
        Recording("unknown", failing.unknown, ends="UNKNOWN"),
        Recording("video_reset", failing.video_reset),
        Recording("waiting_for_its_user", book.blocks_and_comes_back, ("order", "resend", "v1"), "WAITING"),
        Recording("waiting_for_kie", own.waiting_for_kie, ORDER_AND_VIDEO, ends="", closed=False),
    ]


class OwnRecordings:
    """Endings no story of the book has, or has alone."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def no_product(self, world: World, marker: str) -> str:
        ruling = {"match": marker, "fields": {"photo_status": "no_product"}}
        (await world.openai.post("/control/rulings", json=ruling)).raise_for_status()
        seller = await world.seller(marker)
        await seller.send_photo(world.photo)
        await seller.press("UGC")
        question = await seller.wait_for_button("Skip")
        await seller.say(f"Nothing to see {marker}")
        await seller.press("Skip", await seller.wait_for_button("Skip", after=question.id))
        await seller.press("1")
        await seller.press("Generate")
        await seller.wait_for_button("Another photo")
        return ""

    async def failed_three_times(self, world: World, marker: str) -> str:
        seller = await world.seller(marker)
        await world.kie_outcome(marker, times=3, fail_code="500", fail_msg="Internal Error")
        await seller.buy(world.photo, f"{marker} in the snow")
        await seller.wait_for_button("Try again")
        return ""

    async def cancelled_before_scripts(self, world: World, marker: str) -> str:
        fault = {"where": "moderations", "match": marker, "kind": "delay", "delay_seconds": 3}
        (await world.openai.post("/control/faults", json=fault)).raise_for_status()
        order = await self._buy(world, marker)
        await _reached(order, "moderate_brief")
        await order.cancel()
        await order.result()
        return ""

    async def cancelled_while_uploading(self, world: World, marker: str) -> str:
        seller = await world.seller(marker)
        card = await seller.order(world.photo, f"{marker} by the lake")
        await world.kie_fault("upload", order_id_on(card), times=1, kind="delay", delay_seconds=3)
        await seller.press("Generate", card)
        await self._cancel_video(order_id_on(card), "upload_photo")
        return ""

    async def cancelled_too_late(self, world: World, marker: str) -> str:
        """Bought already: it goes on, and is delivered."""
        await world.kie_outcome(marker, hold=True)
        order = await self._buy(world, marker)
        await world.wait_for_kie_task(marker)
        video = self._video(order.id.removeprefix("order-"))
        await video.cancel()
        await _reached(video, "cancel_order")
        await world.release_kie_task(marker)
        await order.result()
        return ""

    async def waiting_for_kie(self, world: World, marker: str) -> str:
        await world.kie_outcome(marker, hold=True)
        order = await self._buy(world, marker)
        await _reached(self._video(order.id.removeprefix("order-")), "check_kie_task")
        return ""

    async def abandoned(self, world: World, marker: str) -> str:
        """Terminated by hand and overdue: housekeeping gives the credit back."""
        await world.kie_outcome(marker, hold=True)
        order = await self._buy(world, marker)
        await world.wait_for_kie_task(marker)
        order_id = order.id.removeprefix("order-")
        await self._video(order_id).terminate("recorded")
        overdue = (
            "update videos set deadline_at = now() - interval '5 minutes' where order_id = $1 returning id"
        )
        await world.rows(overdue, order_id)
        refunded = "select id from videos where order_id = $1 and state = 'FAILED'"
        await soon(lambda: world.rows(refunded, order_id), "housekeeping's refund")
        return ""

    async def broken_wallet(self, world: World, marker: str) -> str:
        """No order: a wallet that has more than its entries, until it is mended."""
        seller = await world.seller(marker)
        more = """update wallets set available = available + $2
                  where user_id = (select id from users where tg_user_id = $1) returning user_id"""
        await world.rows(more, seller.id, 1)
        told = "select 1 from broken_invariants where told_at is not null"
        await soon(lambda: world.rows(told), "an alert")
        await world.rows(more, seller.id, -1)
        return ""

    async def lost_order(self, world: World, marker: str) -> str:
        """Terminated before its videos were begun: refunded one by one, then closed."""
        fault = {"where": "moderations", "match": marker, "kind": "delay", "delay_seconds": 5}
        (await world.openai.post("/control/faults", json=fault)).raise_for_status()
        seller = await world.seller(marker)
        card = await seller.buy(world.photo, f"{marker} in the rain", count=3)
        order = self._client.get_workflow_handle(ids.order_workflow_id(order_id_on(card)))
        await _reached(order, "moderate_brief")
        await order.terminate("recorded")
        await seller.wait_for_text("0 of 3")
        return ""

    async def low_money(self, world: World, marker: str) -> str:
        """No order: the next probe finds an account that is nearly empty, and says so."""
        assert marker
        (account, *_) = await soon(lambda: world.rows("select name from kie_accounts"), "an account")
        await world.kie_account(account["name"], 40)
        low = "select name from kie_accounts where balance_kie_credits = 40"
        await soon(lambda: world.rows(low), "a probe", seconds=120)
        return ""

    async def retention(self, world: World, marker: str) -> str:
        """No order: the daily run, today."""
        assert marker
        assert world.system.folder
        await self._client.get_schedule_handle("media-retention").trigger()
        return ""

    async def daily_report(self, world: World, marker: str) -> str:
        """No order: the morning's run, now."""
        assert marker
        assert world.system.folder
        await self._client.get_schedule_handle("daily-report").trigger()
        return ""

    async def broadcast(self, world: World, marker: str) -> str:
        """No order: to everybody who is there, after a pause that Telegram asks for."""
        seller = await world.seller(marker)
        told = "Too Many Requests: retry after 1"
        body = {"ok": False, "error_code": 429, "description": told, "parameters": {"retry_after": 1}}
        await world.telegram_fault("sendMessage", seller, times=1, status=429, body=body)
        await world.system.admin(
            "broadcast", "start", "--ru", "Новости", "--en", "News", "--yes", "--by", "me"
        )
        await seller.wait_for_text("News")
        return ""

    async def _buy(self, world: World, marker: str) -> WorkflowHandle[Any, Any]:
        seller = await world.seller(marker)
        card = await seller.buy(world.photo, f"{marker} from above")
        order = self._client.get_workflow_handle(ids.order_workflow_id(order_id_on(card)))
        await _reached(order, "")
        return order

    async def _cancel_video(self, order_id: str, activity: str) -> None:
        await _reached(self._video(order_id), activity)
        await self._video(order_id).cancel()
        await self._client.get_workflow_handle(ids.order_workflow_id(order_id)).result()

    def _video(self, order_id: str) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(ids.video_workflow_id(ids.video_id(order_id, 1)))


def _scheduled(activity: str) -> Callable[[Any], bool]:
    def is_it(event: Any) -> bool:
        name: str = event.activity_task_scheduled_event_attributes.activity_type.name
        return name == activity or not activity

    return is_it


async def _reached(handle: WorkflowHandle[Any, Any], activity: str) -> None:
    """Until the workflow is there and has asked for that activity; for nothing in particular with ""."""

    async def asked() -> bool:
        try:
            history = await handle.fetch_history()
        except RPCError:
            return False
        return any(map(_scheduled(activity), history.events))

    await soon(asked, f"{activity or 'a start'} of {handle.id}")
