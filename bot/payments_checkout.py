"""The question before a payment. Telegram waits 10 seconds for the answer, and then the payment fails.

So it stands outside every queue, lane and limit, and needs no database: what was offered is in the signed
payload, and what is on offer in the settings.
"""

import asyncio
from typing import Final

import structlog
from aiogram.exceptions import AiogramError, TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.types import PreCheckoutQuery

from bot.parts import BotParts
from domain.orders import language_of
from domain.payments import Misfit, Provider, Receipt
from texts import label

_ANSWER_SECONDS_MAX: Final = 8.0
_CALL_SECONDS_MAX: Final = 3
_PAUSE_SECONDS: Final = 0.2
_WORTH_REPEATING: Final = (TelegramNetworkError, TelegramServerError, TelegramRetryAfter)

_REFUSALS: Final = {
    Misfit.FORGED: "checkout-forged",
    Misfit.OTHER_PAYER: "checkout-other-payer",
    Misfit.OTHER_PRICE: "checkout-forged",
}

_log = structlog.get_logger()


async def answer_checkout(parts: BotParts, query: PreCheckoutQuery) -> None:
    key = _refusal(parts, query)
    language = language_of(None, query.from_user.language_code)
    if key is not None:
        _log.warning("payment refused", tg_user_id=query.from_user.id, reason=key, amount=query.total_amount)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS_MAX):
            await _answer(parts, query.id, label(language, key) if key else None)
    except (AiogramError, TimeoutError) as error:
        why = f"{type(error).__name__} {error}".strip()
        _log.error("pre-checkout query was not answered", tg_user_id=query.from_user.id, error=why)


def _refusal(parts: BotParts, query: PreCheckoutQuery) -> str | None:
    """The text that says why not; None: it may be paid."""
    receipt = Receipt(
        Provider.STARS, query.from_user.id, query.total_amount, query.currency, query.invoice_payload
    )
    invoice = parts.provider.invoice_of(receipt)
    if isinstance(invoice, Misfit):
        return _REFUSALS[invoice]
    return None if invoice.package in parts.shop.packages else "checkout-changed"


async def _answer(parts: BotParts, query_id: str, refusal: str | None) -> None:
    """Again and again while it was not heard: the caller says when it is too late."""
    while True:
        try:
            await parts.bot.answer_pre_checkout_query(
                query_id, ok=refusal is None, error_message=refusal, request_timeout=_CALL_SECONDS_MAX
            )
        except _WORTH_REPEATING as error:
            _log.info("pre-checkout answer is repeated", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return
