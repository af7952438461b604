"""The Bot API methods about invoices and Telegram Stars, the only currency played here."""

import re
import secrets
from typing import Any, Final

from standins.telegram.args import Args
from standins.telegram.errors import ApiError, bad_request
from standins.telegram.forwarding import pay_markup
from standins.telegram.mailbox import Mailbox
from standins.telegram.model import Charge, Invoice
from standins.telegram.sending import Method, Sending
from standins.telegram.world import World

Json = dict[str, Any]

STARS: Final = "XTR"
TITLE_LENGTH_MAX: Final = 32
DESCRIPTION_LENGTH_MAX: Final = 255
PAYLOAD_BYTES_MAX: Final = 128
AMOUNT_MAX: Final = 100_000
_TRANSACTIONS_MAX: Final = 100
_START_PARAMETER: Final = re.compile(r"[A-Za-z0-9_-]{0,64}")


class Payments:
    def __init__(self, world: World, sending: Sending, mailbox: Mailbox) -> None:
        self._world = world
        self._sending = sending
        self._mailbox = mailbox

    def methods(self) -> dict[str, Method]:
        return {
            "sendInvoice": self._send_invoice,
            "createInvoiceLink": self._create_invoice_link,
            "answerPreCheckoutQuery": self._answer_pre_checkout_query,
            "refundStarPayment": self._refund_star_payment,
            "getStarTransactions": self._get_star_transactions,
            "getMyStarBalance": self._get_my_star_balance,
        }

    async def _send_invoice(self, args: Args) -> Json:
        chat = self._world.receiver(args.text("chat_id"))
        invoice = _invoice(args)
        content = {"invoice": invoice.shown(), "reply_markup": pay_markup(invoice)}
        kept = self._sending.send(chat, args, content)
        kept.invoice_id = self._keep(invoice)
        return kept.body

    async def _create_invoice_link(self, args: Args) -> str:
        return f"https://t.me/${self._keep(_invoice(args))}"

    def _keep(self, invoice: Invoice) -> str:
        self._world.memory.invoices[invoice.id] = invoice
        self._world.is_unsaved = True
        return invoice.id

    async def _answer_pre_checkout_query(self, args: Args) -> bool:
        answer = "" if args.flag("ok") else _required(args, "error_message")
        checkout = self._world.memory.checkouts.get(args.text("pre_checkout_query_id"))
        if checkout is None or checkout.answer is not None:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        checkout.answer = answer
        self._world.next_event(checkout.user_id)
        return True

    # -- Stars

    async def _refund_star_payment(self, args: Args) -> bool:
        if not args.integer("user_id"):
            raise bad_request("invalid user_id specified")
        charge = self._world.memory.charges.get(_required(args, "telegram_payment_charge_id"))
        if args.integer("user_id") not in self._world.memory.users:
            raise bad_request("USER_ID_INVALID")
        if charge is None:
            raise bad_request("CHARGE_ID_INVALID")
        if charge.user_id != args.integer("user_id"):
            raise bad_request("USER_ID_INVALID")
        if charge.refunded_at:
            raise bad_request("CHARGE_ALREADY_REFUNDED")
        self.refund(charge)
        return True

    def refund(self, charge: Charge) -> int:
        """The Stars go back, and the bot is told as of everything that happens in a chat."""
        user = self._world.user(charge.user_id)
        charge.refunded_at = self._world.clock()
        user.stars += charge.amount
        content = {"from": self._world.memory.bot.shown(), "refunded_payment": charge.payment()}
        kept = self._world.add_message(user, content, from_bot=False)
        kept.charge_id = charge.charge_id
        return self._mailbox.post("message", user.id, kept.body)

    async def _get_star_transactions(self, args: Args) -> Json:
        """Oldest first. A refund is a transaction of its own, with the id of the payment."""
        offset = max(args.integer("offset"), 0)
        limit = min(max(args.integer("limit", _TRANSACTIONS_MAX), 1), _TRANSACTIONS_MAX)
        charges = self._world.memory.charges.values()
        both = [each for charge in charges for each in self._transactions(charge)]
        both.sort(key=lambda each: each["date"])
        return {"transactions": both[offset : offset + limit]}

    def _transactions(self, charge: Charge) -> list[Json]:
        known = self._world.memory.users.get(charge.user_id)
        user = known.shown() if known else {"id": charge.user_id, "is_bot": False, "first_name": ""}
        partner = {"type": "user", "transaction_type": "invoice_payment", "user": user}
        partner["invoice_payload"] = charge.payload
        ids = {"id": charge.charge_id, "amount": charge.amount}
        paid = {**ids, "date": int(charge.paid_at.timestamp()), "source": partner}
        if charge.refunded_at is None:
            return [paid]
        return [paid, {**ids, "date": int(charge.refunded_at.timestamp()), "receiver": partner}]

    async def _get_my_star_balance(self, _args: Args) -> Json:
        return {"amount": self.balance()}

    def balance(self) -> int:
        charges = self._world.memory.charges.values()
        return sum(charge.amount for charge in charges if charge.refunded_at is None)


def _invoice(args: Args) -> Invoice:
    title, description, payload = (_required(args, name) for name in ("title", "description", "payload"))
    # Telegram documents both limits, but not what it says beyond them.
    if len(title) > TITLE_LENGTH_MAX:
        raise bad_request("TITLE_INVALID")
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise bad_request("DESCRIPTION_INVALID")
    if len(payload.encode()) > PAYLOAD_BYTES_MAX:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    return Invoice(
        id=secrets.token_urlsafe(12),
        title=title,
        description=description,
        payload=payload,
        currency=_currency(args),
        total_amount=_total_amount(args),
        start_parameter=_start_parameter(args),
    )


def _currency(args: Args) -> str:
    currency = _required(args, "currency")
    if currency != STARS or args.has("provider_token"):
        raise bad_request("PAYMENT_PROVIDER_INVALID")
    if args.integer("max_tip_amount"):
        raise bad_request("STARS_INVOICE_INVALID")
    return currency


def _total_amount(args: Args) -> int:
    prices = args.json("prices")
    if prices is None:
        raise _missing("prices")
    if not isinstance(prices, list):
        raise bad_request("expected an Array of labeled prices")
    if not prices:
        raise bad_request("there must be at least one price")
    amounts = [_amount(price) for price in prices]
    if len(amounts) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    if not 0 < amounts[0] <= AMOUNT_MAX:
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
    return amounts[0]


def _amount(price: Any) -> int:
    if not isinstance(price, dict):
        raise _cannot_parse_price("LabeledPrice must be an Object")
    if not isinstance(price.get("label"), str) or not price["label"]:
        raise _cannot_parse_price("LabeledPrice label must be non-empty")
    try:
        return int(price["amount"])
    except (KeyError, TypeError, ValueError):
        raise _cannot_parse_price('Field "amount" must be a valid Number') from None


def _start_parameter(args: Args) -> str:
    value = args.text("start_parameter")
    if not _START_PARAMETER.fullmatch(value):
        raise bad_request("START_PARAM_INVALID")
    return value


def _required(args: Args, name: str) -> str:
    if not args.has(name):
        raise _missing(name)
    return args.text(name)


def _missing(name: str) -> ApiError:
    return bad_request(f'parameter "{name}" is required')


def _cannot_parse_price(why: str) -> ApiError:
    return bad_request(f"can't parse labeled price: {why}")
