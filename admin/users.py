"""user: one person's balance, orders, payments and ledger."""

from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from admin.console import AsJson, By, Refused, actor, section, show, show_json, table
from admin.tools import Tools, run
from domain.clock import utc_now
from store.audit import AuditLog
from store.people import People, Person, PersonFacts

app = typer.Typer()

_ID_MAX: Final = 2**52


@app.command()
def user(
    who: Annotated[
        str, typer.Argument(metavar="ID", help="Telegram's number, or #N: our own, as logs have it")
    ],
    *,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Show one user: balance, last orders, payments, ledger. That somebody looked is written down."""
    run(lambda tools: _user(tools, who.strip(), actor(by), as_json=as_json))


async def _user(tools: Tools, who: str, by: str, *, as_json: bool) -> None:
    database = await tools.database()
    person = await People(database).find(**_number(who))
    if person is None:
        raise Refused(f"nobody with the number {who} has ever talked to the bot")
    target = str(person.facts.tg_user_id or f"user #{person.facts.user_id}")
    await AuditLog(database, utc_now).write_down(by, "look", target, {})
    if as_json:
        show_json(person)
    else:
        show(*_screen(person))


def _number(who: str) -> dict[str, int]:
    """Raise Refused."""
    if who.startswith("@"):
        raise Refused(
            f"{who}: names are not kept, they change hands. The number stands in /admin, in every order"
            " (order ID) and in the logs"
        )
    digits = who.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or not 0 < int(digits[:20]) <= _ID_MAX:
        raise Refused(f"{who!r} is no Telegram number, such as 700000001, and no #N of ours")
    return {"user_id" if who.startswith("#") else "tg_user_id": int(digits)}


def _screen(person: Person) -> list[RenderableType]:
    parts: list[RenderableType] = [*_head(person.facts)]
    if person.orders:
        parts += [section("last orders"), _orders(person)]
    if person.payments:
        parts += [section("last payments"), _payments(person)]
    if person.entries:
        parts += [section("ledger, the newest first"), _entries(person)]
    return parts


def _head(facts: PersonFacts) -> list[Text]:
    name = f"user {facts.tg_user_id}" if facts.tg_user_id else f"forgotten user #{facts.user_id}"
    lines = [
        Text(f"{name}   {facts.available} credits available, {facts.reserved} reserved", style="bold"),
        Text(f"  #{facts.user_id} here, since {facts.created_at:%Y-%m-%d}, reads {_language(facts)}"),
        Text(f"  orders: {facts.order_count}"),
    ]
    if facts.waiting_videos:
        lines.append(Text(f"  videos waiting for him: {facts.waiting_videos}"))
    if facts.debt_credits:
        lines.append(Text(f"  owes {facts.debt_credits} credits of refunded payments", style="red"))
    if facts.blocked_at:
        lines.append(Text(f"  has blocked the bot, {facts.blocked_at:%Y-%m-%d %H:%M} UTC", style="yellow"))
    if facts.forgotten_at:
        lines.append(Text(f"  forgotten at {facts.forgotten_at:%Y-%m-%d %H:%M} UTC", style="yellow"))
    return lines


def _language(facts: PersonFacts) -> str:
    return facts.language or f"{facts.tg_language or 'nothing said'} (Telegram's)"


def _orders(person: Person) -> RenderableType:
    shown = table("when, UTC", "order", "template", "videos", "delivered", "failed", "state")
    for order in person.orders:
        shown.add_row(
            f"{order.created_at:%Y-%m-%d %H:%M}",
            order.id,
            order.template,
            str(order.video_count),
            str(order.delivered),
            str(order.failed),
            order.state,
        )
    return shown


def _payments(person: Person) -> RenderableType:
    shown = table("when, UTC", "paid", "credits", "state", "charge")
    for payment in person.payments:
        shown.add_row(
            f"{payment.paid_at:%Y-%m-%d %H:%M}",
            f"{payment.amount} {payment.currency}",
            str(payment.credits),
            payment.state.value,
            payment.charge_id,
        )
    return shown


def _entries(person: Person) -> RenderableType:
    shown = table("when, UTC", "entry", "available", "reserved", "then", "of", "note")
    for entry in person.entries:
        shown.add_row(
            f"{entry.created_at:%Y-%m-%d %H:%M:%S}",
            entry.kind,
            f"{entry.available_delta:+d}",
            f"{entry.reserved_delta:+d}",
            str(entry.available_after),
            entry.of,
            entry.note,
        )
    return shown
