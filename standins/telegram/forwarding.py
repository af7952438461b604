"""What a forwarded copy of a message holds; bots and people forward alike."""

from typing import Any, Final

from standins.telegram.model import Invoice, Kept, Memory

Json = dict[str, Any]

_LEFT_OUT: Final = {
    "message_id",
    "from",
    "chat",
    "date",
    "edit_date",
    "reply_markup",
    "reply_to_message",
    "media_group_id",
}
_SERVICE: Final = {"successful_payment", "refunded_payment", "new_chat_members", "left_chat_member"}


def is_forwardable(source: Kept) -> bool:
    return not source.body.get("has_protected_content") and not _SERVICE & source.body.keys()


def forwarded(source: Kept, memory: Memory) -> Json:
    """A copy of a copy names the first author, and no keyboard travels: only an invoice brings its own."""
    body = source.body
    content = {key: value for key, value in body.items() if key not in _LEFT_OUT}
    content.setdefault("forward_origin", {"type": "user", "sender_user": body["from"], "date": body["date"]})
    invoice = memory.invoices.get(source.invoice_id)
    return content | ({"reply_markup": copy_markup(invoice, memory.bot.username)} if invoice else {})


def pay_label(invoice: Invoice) -> str:
    return f"Pay ⭐️{invoice.total_amount}"


def pay_markup(invoice: Invoice) -> Json:
    return {"inline_keyboard": [[{"text": pay_label(invoice), "pay": True}]]}


def copy_markup(invoice: Invoice, bot_username: str) -> Json:
    """With a start_parameter only a link to the bot; without one, whoever has the copy can pay."""
    if not invoice.start_parameter:
        return pay_markup(invoice)
    address = f"https://t.me/{bot_username}?start={invoice.start_parameter}"
    return {"inline_keyboard": [[{"text": pay_label(invoice), "url": address}]]}
