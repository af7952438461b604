"""What administrators are asked before a deed and told after it, and what its user reads."""

from typing import Final

from domain.actions import Action, Button, Card
from domain.deeds import Deed, DeedKind
from domain.orders import Language
from domain.payments import PaymentState
from texts import label, say
from texts.admin_cards import button, panel_row, payment_state, sentence
from texts.cards import Rows, counted_credits


def confirm_credits(language: Language, deed: Deed, available: int, deed_id: str) -> Card:
    key = "admin-confirm-take" if deed.kind is DeedKind.TAKE else "admin-confirm-grant"
    text = say(
        language,
        key,
        credits=counted_credits(language, deed.credits),
        user=str(deed.tg_user_id),
        reason=deed.reason,
        available=counted_credits(language, available),
    )
    return Card(text, yes_or_no(language, deed_id))


def confirm_refund(language: Language, deed: Deed, amount: str, available: int, deed_id: str) -> Card:
    """`amount` as `paid_amount` writes it."""
    text = say(
        language,
        "admin-confirm-refund-forced" if deed.forced else "admin-confirm-refund",
        amount=amount,
        user=str(deed.tg_user_id),
        credits=counted_credits(language, deed.credits),
        available=counted_credits(language, available),
        charge=deed.charge_id,
    )
    return Card(text, yes_or_no(language, deed_id))


def confirm_refund_again(
    language: Language, deed: Deed, amount: str, state: PaymentState, deed_id: str
) -> Card:
    """Nothing is taken any more: the provider is asked once more."""
    text = say(
        language,
        "admin-confirm-refund-again",
        amount=amount,
        user=str(deed.tg_user_id),
        state=payment_state(language, state),
        charge=deed.charge_id,
    )
    return Card(text, yes_or_no(language, deed_id))


def yes_or_no(language: Language, deed_id: str) -> Rows:
    yes = button(language, "admin-yes", f"yes.{deed_id}")
    return ((yes, button(language, "admin-no", f"no.{deed_id}")),)


def done_credits(language: Language, deed: Deed, available: int) -> Card:
    key = "admin-done-take" if deed.kind is DeedKind.TAKE else "admin-done-grant"
    given, left = counted_credits(language, deed.credits), counted_credits(language, available)
    return sentence(language, key, credits=given, user=str(deed.tg_user_id), available=left)


def declined(language: Language) -> Card:
    return sentence(language, "admin-declined")


def too_many(language: Language, tg_user_id: int, available: int) -> Card:
    left = counted_credits(language, available)
    return sentence(language, "admin-too-many", user=str(tg_user_id), available=left)


_REFUND_OUTCOMES: Final = {
    "begun": "admin-refund-begun",
    "continued": "admin-refund-continued",
    "refunded": "admin-refund-refunded",
    "unknown": "admin-refund-unknown",
}


def refund_outcome(language: Language, outcome: str, charge_id: str) -> Card:
    """`outcome` as the payments name it."""
    return sentence(language, _REFUND_OUTCOMES[outcome], charge=charge_id)


def refund_spent(language: Language, deed: Deed, missing_credits: int) -> Card:
    missing = counted_credits(language, missing_credits)
    text = say(language, "admin-refund-spent", charge=deed.charge_id, missing=missing)
    return Card(text, ((_force_button(language, deed),), panel_row(language)))


def _force_button(language: Language, deed: Deed) -> Button:
    return button(language, "admin-force", f"force.{deed.tg_user_id}.{deed.reference}")


def credits_changed(language: Language, deed: Deed, available: int, support_contact: str) -> Card:
    """For the user."""
    given, left = counted_credits(language, deed.credits), counted_credits(language, available)
    if deed.kind is DeedKind.TAKE:
        return Card(say(language, "credits-taken", credits=given, available=left, support=support_contact))
    order = Button(label(language, "button-new-order"), Action.NEW_ORDER)
    return Card(say(language, "credits-granted", credits=given, available=left), ((order,),))
