"""What the ledger promises, without a database: a wallet per user, and causes that count once.

Everything is named by small numbers (user 0, draft 2, video (2, 1)), so that a found example can be read.
Each operation answers like its namesake in `ledger_real`.
"""

from dataclasses import dataclass, field

from domain.orders import VideoState
from domain.payments import PaymentState

WELCOME_CREDITS = 3
WELCOMES_A_DAY = 1
VideoName = tuple[int, int]


class Short(Exception):
    """More was to be taken than there is."""

    def __init__(self, available: int) -> None:
        super().__init__(available)
        self.available = available


@dataclass
class Wallet:
    available: int = 0
    reserved: int = 0


@dataclass(frozen=True)
class Card:
    user: int
    video_count: int
    price: int


@dataclass
class Video:
    state: VideoState = VideoState.OPEN
    opened: bool = False
    bought: bool = False

    @property
    def stoppable(self) -> bool:
        return self.state is VideoState.OPEN and not self.bought


@dataclass
class Payment:
    user: int
    state: PaymentState
    credits: int
    debt: int = 0


_CREDITS_NOT_TAKEN = (PaymentState.PAID, PaymentState.UNCLEAR)


@dataclass
class LedgerModel:
    wallets: list[Wallet]
    cards: list[Card] = field(default_factory=list)
    causes: dict[object, str] = field(default_factory=dict)
    videos: dict[VideoName, Video] = field(default_factory=dict)
    payments: dict[int, Payment] = field(default_factory=dict)
    welcomes: int = 0

    def move(self, user: int, cause: object, kind: str, available: int = 0, reserved: int = 0) -> str:
        """The whole ledger: the first of a cause moves credits, all later ones hear which that was."""
        wallet = self.wallets[user]
        if cause not in self.causes:
            if wallet.available + available < 0:
                raise Short(wallet.available)
            wallet.available += available
            wallet.reserved += reserved
            self.causes[cause] = kind
        return self.causes[cause]

    # -- orders

    def orders(self) -> list[int]:
        return sorted({draft for draft, _ in self.videos})

    def reserved_orders(self) -> list[int]:
        return [draft for draft in self.orders() if ("reserve", draft) in self.causes]

    def of_order(self, draft: int) -> list[Video]:
        return [video for name, video in sorted(self.videos.items()) if name[0] == draft]

    def place(self, draft: int, user: int) -> object:
        if self.cards[draft].user != user:
            return "not_yours"
        if draft in self.orders():
            return "already_placed"
        self._hold(draft)
        self._write(draft)
        return "placed"

    def write_unreserved(self, draft: int) -> object:
        if draft not in self.orders():
            self._write(draft)
        return None

    def reserve(self, draft: int) -> object:
        try:
            return self._hold(draft) == "reserve"
        except Short:
            return False

    def release(self, draft: int) -> object:
        void = self.move(self.cards[draft].user, ("reserve", draft), "void") == "void"
        for name, video in self.videos.items():
            if name[0] == draft and video.state is VideoState.OPEN and not video.opened:
                video.state = VideoState.FAILED
                if not void:
                    self._settle(name)
        return None

    def cancel_order(self, draft: int, user: int) -> object:
        if self.cards[draft].user != user:
            return None
        videos, price = self.of_order(draft), self.cards[draft].price
        stopped = [name for name, video in self.videos.items() if name[0] == draft and video.stoppable]
        going_on = sum(not video.state.closed for video in videos) - len(stopped)
        for name in stopped:
            self.videos[name].state = VideoState.CANCELLED
            self._settle(name)
        cancelled = sum(video.state is VideoState.CANCELLED for video in videos)
        count = len(stopped) or cancelled
        return (count, going_on, count * price, not stopped and cancelled > 0)

    def _hold(self, draft: int) -> str:
        card = self.cards[draft]
        sum_ = card.video_count * card.price
        return self.move(card.user, ("reserve", draft), "reserve", -sum_, sum_)

    def _write(self, draft: int) -> None:
        for number in range(1, self.cards[draft].video_count + 1):
            self.videos[draft, number] = Video()

    # -- videos

    def open(self, name: VideoName) -> object:
        video = self.videos[name]
        if video.state.closed:
            return "settled"
        video.opened = True
        return "open"

    def buy(self, name: VideoName) -> object:
        """A create at KIE was sent for it."""
        video = self.videos[name]
        if video.state.closed:
            return "settled"
        video.bought = True
        return "open"

    def begin_delivery(self, name: VideoName) -> object:
        video = self.videos[name]
        if video.state.closed:
            return "settled"
        video.state = VideoState.DELIVERING
        return "open"

    def settle(self, name: VideoName, state: VideoState) -> object:
        video = self.videos[name]
        won = not video.state.closed
        if won:
            video.state = state
            self._settle(name)
        return (video.state, video.state.captured, won)

    def cancel_video(self, name: VideoName) -> object:
        video = self.videos[name]
        if video.stoppable:
            return self.settle(name, VideoState.CANCELLED)
        return (video.state, video.state.captured, False)

    def _settle(self, name: VideoName) -> None:
        card, captured = self.cards[name[0]], self.videos[name].state.captured
        self.move(card.user, ("settle", name), "settle", 0 if captured else card.price, -card.price)

    # -- credits and money

    def grant(self, user: int, credits_: int, number: int) -> object:
        """Or, negative, take."""
        self.move(user, ("grant", number), "grant", credits_)
        return (self.wallets[user].available, self.wallets[user].reserved)

    def welcome(self, user: int) -> object:
        if ("welcome", user) not in self.causes and self.welcomes < WELCOMES_A_DAY:
            self.welcomes += 1
            self.move(user, ("welcome", user), "welcome", WELCOME_CREDITS)
        return None

    def pay(self, user: int, charge: int, credits_: int) -> object:
        """No credits: money that fits no invoice."""
        if charge not in self.payments:
            state = PaymentState.PAID if credits_ else PaymentState.UNCLEAR
            self.payments[charge] = Payment(user, state, credits_)
            if credits_:
                self.move(user, ("purchase", charge), "purchase", credits_)
        return self.payments[charge].state

    def refund_purchase(self, charge: int, *, forced: bool) -> object:
        payment = self.payments.get(charge)
        if payment is None:
            return "unknown"
        before = payment.state
        if before is PaymentState.REFUNDED:
            return "refunded"
        self._take_back(charge, payment, forced=forced)
        payment.state = PaymentState.REFUNDING
        return "begun" if before in _CREDITS_NOT_TAKEN else "continued"

    def hear_of_refund(self, charge: int) -> object:
        """The provider has sent the money back."""
        payment = self.payments.get(charge)
        if payment is None or payment.state is PaymentState.REFUNDED:
            return False
        self._take_back(charge, payment, forced=True)
        payment.state = PaymentState.REFUNDED
        return True

    def refuse_refund(self, charge: int) -> object:
        payment = self.payments.get(charge)
        if payment is None or payment.state is not PaymentState.REFUNDING:
            return False
        payment.state = PaymentState.REFUND_REFUSED
        return True

    def _take_back(self, charge: int, payment: Payment, *, forced: bool) -> None:
        if payment.state not in _CREDITS_NOT_TAKEN or not payment.credits:
            return
        there = self.wallets[payment.user].available
        taken = min(payment.credits, there) if forced else payment.credits
        self.move(payment.user, ("purchase_refund", charge), "purchase_refund", -taken)
        payment.debt = payment.credits - taken
