"""What photos are for: a new order, the open question, or the place of other ones."""

from dataclasses import replace
from enum import StrEnum

from bot.dialog import DialogData, Part, Shot
from bot.offers import (
    Shown,
    offer_of,
    one_product,
    priced,
    several_products,
    with_photos,
)
from bot.screens import ask, drop_draft, offer_all, offer_instead, open_drafts, stale
from bot.states import Step
from bot.turn import Turn
from domain.orders import BRIEF_TEXT_CHARS_MAX, Template
from texts import cards, change_cards


class PhotoOrder(StrEnum):
    """Which order photos are for, as a button carries it."""

    OPEN = "open"
    NEW = "new"


async def arrive(turn: Turn, shots: tuple[Shot, ...]) -> None:
    """Usable photos start a draft, answer the question for one, or ask what they are for."""
    shots = await _with_short_captions(turn, shots)
    if not _awaits_photo(turn):
        await _leave_finished(turn)
    if _awaits_photo(turn):
        await use_or_ask(turn, shots, PhotoOrder.OPEN)
        return
    await turn.dialog.keep({"pending": shots})
    await turn.say(cards.replace_or_new(turn.language))


async def use_or_ask(turn: Turn, shots: tuple[Shot, ...], order: PhotoOrder) -> None:
    """Several photos may be one product, or several."""
    if len(shots) == 1:
        await use(turn, one_product(shots), order)
        return
    await turn.dialog.keep({"pending": shots})
    await turn.say(change_cards.one_or_several(turn.language, len(shots), order))


async def use_pending(turn: Turn, order: PhotoOrder, *, several: bool) -> None:
    shots = turn.dialog.data.pending
    if not shots:
        await stale(turn)
        return
    await use(turn, several_products(shots) if several else one_product(shots), order)


async def use(turn: Turn, shown: Shown, order: PhotoOrder) -> None:
    if len(shown.product_text) > BRIEF_TEXT_CHARS_MAX:  # the captions of an album together
        await turn.say(change_cards.caption_too_long(turn.language))
        shown = replace(shown, product_text="")
    data, step = turn.dialog.data, turn.dialog.step
    if order is PhotoOrder.NEW:
        await drop_draft(turn)
        await _begin(turn, shown)
    elif turn.dialog.draft_ids:
        await _change_draft(turn, shown)
    elif step not in (None, Step.photo):
        await _replace(turn, shown)
    elif data.brief is not None and data.video_count:
        await offer_all(turn, with_photos(offer_of(turn, data, shown.photo, data.video_count), shown))
    else:
        await _begin(turn, shown)


def _awaits_photo(turn: Turn) -> bool:
    return turn.dialog.step in (None, Step.photo) or turn.dialog.changed_part is Part.PHOTO


async def _leave_finished(turn: Turn) -> None:
    """What was bought meanwhile is left; so are several open cards: each stands for itself."""
    drafts = await open_drafts(turn)
    if turn.dialog.step is Step.confirm and len(drafts) > 1:
        await turn.dialog.close()


async def _with_short_captions(turn: Turn, shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
    """A caption that is too long is named once; an edit of it may still be the product text."""
    if all(len(shot.caption) <= BRIEF_TEXT_CHARS_MAX for shot in shots):
        return shots
    await turn.say(change_cards.caption_too_long(turn.language))
    return tuple(
        replace(shot, caption="") if len(shot.caption) > BRIEF_TEXT_CHARS_MAX else shot for shot in shots
    )


async def _begin(turn: Turn, shown: Shown) -> None:
    data = turn.dialog.data.fresh()
    await turn.dialog.restart(Step.template, data.model_copy(update=_photo_changes(data, shown)))
    await ask(turn)


async def _replace(turn: Turn, shown: Shown) -> None:
    """The open draft goes on with other photos. A caption answers the question for the product text."""
    data, step = turn.dialog.data, turn.dialog.step
    if step is Step.product_text and shown.product_text:
        step = Step.wishes
    await turn.dialog.move(step, _photo_changes(data, shown))
    await ask(turn)


def _photo_changes(data: DialogData, shown: Shown) -> dict[str, object]:
    changes: dict[str, object] = {
        "photo": shown.photo,
        "views": shown.views,
        "other_products": shown.others,
        "pending": (),
        "burst": None,
    }
    if data.template is Template.OWN or (data.product_text and not shown.product_text):
        return changes
    if shown.product_text or data.messages.product_text is None:
        changes["product_text"] = shown.product_text
        changes["messages"] = replace(data.messages, product_text=shown.message_id)
    return changes


async def _change_draft(turn: Turn, shown: Shown) -> None:
    draft_id = turn.dialog.draft_ids[0]
    draft = await turn.parts.drafts.get(draft_id, turn.user.tg_user_id)
    if draft is None:
        await stale(turn)
        return
    await offer_instead(turn, draft.id, with_photos(priced(turn, draft.offer), shown))
