"""The operations of `ledger_model` on the store and a real PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import asyncpg

from domain import ids
from domain.admission import AdmissionLimits
from domain.failures import Failure, FailureClass, FailureReason
from domain.keys import KeyRef
from domain.orders import Brief, Language, Photo, Template, VideoState
from domain.payments import Invoice, Package, PaymentState, Provider, Receipt
from domain.shop import ShopRules
from store.admission import Admission
from store.database import Database, load_queries
from store.drafts import DraftOffer, Drafts
from store.ledger import Ledger
from store.orders import Orders, PlacementKind
from store.payments import Payments, RefundStart
from store.users import Users
from store.videos import AlreadySettled, Settlement, Videos
from tests.fixtures.kie_rows import HandClock
from tests.models.ledger_model import WELCOME_CREDITS, WELCOMES_A_DAY, Card, Short, VideoName
from tests.stories.audit import RULES

CONNECTIONS: Final = 3
_BRIEF: Final = Brief(Template.OWN, own_prompt="spin it")
_PHOTO: Final = Photo("file", "unique", "card")
_NO_LIMITS: Final = ShopRules(open_orders_max=1_000, orders_per_day_max=1_000)
_WIDE: Final = AdmissionLimits(creates_per_window=10_000, in_flight_max=10_000)
_KEYS: Final = (KeyRef("key", "account"),)
_MODELS: Final = ("kling-2.6/image-to-video",)
_FAILURE: Final = Failure(FailureClass.TEMPORARY)

_EMPTY: Final = "truncate users, welcome_days restart identity cascade"
_INVARIANTS: Final = {
    rule: query for rule, query in RULES.items() if rule.startswith(("I1", "I2", "I3", "I4", "I5"))
}
_WALLETS: Final = """
    select coalesce(w.available, 0) as available, coalesce(w.reserved, 0) as reserved
    from users u left join wallets w on w.user_id = u.id order by u.tg_user_id"""
_WELCOMES: Final = """
    select coalesce((select sum(given) from welcome_days), 0) as given,
           (select count(*) from credit_entries where kind = 'welcome') as entries"""

_orders = load_queries("orders")


@dataclass
class Rows:
    """What the model says too, read from the tables."""

    wallets: list[tuple[int, int]]
    videos: dict[VideoName, str]
    payments: dict[int, tuple[str, int]]
    broken: list[str]


@dataclass
class LedgerReal:
    database: Database
    owner: asyncpg.Connection
    drafts: list[str] = field(default_factory=list)
    user_ids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = HandClock()
        database = self.database
        ledger = Ledger(database, clock)
        self._ledger = ledger
        self._orders = Orders(database, ledger, clock, timedelta(days=3_650))
        self._videos = Videos(database, ledger, clock)
        self._payments = Payments(database, ledger, clock)
        self._drafts = Drafts(database, clock)
        self._admission = Admission(database, clock, _KEYS, _MODELS, _WIDE)
        self._strangers = Users(database, ledger, clock, welcome_credits=0)
        self._users = Users(database, ledger, clock, WELCOME_CREDITS, WELCOMES_A_DAY)

    async def begin(self, users: int, cards: Sequence[Card]) -> None:
        await self.owner.execute(_EMPTY)
        self.user_ids = [(await self._strangers.register(user + 1, "en")).id for user in range(users)]
        self.drafts = [await self._offered(card) for card in cards]

    async def _offered(self, card: Card) -> str:
        offer = DraftOffer(_BRIEF, _PHOTO, card.video_count, card.price, Language.EN)
        return (await self._drafts.create(self.user_ids[card.user], offer)).id

    async def rows(self) -> Rows:
        async with self.database.connection() as connection:
            wallets = [tuple(row) for row in await connection.fetch(_WALLETS)]
            videos = await connection.fetch("select order_id, number, state from videos")
            payments = await connection.fetch("select charge_id, state, debt_credits from payments")
            broken = [rule for rule, query in _INVARIANTS.items() if await connection.fetch(query)]
            welcomes = (await connection.fetch(_WELCOMES))[0]
        if welcomes["given"] != welcomes["entries"]:
            broken.append(f"{welcomes['given']} welcomes counted, {welcomes['entries']} given")
        return Rows(
            wallets,
            {(self.drafts.index(row["order_id"]), row["number"]): row["state"] for row in videos},
            {int(row["charge_id"]): (row["state"], row["debt_credits"]) for row in payments},
            broken,
        )

    # -- orders

    async def place(self, draft: int, user: int) -> object:
        placed = await self._orders.place(self.drafts[draft], user + 1, rules=_NO_LIMITS)
        if placed.kind is PlacementKind.NOT_ENOUGH:
            raise Short(placed.available)
        return placed.kind.value

    async def write_unreserved(self, draft: int) -> object:
        """As nothing of ours does it: a reserve and a release must still agree."""
        async with self.database.transaction() as connection:
            row = await _orders.lock_draft(connection, draft_id=self.drafts[draft])
            if not await _orders.order_exists(connection, order_id=row["id"]):
                await self._orders._insert(connection, row, row["video_count"] * row["price_credits"])
        return None

    async def reserve(self, draft: int) -> object:
        return await self._orders.reserve(self.drafts[draft])

    async def release(self, draft: int) -> object:
        await self._orders.release(self.drafts[draft], FailureClass.TEMPORARY, FailureReason.NONE)
        return None

    async def cancel_order(self, draft: int, user: int) -> object:
        now = await self._orders.cancel(self.drafts[draft], user + 1)
        return now and (len(now.stopped_video_ids), now.going_on, now.credits_back, now.repeated)

    # -- videos

    async def open(self, name: VideoName) -> object:
        try:
            await self._videos.open(self._video(name))
        except AlreadySettled:
            return "settled"
        return "open"

    async def buy(self, name: VideoName) -> object:
        await self._orders.keep_photo(self.drafts[name[0]], "photo.jpg", 800, 800)
        await self._orders.keep_scripts(self.drafts[name[0]], ["A mug turns."] * 3)
        try:
            await self._admission.request(self._video(name))
            for attempt in await self._admission.attempts_of(self._video(name)):
                await self._admission.begin_create(attempt.id)
        except AlreadySettled:
            return "settled"
        return "open"

    async def begin_delivery(self, name: VideoName) -> object:
        try:
            await self._videos.begin_delivery(self._video(name))
        except AlreadySettled:
            return "settled"
        return "open"

    async def settle(self, name: VideoName, state: VideoState) -> object:
        failure = _FAILURE if state is VideoState.FAILED else None
        return _told(await self._videos.settle(self._video(name), state, failure))

    async def cancel_video(self, name: VideoName) -> object:
        return _told(await self._videos.cancel(self._video(name)))

    # -- credits and money

    async def grant(self, user: int, credits_: int, number: int) -> object:
        balance = await self._ledger.grant(user + 1, credits_, "why", f"g{number}")
        return (balance.available, balance.reserved)

    async def welcome(self, user: int) -> object:
        await self._users.register(user + 1, "en")
        return None

    async def pay(self, user: int, charge: int, credits_: int) -> object:
        receipt = Receipt(Provider.STARS, user + 1, 100, "XTR", "signed")
        invoice = Invoice(user + 1, Package("p", credits_, 100)) if credits_ else None
        return (await self._payments.record(self.user_ids[user], str(charge), receipt, invoice)).state

    async def refund_purchase(self, charge: int, *, forced: bool) -> object:
        begun = await self._payments.begin_refund(str(charge), forced=forced)
        if begun.start is RefundStart.SPENT:
            assert begun.payment is not None
            raise Short(begun.payment.credits - begun.missing_credits)
        return begun.start.value

    async def hear_of_refund(self, charge: int) -> object:
        told = await self._payments.mark_refunded(str(charge))
        assert told is None or told.state is PaymentState.REFUNDED
        return told is not None

    async def refuse_refund(self, charge: int) -> object:
        return await self._payments.refuse_refund(str(charge), "no")

    def _video(self, name: VideoName) -> str:
        return ids.video_id(self.drafts[name[0]], name[1])


def _told(settlement: Settlement) -> object:
    return (settlement.state, settlement.captured, settlement.won)
