"""What a person does with an invoice. The bot is asked before any Star moves."""

import asyncio
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from standins.telegram.errors import UserError
from standins.telegram.mailbox import Mailbox
from standins.telegram.model import Charge, Checkout, Invoice, Kept, User
from standins.telegram.payments import Payments
from standins.telegram.world import World

Json = dict[str, Any]

PRE_CHECKOUT_SECONDS: Final = 10.0
TIMED_OUT: Final = "timeout"
_NO_INVOICE: Final = "there is no such invoice in this chat"


@dataclass(frozen=True, slots=True)
class Purchase:
    """Which invoice is paid, and in what way a forger pays it: 0 and "" leave things as they are."""

    message_id: int = 0
    link: str = ""
    payer_id: int = 0
    times: int = 1
    again: bool = False
    amount: int = 0
    currency: str = ""
    payload: str = ""
    wait_seconds: float = PRE_CHECKOUT_SECONDS

    def forged(self, invoice: Invoice) -> Invoice:
        changes = {"total_amount": self.amount, "currency": self.currency, "payload": self.payload}
        return invoice.model_copy(update={name: value for name, value in changes.items() if value})


class Paying:
    def __init__(self, world: World, mailbox: Mailbox, payments: Payments) -> None:
        self._world = world
        self._mailbox = mailbox
        self._payments = payments

    async def pay(self, user_id: int, purchase: Purchase) -> Json:
        kept, invoice = self._wanted(user_id, purchase)
        invoice = purchase.forged(invoice)
        payer_id = purchase.payer_id or user_id
        self._check_payer(payer_id, invoice)
        refusal = await self._bot_refusal(payer_id, invoice, purchase.wait_seconds)
        if refusal:
            return {"paid": False, "charge_id": "", "error_message": refusal, "update_ids": []}
        charge = self._charge(payer_id, invoice)
        if kept is not None and kept.chat_id == payer_id:
            self._stamp(kept, charge.charge_id)
        update_ids = self._receipt(charge, purchase.times)
        return {"paid": True, "charge_id": charge.charge_id, "error_message": "", "update_ids": update_ids}

    def decline(self, user_id: int, message_id: int) -> None:
        """The sheet is closed. Telegram tells nobody."""
        self._invoice_message(self._world.user(user_id).id, message_id)

    def refund_by_support(self, charge_id: str) -> int:
        charge = self._world.memory.charges.get(charge_id)
        if charge is None:
            raise UserError("there is no such charge", HTTPStatus.NOT_FOUND)
        if charge.refunded_at:
            raise UserError("this charge is refunded already", HTTPStatus.CONFLICT)
        return self._payments.refund(charge)

    def set_stars(self, user_id: int, stars: int) -> None:
        if stars < 0:
            raise UserError("nobody has less than 0 Stars")
        self._world.user(user_id).stars = stars
        self._world.next_event(user_id)

    # -- which invoice

    def _wanted(self, user_id: int, purchase: Purchase) -> tuple[Kept | None, Invoice]:
        if purchase.link:
            return None, self._linked(purchase.link)
        kept = self._invoice_message(user_id, purchase.message_id)
        if kept.charge_id and not purchase.again:
            sentence = 'this invoice is paid; {"again": true} pays it once more, as from a second phone'
            raise UserError(sentence, HTTPStatus.CONFLICT)
        return kept, self._world.memory.invoices[kept.invoice_id]

    def _linked(self, link: str) -> Invoice:
        found = self._world.memory.invoices.get(link.rpartition("$")[2])
        if found is None:
            raise UserError("there is no invoice behind this link", HTTPStatus.NOT_FOUND)
        return found

    def _invoice_message(self, user_id: int, message_id: int) -> Kept:
        for kept in reversed(self._world.chat_messages(user_id)):
            if kept.invoice_id and not kept.deleted and message_id in {0, kept.message_id}:
                return kept
        raise UserError(_NO_INVOICE, HTTPStatus.NOT_FOUND)

    # -- the payment

    def _check_payer(self, payer_id: int, invoice: Invoice) -> None:
        payer = self._world.user(payer_id)
        if payer.has_blocked:
            raise UserError("the user has blocked the bot; unblock it first", HTTPStatus.CONFLICT)
        if payer.stars < invoice.total_amount:
            sentence = f"not enough Stars: {payer.stars} of {invoice.total_amount}"
            raise UserError(sentence, HTTPStatus.CONFLICT)

    async def _bot_refusal(self, payer_id: int, invoice: Invoice, wait_seconds: float) -> str:
        """Empty when the bot agreed in time."""
        checkout = Checkout(id=_number(), user_id=payer_id)
        self._world.memory.checkouts[checkout.id] = checkout
        self._mailbox.post("pre_checkout_query", payer_id, _query(checkout, self._payer(payer_id), invoice))
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_seconds
        while checkout.answer is None and loop.time() < end:
            await self._world.wait_for_change(end - loop.time(), payer_id)
        self._world.memory.checkouts.pop(checkout.id, None)
        return TIMED_OUT if checkout.answer is None else checkout.answer

    def _payer(self, payer_id: int) -> User:
        return self._world.user(payer_id)

    def _charge(self, payer_id: int, invoice: Invoice) -> Charge:
        charge = Charge(
            charge_id=f"stx{secrets.token_urlsafe(48)}",
            provider_charge_id=f"{payer_id}_{len(self._world.memory.charges)}",
            user_id=payer_id,
            amount=invoice.total_amount,
            currency=invoice.currency,
            payload=invoice.payload,
            paid_at=self._world.clock(),
        )
        self._payer(payer_id).stars -= charge.amount
        self._world.memory.charges[charge.charge_id] = charge
        return charge

    def _stamp(self, kept: Kept, charge_id: str) -> None:
        """Its Pay button becomes Receipt."""
        kept.charge_id = charge_id
        kept.event = self._world.next_event(kept.chat_id)

    def _receipt(self, charge: Charge, times: int) -> list[int]:
        """One message, told as often as asked: each time with an update_id of its own."""
        payer = self._payer(charge.user_id)
        payer.has_started = True
        kept = self._world.add_message(payer, {"successful_payment": charge.payment()}, from_bot=False)
        kept.charge_id = charge.charge_id
        return [self._mailbox.post("message", payer.id, kept.body) for _ in range(times)]


def _query(checkout: Checkout, payer: User, invoice: Invoice) -> Json:
    return {
        "id": checkout.id,
        "from": payer.shown(),
        "currency": invoice.currency,
        "total_amount": invoice.total_amount,
        "invoice_payload": invoice.payload,
    }


def _number() -> str:
    return str(secrets.randbelow(9 * 10**17) + 10**17)
