"""What was signed is read back; everything else is nobody's invoice."""

import pytest
from pydantic import SecretStr

from clients.invoices import PAYLOAD_BYTES_MAX, InvoiceSigner
from clients.stars import StarsPayments
from clients.telegram import TelegramClient
from domain.payments import Invoice, Misfit, Package, Provider, Receipt

pytestmark = pytest.mark.unit

TOKEN = SecretStr("1234567:" + "t" * 35)
SIGNER = InvoiceSigner(TOKEN)
DRAFT = "0123456789abcdef0123"
INVOICE = Invoice(501, Package("20c500s", 20, 500), DRAFT)


def receipt(payload: str, tg_user_id: int = 501, amount: int = 500, currency: str = "XTR") -> Receipt:
    return Receipt(Provider.STARS, tg_user_id, amount, currency, payload)


def stars() -> StarsPayments:
    return StarsPayments(TelegramClient(TOKEN, "http://127.0.0.1:9"), TOKEN)


@pytest.mark.parametrize("draft_id", ["", DRAFT])
def test_what_was_signed_is_read(draft_id: str) -> None:
    invoice = Invoice(501, Package("20c500s", 20, 500), draft_id)
    assert SIGNER.read(SIGNER.sign(invoice)) == invoice


def test_the_longest_payload_fits() -> None:
    longest = Invoice(2**52, Package("99999c99999s", 99_999, 99_999), DRAFT)
    payload = SIGNER.sign(longest)
    assert len(payload.encode()) <= PAYLOAD_BYTES_MAX
    assert SIGNER.read(payload) == longest


def test_no_changed_letter_goes_unnoticed() -> None:
    payload = SIGNER.sign(INVOICE)
    for place, letter in enumerate(payload):
        changed = payload[:place] + ("x" if letter != "x" else "y") + payload[place + 1 :]
        assert SIGNER.read(changed) is None, changed


def test_another_bot_signs_differently() -> None:
    other = InvoiceSigner(SecretStr("7654321:" + "t" * 35))
    assert other.read(SIGNER.sign(INVOICE)) is None
    assert TOKEN.get_secret_value() not in SIGNER.sign(INVOICE)


@pytest.mark.parametrize(
    "payload", ["", ":", "x", "1:501:500:20:20c500s:-", "1:501:500:20:20c500s:-:", "ключ:ё", "\udc80:\udc80"]
)
def test_strange_payloads_are_refused_without_a_crash(payload: str) -> None:
    assert SIGNER.read(payload) is None


def test_what_another_version_signed_is_not_guessed_at() -> None:
    for signed in ("2:501:500:20:20c500s:-", "1:501:500:20:20c500s:-:more"):
        assert SIGNER.read(f"{signed}:{SIGNER._signature(signed)}") is None


def test_a_receipt_is_for_its_invoice_only() -> None:
    payload = SIGNER.sign(INVOICE)
    assert stars().invoice_of(receipt(payload)) == INVOICE
    assert stars().invoice_of(receipt(payload, tg_user_id=502)) is Misfit.OTHER_PAYER
    assert stars().invoice_of(receipt(payload, amount=1)) is Misfit.OTHER_PRICE
    assert stars().invoice_of(receipt(payload, currency="USD")) is Misfit.OTHER_PRICE
    assert stars().invoice_of(receipt(payload.replace(":500:", ":1:"), amount=1)) is Misfit.FORGED
