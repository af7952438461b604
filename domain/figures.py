"""What administrators read: the figures of one day, and what is known of one user."""

from dataclasses import dataclass
from datetime import datetime

from domain import ids
from domain.orders import Language
from domain.payments import PaymentState


@dataclass(frozen=True, slots=True)
class Orders:
    orders: int
    customers: int
    videos: int
    new_users: int


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Of the videos that reached their chat on this day; seconds from the tap on."""

    delivered: int
    waiting: int  # made and paid for, but the user has blocked the bot
    p50_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class Refunded:
    """`cause` is a failure class, or what became of the video."""

    cause: str
    videos: int
    credits: int


@dataclass(frozen=True, slots=True)
class Income:
    """Of one currency, in its smallest unit."""

    currency: str
    payments: int
    amount: int
    credits: int
    refunds: int
    refunded_amount: int


@dataclass(frozen=True, slots=True)
class Spend:
    """`delivered` of the same day; what failed after it was bought is part of the price of what arrived."""

    kie_credits: float
    delivered: int

    @property
    def per_delivered(self) -> float | None:
        return self.kie_credits / self.delivered if self.delivered else None


@dataclass(frozen=True, slots=True)
class Rating:
    """`name` is a template or a video model."""

    name: str
    likes: int
    dislikes: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    orders: Orders
    deliveries: Deliveries
    refunded: tuple[Refunded, ...]
    income: tuple[Income, ...]
    spend: Spend
    by_template: tuple[Rating, ...]
    by_video_model: tuple[Rating, ...]


@dataclass(frozen=True, slots=True)
class PastOrder:
    id: str
    created_at: datetime
    template: str
    video_count: int
    state: str
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class PastFailure:
    """`said` is the provider's code. His raw answer may repeat the prompt: it is not for showing."""

    video_id: str
    closed_at: datetime
    failure_class: str
    failure_reason: str
    said: str
    raw_answer: str = ""
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class PastPayment:
    charge_id: str
    paid_at: datetime
    amount: int
    currency: str
    credits: int
    state: PaymentState
    debt_credits: int

    @property
    def reference(self) -> str:
        return ids.charge_reference(self.charge_id)

    @property
    def refundable(self) -> bool:
        return self.state not in {PaymentState.REFUNDING, PaymentState.REFUNDED}


@dataclass(frozen=True, slots=True)
class UserFacts:
    tg_user_id: int
    since: datetime
    language: Language
    blocked: bool
    available: int
    reserved: int
    debt_credits: int
    order_count: int
    orders: tuple[PastOrder, ...]
    failures: tuple[PastFailure, ...]
    payments: tuple[PastPayment, ...]
