"""grant and refund-payment: credits and money."""

import asyncio
import re
import secrets
import shlex
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import typer

from admin.console import AsJson, By, Refused, Yes, actor, confirm, say, show_json
from admin.timeline import counted
from admin.tools import Tools, run
from domain.clock import utc_now
from domain.credits import Balance, NotEnoughCredits
from domain.deeds import CREDITS_MAX
from store.audit import AuditLog, OtherGrant
from store.database import UNAVAILABLE_ERRORS, Database
from store.ledger import Ledger
from store.payments import Payments, RefundBegun, RefundStart

TG_ID_MAX: Final = 2**52  # Telegram's own promise
_GRANT_ID: Final = re.compile("[0-9a-f]{16}")
_ASK_AGAIN_SECONDS: Final = (0.5, 2.0, 5.0)

_REFUND_SAID: Final = {
    RefundStart.BEGUN: "the credits are taken; the bot sends the money back next, and tells the user",
    RefundStart.CONTINUED: "the credits were taken before; the bot asks the provider again now",
    RefundStart.REFUNDED: "it is refunded already",
    RefundStart.UNKNOWN: "there is no such payment",
}

app = typer.Typer()


@app.command()
def grant(
    tg_id: Annotated[int, typer.Argument(min=1, max=TG_ID_MAX, help="who gets them")],
    credits: Annotated[int, typer.Argument(help="how many")],  # noqa: A002 - the word of the domain
    reason: Annotated[str, typer.Argument(help="kept with the entry")],
    *,
    grant_id: Annotated[
        str, typer.Option(help="repeats the grant that printed it: what was given is not given again")
    ] = "",
    yes: Yes = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Give credits. To take some: grant -- TG_ID -5 REASON."""
    if not credits or abs(credits) > CREDITS_MAX:
        raise typer.BadParameter(f"credits must be between 1 and {CREDITS_MAX:,}, or negative to take some")
    if not reason.strip():
        raise typer.BadParameter("the reason is kept for those who ask later: say one")
    if grant_id and not _GRANT_ID.fullmatch(grant_id):
        raise typer.BadParameter("a grant id is 16 of 0-9 and a-f, as grant prints it")
    gift = _Gift(tg_id, credits, reason, grant_id or secrets.token_hex(8))
    run(lambda tools: _grant(tools, actor(by), gift, yes=yes, as_json=as_json))


@dataclass(frozen=True, slots=True)
class _Gift:
    tg_id: int
    credits: int
    reason: str
    grant_id: str

    @property
    def question(self) -> str:
        credits_ = counted(abs(self.credits), "credit")
        return (
            f"Give {credits_} to {self.tg_id}?" if self.credits > 0 else f"Take {credits_} from {self.tg_id}?"
        )

    @property
    def unsure(self) -> str:
        done = "given" if self.credits > 0 else "taken"
        words = shlex.join([f"{self.tg_id}", f"{self.credits}", self.reason])
        return (
            f"the credits may have been {done}, or not. Look with: user {self.tg_id}."
            f" This does it if it was not done: grant --grant-id {self.grant_id} -- {words}"
        )


@app.command()
def refund_payment(
    charge_id: Annotated[str, typer.Argument(help="the payment, by the provider's number")],
    *,
    forced: Annotated[bool, typer.Option("--forced", help="also where credits are spent")] = False,
    yes: Yes = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Take the credits of a payment back and send the money back; the bot tells the provider."""
    run(lambda tools: _refund_payment(tools, charge_id, actor(by), forced=forced, yes=yes, as_json=as_json))


async def _grant(tools: Tools, by: str, gift: _Gift, *, yes: bool, as_json: bool) -> None:
    audit = AuditLog(await tools.database(), utc_now)
    confirm(gift.question, yes=yes)
    tools.unsure = gift.unsure
    try:
        balance = await _given(audit, by, gift)
    except NotEnoughCredits as error:
        raise Refused(f"user {gift.tg_id} has only {error.available} credits") from None
    except OtherGrant:
        raise Refused(
            f"nothing was changed: grant {gift.grant_id} was another one, see user {gift.tg_id};"
            " leave --grant-id out"
        ) from None
    if as_json:
        facts = {"tg_user_id": gift.tg_id, "credits": gift.credits, "grant_id": gift.grant_id}
        show_json(facts | asdict(balance))
    else:
        now = f"now {balance.available} available and {balance.reserved} reserved"
        say(f"user {gift.tg_id}: {gift.credits:+d}, {now}")


async def _given(audit: AuditLog, by: str, gift: _Gift) -> Balance:
    """The answer may get lost after the deed is done: with the same id it is done once."""
    for pause_seconds in _ASK_AGAIN_SECONDS:
        try:
            return await audit.grant(by, gift.tg_id, gift.credits, gift.reason, gift.grant_id)
        except UNAVAILABLE_ERRORS:
            await asyncio.sleep(pause_seconds)
    return await audit.grant(by, gift.tg_id, gift.credits, gift.reason, gift.grant_id)


async def _refund_payment(
    tools: Tools, charge_id: str, by: str, *, forced: bool, yes: bool, as_json: bool
) -> None:
    database = await tools.database()
    payments = _payments(database)
    payment = await payments.find(charge_id)
    if payment is None:
        raise Refused(f"there is no payment {charge_id}")
    if not as_json:
        say(
            f"user {payment.tg_user_id} paid {payment.amount} {payment.currency}"
            f" for {payment.credits} credits: {payment.state} {payment.refund_error}".rstrip()
        )
    confirm("Refund it?", yes=yes)
    begun = await payments.begin_refund(charge_id, forced=forced)
    _refuse_spent(begun)
    await AuditLog(database, utc_now).write_down(by, "refund", str(payment.tg_user_id), _facts(begun, forced))
    _tell(begun, charge_id, as_json=as_json)


def _facts(begun: RefundBegun, forced: bool) -> dict[str, object]:  # noqa: FBT001 - of a command line
    charge_id = begun.payment.charge_id if begun.payment else ""
    return {"charge_id": charge_id, "forced": forced, "start": begun.start.name}


def _payments(database: Database) -> Payments:
    return Payments(database, Ledger(database, utc_now), utc_now)


def _refuse_spent(begun: RefundBegun) -> None:
    if begun.start is RefundStart.SPENT:
        raise Refused(
            f"{begun.missing_credits} of the credits are spent: nothing was changed."
            " --forced takes what is there and writes the rest down as a debt"
        )


def _tell(begun: RefundBegun, charge_id: str, *, as_json: bool) -> None:
    debt = begun.payment.debt_credits if begun.payment else 0
    if as_json:
        show_json({"charge_id": charge_id, "start": begun.start.name, "debt_credits": debt})
        return
    say(_REFUND_SAID[begun.start])
    if debt:
        say(f"{debt} credits were spent and are written down as a debt")
