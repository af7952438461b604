"""Photo, template, texts, count."""

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, Message

from bot.answers import pass_over_rest, receive_text, skip
from bot.filters import Pressed
from bot.pictures import Picture, begin_anew, receive, replace
from bot.screens import ask, hint, offer, question, stale
from bot.states import TEXT_STEPS, Step
from bot.turn import Turn
from domain.actions import Action
from domain.orders import VIDEO_COUNTS, Template
from store.drafts import DraftOffer

_COUNTS = {str(count): count for count in VIDEO_COUNTS}
_SKIPPED = {"product": Step.product_text, "wishes": Step.wishes}


def router() -> Router:
    router = Router(name="dialog")
    router.message.register(collect_album, F.media_group_id)
    router.message.register(picture, F.photo | F.document)
    router.message.register(command, F.text.startswith("/"))
    router.message.register(text, F.text)
    router.callback_query.register(choose_template, Pressed(Action.TEMPLATE), StateFilter(Step.template))
    router.callback_query.register(skip_question, Pressed(Action.SKIP), StateFilter(*TEXT_STEPS))
    router.callback_query.register(choose_count, Pressed(Action.COUNT), StateFilter(Step.count))
    router.callback_query.register(replace_photo, Pressed(Action.PHOTO_REPLACE))
    router.callback_query.register(photo_for_new_order, Pressed(Action.PHOTO_NEW_ORDER))
    return router


async def collect_album(message: Message, turn: Turn) -> None:
    """Its parts come as messages of their own; the collector goes on when no more come."""
    await turn.parts.albums.collect(
        turn.user.tg_user_id, message.media_group_id or "", message.message_id, Picture.of(message).as_json()
    )


async def picture(message: Message, turn: Turn) -> None:
    await receive(turn, Picture.of(message))


async def command(_: Message, turn: Turn) -> None:
    await hint(turn, "unknown-command")


async def text(message: Message, turn: Turn) -> None:
    words = message.text or ""
    if await receive_text(turn, words, message.message_id):
        return
    await _explain(turn)
    await pass_over_rest(turn, words)


async def _explain(turn: Turn) -> None:
    """No text is asked for now."""
    step = turn.dialog.step
    if step in (None, Step.photo):
        await hint(turn, "need-photo")
    elif step is Step.confirm:
        await turn.say(question(turn))
    else:
        await hint(turn, "press-button")


async def choose_template(_: CallbackQuery, turn: Turn, argument: str) -> None:
    if argument not in _offered(turn):
        await stale(turn)
        return
    template = Template(argument)
    first = Step.own_prompt if template is Template.OWN else Step.product_text
    await turn.dialog.move(first, {"template": template, "burst": None})
    await ask(turn)


def _offered(turn: Turn) -> set[str]:
    """Without GPT nobody writes the script of the other templates."""
    return {each.value for each in Template} if turn.parts.offers_templates else {Template.OWN.value}


async def skip_question(_: CallbackQuery, turn: Turn, argument: str) -> None:
    """The own prompt cannot be skipped: nothing would be left to make a video of."""
    if _SKIPPED.get(argument) is not turn.dialog.step:
        await stale(turn)
        return
    await skip(turn)


async def choose_count(_: CallbackQuery, turn: Turn, argument: str) -> None:
    data = turn.dialog.data
    if argument not in _COUNTS or data.brief is None or data.photo is None:
        await stale(turn)
        return
    parts = turn.parts
    wanted = DraftOffer(data.brief, data.photo, _COUNTS[argument], parts.price_credits, turn.language)
    await offer(turn, wanted)


async def replace_photo(_: CallbackQuery, turn: Turn) -> None:
    photo = turn.dialog.data.pending_photo
    if photo is None:
        await stale(turn)
        return
    await replace(turn, photo)


async def photo_for_new_order(_: CallbackQuery, turn: Turn) -> None:
    photo = turn.dialog.data.pending_photo
    if photo is None:
        await stale(turn)
        return
    await begin_anew(turn, photo)
