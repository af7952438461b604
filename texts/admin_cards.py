"""What administrators look at. Deeds: `deed_cards`; alerts: `alert_cards`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from domain.accounts import AccountStatus, KeyStatus, ModelMark
from domain.actions import Action, Button, Card
from domain.failures import FailureReason
from domain.figures import (
    DayFigures,
    Income,
    PastFailure,
    PastOrder,
    PastPayment,
    Rating,
    Refunded,
    Spend,
    UserFacts,
)
from domain.orders import Language, OrderState, Template, VideoState
from domain.payments import PaymentState
from texts import label, say
from texts.cards import Rows, counted_credits, counted_videos, shortened
from texts.money_cards import paid_amount

FIRST_DAY: Final = date(2026, 1, 1)

_REASON_UNITS_MAX: Final = 80


# -- panel ----------------------------------------------------------------------------------------


def panel(language: Language, *, maintenance: bool) -> Card:
    rows = (
        (button(language, "admin-today", "today"), button(language, "admin-find", "find")),
        (button(language, "admin-accounts", "accounts"),),
        (_maintenance_button(language, maintenance=maintenance),),
    )
    return Card("\n\n".join([say(language, "admin-panel"), _maintenance(language, on=maintenance)]), rows)


def sentence(language: Language, key: str, **args: str | int) -> Card:
    return Card(say(language, key, **args), (panel_row(language),))


def _maintenance(language: Language, *, on: bool) -> str:
    return say(language, "admin-maintenance-on" if on else "admin-maintenance-off")


def _maintenance_button(language: Language, *, maintenance: bool) -> Button:
    if maintenance:
        return button(language, "admin-maintenance-off", "maintenance.off")
    return button(language, "admin-maintenance-on", "maintenance.on")


# -- one day --------------------------------------------------------------------------------------


def day(language: Language, shown: date, today: date, figures: DayFigures) -> Card:
    orders, deliveries = figures.orders, figures.deliveries
    videos = counted_videos(language, orders.videos)
    lines = [
        say(language, "admin-day", day=shown.isoformat()),
        "",
        say(language, "admin-day-orders", orders=orders.orders, customers=orders.customers, videos=videos),
        say(language, "admin-day-new-users", count=orders.new_users),
        say(language, "admin-day-delivered", videos=deliveries.delivered, waiting=deliveries.waiting),
        *_waits(language, deliveries.p50_seconds, deliveries.p95_seconds),
        "",
        *_refunds(language, figures.refunded),
        *_income(language, figures.income),
        _spend(language, figures.spend),
        *_ratings(language, figures.by_template, figures.by_video_model),
    ]
    return Card("\n".join(lines), (_day_row(shown, today), panel_row(language)))


def _waits(language: Language, half: float | None, most: float | None) -> Sequence[str]:
    if half is None or most is None:
        return []
    spans = {"half": _duration(language, half), "most": _duration(language, most)}
    return [say(language, "admin-day-waits", **spans)]


def _refunds(language: Language, refunded: Sequence[Refunded]) -> Sequence[str]:
    if not refunded:
        return [say(language, "admin-day-no-refunds")]
    return [say(language, "admin-day-refunds"), *(_refund(language, each) for each in refunded)]


def _refund(language: Language, refunded: Refunded) -> str:
    cancelled = refunded.cause == VideoState.CANCELLED
    return say(
        language,
        "admin-day-refund",
        cause=label(language, "admin-cancelled") if cancelled else refunded.cause,
        videos=counted_videos(language, refunded.videos),
        credits=counted_credits(language, refunded.credits),
    )


def _income(language: Language, income: Sequence[Income]) -> Sequence[str]:
    if not income:
        return [say(language, "admin-day-no-income")]
    return [line for each in income for line in _income_lines(language, each)]


def _income_lines(language: Language, income: Income) -> Sequence[str]:
    bought = counted_credits(language, income.credits)
    amount = paid_amount(income.amount, income.currency)
    lines = [say(language, "admin-day-income", amount=amount, payments=income.payments, credits=bought)]
    if income.refunds:
        back = paid_amount(income.refunded_amount, income.currency)
        lines.append(say(language, "admin-day-sent-back", amount=back, payments=income.refunds))
    return lines


def _spend(language: Language, spend: Spend) -> str:
    spent, each = _kie_credits(spend.kie_credits), spend.per_delivered
    if each is None:
        return say(language, "admin-day-spend", spent=spent)
    return say(language, "admin-day-spend-each", spent=spent, each=_kie_credits(each))


def _ratings(
    language: Language, by_template: Sequence[Rating], by_video_model: Sequence[Rating]
) -> Sequence[str]:
    named = [(label(language, f"template-{Template(each.name)}"), each) for each in by_template]
    named += [(each.name, each) for each in by_video_model]
    lines = [
        say(language, "admin-day-rating", name=name, likes=each.likes, dislikes=each.dislikes)
        for name, each in named
    ]
    return [say(language, "admin-day-ratings"), *lines] if lines else []


def _day_row(shown: date, today: date) -> tuple[Button, ...]:
    before, after = shown - timedelta(days=1), shown + timedelta(days=1)
    back = (_day_button(f"◀ {before}", before),) if before >= FIRST_DAY else ()
    onward = (_day_button(f"{after} ▶", after),) if after <= today else ()
    return (*back, *onward)


def _day_button(shown: str, target: date) -> Button:
    return Button(shown, Action.ADMIN, f"today.{target.isoformat()}")


# -- one user -------------------------------------------------------------------------------------


def user(language: Language, facts: UserFacts) -> Card:
    lines = [
        *_user_head(language, facts),
        "",
        say(language, "admin-user-orders", count=facts.order_count),
        *(_order(language, each) for each in facts.orders),
        *_listed(language, "admin-user-failures", [_failure(language, each) for each in facts.failures]),
        *_listed(language, "admin-user-payments", [_payment(language, each) for each in facts.payments]),
    ]
    return Card("\n".join(lines), _user_rows(language, facts))


def _user_head(language: Language, facts: UserFacts) -> Sequence[str]:
    since = facts.since.date().isoformat()
    lines = [
        say(language, "admin-user", user=str(facts.tg_user_id), since=since, spoken=facts.language.value),
        say(
            language,
            "admin-user-balance",
            available=counted_credits(language, facts.available),
            reserved=counted_credits(language, facts.reserved),
        ),
    ]
    if facts.debt_credits:
        debt = counted_credits(language, facts.debt_credits)
        lines.append(say(language, "admin-user-debt", credits=debt))
    return [*lines, say(language, "admin-user-blocked")] if facts.blocked else lines


def _listed(language: Language, title: str, lines: Sequence[str]) -> Sequence[str]:
    return [say(language, title), *lines] if lines else []


def _order(language: Language, order: PastOrder) -> str:
    is_open = order.state == OrderState.OPEN
    return say(
        language,
        "admin-user-order",
        at=_moment(order.created_at),
        template=label(language, f"template-{Template(order.template)}"),
        videos=counted_videos(language, order.video_count),
        delivered=order.delivered,
        failed=order.failed,
        open=label(language, "admin-user-order-open") + " " if is_open else "",
        order=order.id,
    )


def _failure(language: Language, failure: PastFailure) -> str:
    return say(
        language,
        "admin-user-failure",
        at=_moment(failure.closed_at),
        **{"class": failure.failure_class},
        reason="" if failure.failure_reason == FailureReason.NONE else failure.failure_reason,
        said=failure.said or label(language, "admin-alert-no-answer"),
    )


_STATES: Final = {
    PaymentState.PAID: "admin-state-paid",
    PaymentState.UNCLEAR: "admin-state-unclear",
    PaymentState.REFUNDING: "admin-state-refunding",
    PaymentState.REFUNDED: "admin-state-refunded",
    PaymentState.REFUND_REFUSED: "admin-state-refund-refused",
}


def _payment(language: Language, payment: PastPayment) -> str:
    return say(
        language,
        "admin-user-payment",
        at=_moment(payment.paid_at),
        amount=paid_amount(payment.amount, payment.currency),
        credits=counted_credits(language, payment.credits),
        state=payment_state(language, payment.state),
        charge=payment.charge_id,
    )


def _user_rows(language: Language, facts: UserFacts) -> Rows:
    person = facts.tg_user_id
    deeds = (
        button(language, "admin-grant", f"grant.{person}"),
        button(language, "admin-take", f"take.{person}"),
    )
    refunds = tuple(
        (_refund_button(language, person, payment),) for payment in facts.payments if payment.refundable
    )
    return (deeds, *refunds, panel_row(language))


def _refund_button(language: Language, tg_user_id: int, payment: PastPayment) -> Button:
    amount = paid_amount(payment.amount, payment.currency)
    text = label(language, "button-admin-refund", amount=amount)
    return Button(text, Action.ADMIN, f"refund.{tg_user_id}.{payment.reference}")


# -- accounts -------------------------------------------------------------------------------------


def accounts(
    language: Language, now: datetime, statuses: Sequence[AccountStatus], resting: Sequence[ModelMark]
) -> Card:
    blocks = [
        [say(language, "admin-accounts", at=_moment(now))],
        *([*_account(language, each), *_keys(language, each.keys)] for each in statuses),
        [_rests(language, mark) for mark in resting],
    ]
    text = "\n\n".join("\n".join(block) for block in blocks if block)
    return Card(text, (panel_row(language),))


def _account(language: Language, status: AccountStatus) -> Sequence[str]:
    load: Mapping[str, int] = {"flying": status.in_flight, "creates": status.creates_in_window}
    return [
        _health(language, status),
        say(language, "admin-account-load", **load),
        _balance(language, status),
    ]


def _health(language: Language, status: AccountStatus) -> str:
    if status.blocked_until is not None:
        blocked = {"until": _moment(status.blocked_until), "reason": _reason(status.block_reason)}
        return say(language, "admin-account-blocked", account=status.account, **blocked)
    return say(
        language, "admin-account-serves" if status.serves else "admin-account-no-key", account=status.account
    )


def _balance(language: Language, status: AccountStatus) -> str:
    if status.balance_kie_credits is None or status.balance_at is None:
        return say(language, "admin-account-no-balance")
    balance = _kie_credits(status.balance_kie_credits)
    return say(language, "admin-account-balance", balance=balance, at=_moment(status.balance_at))


def _keys(language: Language, keys: Sequence[KeyStatus]) -> Sequence[str]:
    return [_key(language, key) for key in sorted(keys, key=lambda key: key.key_id)]


def _key(language: Language, key: KeyStatus) -> str:
    if key.blocked_until is None:
        return say(language, "admin-key-works", name=key.key_id)
    blocked = {"until": _moment(key.blocked_until), "reason": _reason(key.block_reason)}
    return say(language, "admin-key-blocked", name=key.key_id, **blocked)


def _rests(language: Language, mark: ModelMark) -> str:
    until = _moment(mark.unavailable_until)
    return say(
        language, "admin-model-rests", model=mark.video_model, until=until, reason=_reason(mark.reason)
    )


# -- pieces ---------------------------------------------------------------------------------------


def payment_state(language: Language, state: PaymentState) -> str:
    return label(language, _STATES[state])


def button(language: Language, name: str, argument: str) -> Button:
    return Button(label(language, f"button-{name}"), Action.ADMIN, argument)


def panel_row(language: Language) -> tuple[Button, ...]:
    return (button(language, "admin-panel", "panel"),)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _duration(language: Language, seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return label(language, "admin-duration", minutes=minutes, seconds=rest)


def _kie_credits(amount: float) -> str:
    return f"{amount:.1f}".removesuffix(".0")


def _reason(reason: str) -> str:
    return shortened(reason, _REASON_UNITS_MAX)
