"""What the chat shows at each step, and the confirm card."""

from collections.abc import Sequence

from bot import busy, terms
from bot.examples import show_templates
from bot.questions import asks_for_template, question
from bot.states import Step
from bot.turn import Turn, patiently
from clients.opened import PHOTO_BYTES_MAX, PictureRefused
from clients.telegram import TelegramRefused
from domain.actions import Card
from domain.failures import FailureReason
from domain.orders import VIDEO_COUNTS
from store.drafts import Draft, DraftOffer
from texts import cards, change_cards, option_cards


async def hint(turn: Turn, key: str) -> None:
    """One sentence before the open question."""
    await turn.say(cards.hint(turn.language, key, question(turn)))


async def ask(turn: Turn) -> None:
    """The open question once more; at the confirm step a fresh copy of each open card."""
    drafts = await open_drafts(turn)
    if turn.dialog.step is Step.confirm:
        await show_drafts(turn, drafts)
    elif asks_for_template(turn) and turn.parts.offers_templates:  # the picture shows all three
        await show_templates(turn, question(turn))
    else:
        await turn.say(question(turn))


async def stale(turn: Turn) -> None:
    """An old card's button: say so, and show where we are."""
    await turn.say(cards.sentence(turn.language, "stale-card"))
    await ask(turn)


async def open_drafts(turn: Turn) -> list[Draft]:
    """Those this step is about; the step is left where all of them were bought or replaced meanwhile."""
    found = []
    for draft_id in turn.dialog.draft_ids:
        draft = await buying_draft(turn, draft_id)
        if draft is not None:
            found.append(draft)
        else:
            await turn.dialog.leave(draft_id)
    if not found and turn.dialog.draft_ids:
        return await open_drafts(turn)  # a change was left: now it is about the cards before it
    return found


async def open_draft(turn: Turn) -> Draft | None:
    return next(iter(await open_drafts(turn)), None)


async def buying_draft(turn: Turn, draft_id: str) -> Draft | None:
    """A draft of this user whose Generate still places an order. '' is none."""
    draft = await turn.parts.drafts.get(draft_id, turn.user.tg_user_id) if draft_id else None
    return draft if draft is not None and draft.buys else None


async def drop_draft(turn: Turn) -> None:
    """A new order begins: the open card no longer buys. Several stay, each stands for itself."""
    if len(turn.dialog.confirmed_ids) == 1:
        await drop_drafts(turn)


async def drop_drafts(turn: Turn) -> None:
    for draft_id in turn.dialog.confirmed_ids:
        await turn.parts.drafts.supersede(draft_id, turn.user.tg_user_id)


async def offer(turn: Turn, wanted: DraftOffer, *, joins_dialog: bool = True) -> None:
    """A new confirm card. A dialog half-way through stays where it is unless the card belongs to it."""
    await offer_all(turn, (wanted,), joins_dialog=joins_dialog)


async def offer_all(turn: Turn, offers: Sequence[DraftOffer], *, joins_dialog: bool = True) -> None:
    drafts = await turn.parts.drafts.create_all(turn.user.id, offers)
    if joins_dialog or turn.dialog.step in (None, Step.confirm):
        first, *others = (draft.id for draft in drafts)
        changes = {"draft_id": first, "other_draft_ids": tuple(others)}
        await turn.dialog.restart(Step.confirm, turn.dialog.data.fresh().model_copy(update=changes))
    await show_drafts(turn, drafts)


async def offer_instead(turn: Turn, draft_id: str, offers: Sequence[DraftOffer]) -> None:
    """New confirm cards in the place of one that no longer buys."""
    drafts = await turn.parts.drafts.change(draft_id, turn.user.tg_user_id, offers)
    if drafts is None:
        await turn.dialog.leave(draft_id)
        await stale(turn)
        return
    await turn.dialog.take_over(draft_id, tuple(draft.id for draft in drafts))
    await show_drafts(turn, drafts)


async def show_drafts(turn: Turn, drafts: Sequence[Draft]) -> None:
    for draft in drafts:
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


async def redraw(turn: Turn, draft: Draft) -> None:
    """The same card with other words; a copy of it where Telegram no longer edits it."""
    message_id = draft.card_message_id
    if message_id is None:
        await show_draft(turn, draft)
        return
    card = await _confirm_card(turn, draft)
    try:
        await patiently(lambda: turn.parts.telegram.edit_caption(turn.chat_id, message_id, card))
    except TelegramRefused:
        await show_draft(turn, draft)


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
        details=_details(turn, wanted),
        notes=[note for note in notes if note],
    )


def _details(turn: Turn, wanted: DraftOffer) -> list[str]:
    options = option_cards.options_line(turn.language, wanted.options)
    photos = 1 + len(wanted.views)
    views = change_cards.views_line(turn.language, photos) if wanted.views else ""
    return [line for line in (options, views) if line]


async def _as_photo(turn: Turn, file_id: str) -> bytes:
    """Telegram does not show a document's file_id as a photo: it is sent anew, as one."""
    data = await download(turn, file_id)
    return (await turn.parts.confined.prepare_photo(data)).jpeg


async def download(turn: Turn, file_id: str) -> bytes:
    return await patiently(lambda: turn.parts.telegram.download(file_id, PHOTO_BYTES_MAX))


async def _photo_gone(turn: Turn, draft: Draft) -> None:
    """Telegram no longer shows the photo: the brief is kept, another one is asked for."""
    await turn.parts.drafts.supersede(draft.id, turn.user.tg_user_id)
    await turn.dialog.leave(draft.id)
    if turn.dialog.step is not Step.confirm:  # the other cards of an album stay
        wanted = draft.offer
        data = turn.dialog.data.fresh().with_brief(wanted.brief, wanted.video_count, wanted.options)
        await turn.dialog.restart(Step.photo, data)
    await turn.say(cards.photo_refused(turn.language, FailureReason.PHOTO_GONE))


def affordable_count(available: int, price_credits: int, wanted_count: int) -> int:
    """The largest count on offer below the wanted one that the credits pay for; 0: none."""
    return max(
        (count for count in VIDEO_COUNTS if count < wanted_count and count * price_credits <= available),
        default=0,
    )
