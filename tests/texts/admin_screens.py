"""Every card of the administrators, for the tests of texts."""

from datetime import UTC, date, datetime

from domain.accounts import AccountStatus, KeyStatus, ModelMark
from domain.actions import Card
from domain.deeds import CREDITS_MAX, REASON_CHARS_MAX, Deed, DeedKind
from domain.figures import (
    DayFigures,
    Deliveries,
    Income,
    Orders,
    PastFailure,
    PastOrder,
    PastPayment,
    Rating,
    Refunded,
    Spend,
    UserFacts,
)
from domain.ids import new_draft_id
from domain.orders import Language
from domain.payments import PaymentState
from texts import admin_cards, alert_cards, deed_cards

_NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
_TODAY = date(2026, 11, 21)
_USER = 2**52
_CHARGE = "stx" + "x" * 200
_SHORT_CHARGE = "stxAbCdEf0123"
_ORDER_ID = "0123456789abcdef0123"
_KEY = KeyStatus("key10-0123abcd", _NOW, "BILLING 401")

EMPTY_DAY = DayFigures(Orders(0, 0, 0, 0), Deliveries(0, 0, None, None), (), (), Spend(0, 0), (), ())
FULL_DAY = DayFigures(
    Orders(1_200, 900, 3_000, 70),
    Deliveries(2_900, 3, 244.4, 1_800),
    (Refunded("TEMPORARY", 21, 21), Refunded("CANCELLED", 1, 1)),
    (Income("XTR", 40, 6_000, 200, 1, 150), Income("RUB", 1, 10_000, 5, 0, 0)),
    Spend(160_000.5, 2_900),
    (Rating("ugc", 5, 1), Rating("ad", 2, 2), Rating("own", 1, 0)),
    (Rating("kling-2.6/image-to-video", 8, 3),),
)


def ordinary_user() -> UserFacts:
    return UserFacts(
        tg_user_id=501,
        since=_NOW,
        language=Language.RU,
        blocked=False,
        available=4,
        reserved=1,
        debt_credits=0,
        order_count=2,
        orders=(PastOrder(_ORDER_ID, _NOW, "ugc", 3, "OPEN", 2, 0),),
        failures=(PastFailure(f"{_ORDER_ID}-v3", _NOW, "TEMPORARY", "none", "500"),),
        payments=(PastPayment(_SHORT_CHARGE, _NOW, 150, "XTR", 5, PaymentState.PAID, 0),),
    )


def user_facts(*, blocked: bool = True) -> UserFacts:
    return UserFacts(
        tg_user_id=_USER,
        since=_NOW,
        language=Language.RU,
        blocked=blocked,
        available=1,
        reserved=3,
        debt_credits=2,
        order_count=120,
        orders=tuple(PastOrder(new_draft_id(), _NOW, "ugc", 5, "OPEN", 2, 1) for _ in range(5)),
        failures=(
            PastFailure("v", _NOW, "UNKNOWN", "none", "5" * 200),
            PastFailure("v", _NOW, "DELIVERY", "none", ""),
        ),
        payments=tuple(PastPayment(_CHARGE, _NOW, 150, "XTR", 5, state, 0) for state in PaymentState),
    )


def admin_pages(language: Language) -> dict[str, Card]:
    """Those worth showing, with facts of an ordinary day."""
    alpha = AccountStatus("alpha", True, 12, 3, None, "", (KeyStatus("key-1", None, ""), _KEY), 1_234.5, _NOW)
    resting = [ModelMark("kling-2.6/image-to-video", _NOW, "500")]
    deed = Deed(kind=DeedKind.GRANT, tg_user_id=501, credits=7, reason="a late video")
    refund = Deed(kind=DeedKind.REFUND, tg_user_id=501, credits=5, charge_id=_SHORT_CHARGE)
    facts = {"order": _ORDER_ID, "video": f"{_ORDER_ID}-v1", "account": "alpha", "key": "key-1"}
    return {
        "The panel": admin_cards.panel(language, maintenance=False),
        "The panel in maintenance": admin_cards.panel(language, maintenance=True),
        "One day": admin_cards.day(language, _TODAY, _TODAY, FULL_DAY),
        "One user": admin_cards.user(language, ordinary_user()),
        "Accounts and keys": admin_cards.accounts(language, _NOW, [alpha], resting),
        "Grant?": deed_cards.confirm_credits(language, deed, 3, _ORDER_ID),
        "Granted": deed_cards.done_credits(language, deed, 10),
        "Granted, as the user reads it": deed_cards.credits_changed(language, deed, 10, "@help"),
        "Refund?": deed_cards.confirm_refund(language, refund, "150 ⭐", 3, _ORDER_ID),
        "Refund again?": deed_cards.confirm_refund_again(
            language, refund, "150 ⭐", PaymentState.REFUND_REFUSED, _ORDER_ID
        ),
        "Refund of spent credits": deed_cards.refund_spent(language, refund, 2),
        "An alert": alert_cards.alert(language, "BILLING", facts, "402: no money left", 12),
        "Little money at KIE": alert_cards.low_balance(language, "alpha", 40.0, 1_200.0),
    }


def admin_screens(language: Language) -> list[Card]:
    return [*_reading(language), *_deeds(language), *_alerts(language)]


def _reading(language: Language) -> list[Card]:
    alpha = AccountStatus("alpha", True, 12, 3, None, "", (KeyStatus("key-1", None, ""), _KEY), 1_234.5, _NOW)
    blocked = AccountStatus("beta", False, 0, 0, _NOW, "BILLING " + "x" * 200, (), None, None)
    keyless = AccountStatus("gamma", False, 0, 0, None, "", (_KEY,), None, None)
    resting = [ModelMark("kling-2.6/image-to-video", _NOW, "500")]
    hints = ("admin-find", "admin-usage-user", "admin-usage-grant", "admin-usage-take", "admin-usage-refund",
             "admin-usage-today", "admin-usage-maintenance")  # fmt: skip
    return [
        admin_cards.panel(language, maintenance=True),
        admin_cards.panel(language, maintenance=False),
        *(admin_cards.sentence(language, key) for key in hints),
        *(admin_cards.sentence(language, key, user="501") for key in
          ("admin-nobody", "admin-how-to-grant", "admin-how-to-take")),
        admin_cards.day(language, _TODAY, _TODAY, EMPTY_DAY),
        admin_cards.day(language, admin_cards.FIRST_DAY, _TODAY, FULL_DAY),
        admin_cards.user(language, user_facts()),
        admin_cards.accounts(language, _NOW, [alpha, blocked, keyless], resting),
    ]  # fmt: skip


def _deeds(language: Language) -> list[Card]:
    deed_id = new_draft_id()
    grant = Deed(kind=DeedKind.GRANT, tg_user_id=_USER, credits=CREDITS_MAX, reason="<" * REASON_CHARS_MAX)
    take = grant.model_copy(update={"kind": DeedKind.TAKE})
    refund = Deed(kind=DeedKind.REFUND, tg_user_id=_USER, credits=5, charge_id=_CHARGE)
    forced = refund.model_copy(update={"forced": True})
    return [
        *(deed_cards.confirm_credits(language, each, 3, deed_id) for each in (grant, take)),
        *(deed_cards.confirm_refund(language, each, "150 ⭐", 3, deed_id) for each in (refund, forced)),
        deed_cards.confirm_refund_again(language, refund, "150 ⭐", PaymentState.REFUNDING, deed_id),
        *(deed_cards.done_credits(language, each, 3) for each in (grant, take)),
        *(deed_cards.credits_changed(language, each, 3, "@help") for each in (grant, take)),
        deed_cards.declined(language),
        deed_cards.too_many(language, _USER, 3),
        deed_cards.refund_spent(language, refund, 2),
        *(deed_cards.refund_outcome(language, each, _CHARGE) for each in
          ("begun", "continued", "refunded", "unknown")),
    ]  # fmt: skip


def _alerts(language: Language) -> list[Card]:
    facts = {"order": "o", "video": "v", "attempt": "a", "account": "alpha", "key": "k", "video_model": "m"}
    causes = {f"UNKNOWN:model <{number}>": number for number in range(60)}
    return [
        alert_cards.alert(language, "BILLING", facts, "x" * 2_000, 12),
        alert_cards.alert(language, "OUTAGE", {}, ""),
        alert_cards.low_balance(language, "alpha", 40.0, 1_200.0),
        alert_cards.passed_over(language, causes),
    ]
