"""What the chat shows at each step, and the confirm card."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiogram.fsm.state import State

from bot import busy, terms
from bot.states import Step
from bot.turn import Turn, patiently
from clients.pictures import PictureRefused, prepare_photo
from clients.telegram import TelegramRefused
from domain.actions import Card
from domain.failures import FailureReason
from domain.orders import VIDEO_COUNTS, Language
from store.drafts import Draft, DraftOffer
from texts import cards

_QUESTIONS: Final[dict[State, Callable[[Language], Card]]] = {
    Step.product_text: cards.ask_product_text,
    Step.wishes: cards.ask_wishes,
    Step.own_prompt: cards.ask_own_prompt,
    Step.count: cards.ask_count,
}


def question(turn: Turn) -> Card:
    """What is open now, in words. At the last step the confirm card itself is the question."""
    step = turn.dialog.step
    if step is None:
        return cards.main_menu(turn.language)
    if step is Step.photo:
        return cards.ask_photo(turn.language, brief_kept=turn.dialog.data.brief is not None)
    if step is Step.template:
        return cards.ask_template(turn.language, own_only=not turn.parts.offers_templates)
    if step is Step.confirm:
        return cards.sentence(turn.language, "press-generate")
    return _QUESTIONS[step](turn.language)


async def hint(turn: Turn, key: str) -> None:
    """One sentence before the open question."""
    await turn.say(cards.hint(turn.language, key, question(turn)))


async def ask(turn: Turn) -> None:
    """The open question once more; at the last step a fresh copy of the confirm card."""
    if turn.dialog.step is not Step.confirm:
        await turn.say(question(turn))
    elif (draft := await open_draft(turn)) is not None:
        await show_draft(turn, draft)
    else:
        await turn.say(cards.main_menu(turn.language))


async def stale(turn: Turn) -> None:
    """An old card's button: say so, and show where we are."""
    await turn.say(cards.sentence(turn.language, "stale-card"))
    await ask(turn)


async def open_draft(turn: Turn) -> Draft | None:
    """The draft of the confirm step; the step is left where it was bought or replaced meanwhile."""
    if turn.dialog.step is not Step.confirm:
        return None
    draft = await turn.parts.drafts.get(turn.dialog.data.draft_id, turn.user.tg_user_id)
    if draft is not None and not draft.ordered and not draft.superseded:
        return draft
    await turn.dialog.close()
    return None


async def drop_draft(turn: Turn) -> None:
    """The open confirm card no longer buys."""
    if turn.dialog.step is Step.confirm:
        await turn.parts.drafts.supersede(turn.dialog.data.draft_id, turn.user.tg_user_id)


async def offer(turn: Turn, wanted: DraftOffer, *, joins_dialog: bool = True) -> None:
    """A new confirm card. A dialog half-way through stays where it is unless the card belongs to it."""
    draft = await turn.parts.drafts.create(turn.user.id, wanted)
    if joins_dialog or turn.dialog.step in (None, Step.confirm):
        data = turn.dialog.data.fresh().with_brief(wanted.brief, wanted.video_count)
        shown = data.model_copy(update={"photo": wanted.photo, "draft_id": draft.id})
        await turn.dialog.restart(Step.confirm, shown)
    await show_draft(turn, draft)


async def show_draft(turn: Turn, draft: Draft) -> None:
    try:
        photo = draft.offer.photo.card_file_id or await _as_photo(turn, draft.offer.photo.file_id)
        sent = await turn.show(photo, await _confirm_card(turn, draft))
    except (TelegramRefused, PictureRefused):
        await _photo_gone(turn, draft)
        return
    shown_file_id = sent.photo_file_id or draft.offer.photo.card_file_id
    await turn.parts.drafts.set_card(draft.id, turn.chat_id, sent.message_id, shown_file_id)


async def _confirm_card(turn: Turn, draft: Draft) -> Card:
    wallet = await turn.parts.ledger.balance(turn.user.tg_user_id)
    wanted = draft.offer
    price_credits = wanted.video_count * wanted.price_credits
    notes = [await busy.note(turn, wanted.video_count), await terms.note(turn)]
    return cards.confirm(
        turn.language,
        wanted.brief,
        wanted.video_count,
        price_credits,
        wallet.available,
        draft.id,
        options=wanted.options,
        notes=[note for note in notes if note],
    )


async def _as_photo(turn: Turn, file_id: str) -> bytes:
    """Telegram does not show a document's file_id as a photo: it is sent anew, as one."""
    data = await download(turn, file_id)
    return (await asyncio.to_thread(prepare_photo, data)).jpeg


async def download(turn: Turn, file_id: str) -> bytes:
    return await patiently(lambda: turn.parts.telegram.download(file_id))


async def _photo_gone(turn: Turn, draft: Draft) -> None:
    """Telegram no longer shows the photo: the brief is kept, another one is asked for."""
    await turn.parts.drafts.supersede(draft.id, turn.user.tg_user_id)
    data = turn.dialog.data.fresh().with_brief(draft.offer.brief, draft.offer.video_count)
    await turn.dialog.restart(Step.photo, data)
    await turn.say(cards.photo_refused(turn.language, FailureReason.PHOTO_GONE))


def affordable_count(available: int, price_credits: int, wanted_count: int) -> int:
    """The largest count on offer below the wanted one that the credits pay for; 0: none."""
    return max(
        (count for count in VIDEO_COUNTS if count < wanted_count and count * price_credits <= available),
        default=0,
    )
