"""The morning's report to the administrators: a day beside the day before it, and how things stand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.actions import Card
from domain.daily import AccountDay, DayReport
from domain.figures import DayFigures, Income
from domain.orders import Language, VideoState
from texts import label, say
from texts.money_cards import paid_amount

_CAUSES_MAX: Final = 12
_ACCOUNTS_MAX: Final = 12
_HOUR_SECONDS: Final = 3_600
_BACKUP_OLD_SECONDS: Final = 26 * _HOUR_SECONDS


def daily(language: Language, report: DayReport) -> Card:
    blocks = (
        [say(language, "report-day", day=report.day.isoformat())],
        _made(language, report.figures, report.before),
        _earned(language, report.figures, report.before),
        [_account(language, each) for each in report.accounts[:_ACCOUNTS_MAX]],
        _standing(language, report),
    )
    return Card("\n\n".join("\n".join(block) for block in blocks if block))


def _made(language: Language, now: DayFigures, before: DayFigures) -> Sequence[str]:
    orders, delivered = now.orders, now.deliveries
    return [
        say(
            language,
            "report-orders",
            orders=_beside(orders.orders, before.orders.orders),
            users=_beside(orders.new_users, before.orders.new_users),
        ),
        say(
            language,
            "report-videos",
            delivered=_beside(delivered.delivered, before.deliveries.delivered),
            back=_beside(_videos_back(now), _videos_back(before)),
            waiting=delivered.waiting,
        ),
        *_causes(language, now),
        *_waits(language, now, before),
    ]


def _videos_back(figures: DayFigures) -> int:
    return sum(each.videos for each in figures.refunded)


def _causes(language: Language, figures: DayFigures) -> Iterable[str]:
    """Why credits went back."""
    for each in figures.refunded[:_CAUSES_MAX]:
        cancelled = each.cause == VideoState.CANCELLED
        cause = label(language, "admin-cancelled") if cancelled else each.cause
        yield say(language, "report-cause", cause=cause, videos=each.videos)


def _waits(language: Language, now: DayFigures, before: DayFigures) -> Sequence[str]:
    half, most = now.deliveries.p50_seconds, now.deliveries.p95_seconds
    if half is None or most is None:
        return []
    spans = {
        "half": _span_beside(language, half, before.deliveries.p50_seconds),
        "most": _span_beside(language, most, before.deliveries.p95_seconds),
    }
    return [say(language, "report-waits", **spans)]


def _earned(language: Language, now: DayFigures, before: DayFigures) -> Sequence[str]:
    earlier = {each.currency: each for each in before.income}
    lines = [_income(language, each, earlier.get(each.currency)) for each in now.income]
    return lines or [say(language, "report-no-income")]


def _income(language: Language, now: Income, before: Income | None) -> str:
    """Of the day before only the sum: what is compared is on one line."""
    paid = paid_amount(now.amount, now.currency)
    change = _change(now.amount - before.amount) if before else ""
    amounts: Mapping[str, str | int] = {"amount": f"{paid} {change}".rstrip(), "payments": now.payments}
    if not now.refunds:
        return say(language, "report-income", **amounts)
    back = paid_amount(now.refunded_amount, now.currency)
    return say(language, "report-income-and-back", back=back, refunds=now.refunds, **amounts)


def _account(language: Language, account: AccountDay) -> str:
    trouble = account.blocked or account.keys_blocked
    return say(
        language,
        "report-account-blocked" if trouble else "report-account",
        account=account.account,
        balance=_balance(language, account.balance),
        spent=f"{account.spent:.0f}",
        serving=0 if account.blocked else account.keys - account.keys_blocked,
        keys=account.keys,
    )


def _balance(language: Language, balance: float | None) -> str:
    if balance is None:
        return label(language, "report-no-balance")
    return label(language, "report-balance", balance=f"{balance:.0f}")


def _standing(language: Language, report: DayReport) -> Sequence[str]:
    return [_oldest(language, report), _broken(language, report), _backup(language, report)]


def _oldest(language: Language, report: DayReport) -> str:
    if report.oldest_open_seconds is None:
        return say(language, "report-nothing-open")
    return say(language, "report-oldest", age=_age(language, report.oldest_open_seconds))


def _broken(language: Language, report: DayReport) -> str:
    return (
        say(language, "report-broken", count=report.broken) if report.broken else say(language, "report-true")
    )


def _backup(language: Language, report: DayReport) -> str:
    age = report.backup_age_seconds
    if age is None:
        return say(language, "report-no-backup")
    key = "report-backup-old" if age > _BACKUP_OLD_SECONDS else "report-backup"
    return say(language, key, hours=round(age / _HOUR_SECONDS))


def _beside(now: int, before: int) -> str:
    return f"{now} {_change(now - before)}"


def _change(difference: int) -> str:
    return f"({difference:+d})".replace("-", "−") if difference else "(=)"


def _span_beside(language: Language, now: float, before: float | None) -> str:
    if before is None:
        return _span(language, now)
    return label(language, "report-span-beside", now=_span(language, now), before=_span(language, before))


def _age(language: Language, seconds: float) -> str:
    if seconds < 2 * _HOUR_SECONDS:
        return _span(language, seconds)
    return label(language, "report-hours", hours=round(seconds / _HOUR_SECONDS))


def _span(language: Language, seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return label(language, "admin-duration", minutes=minutes, seconds=rest)
