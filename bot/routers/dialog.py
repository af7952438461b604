"""Photo, template, texts, count."""

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.state import State
from aiogram.types import CallbackQuery, Message

from bot.album_parts import collect_part, join_late_parts
from bot.answers import pass_over_rest, receive_text, skip
from bot.dialog import Part
from bot.filters import Pressed
from bot.offers import offer_of, with_others
from bot.photos import PhotoOrder, use_or_ask, use_pending
from bot.pictures import Picture, comes_from_us, receive, tell_ours
from bot.questions import offered_templates, question
from bot.routers.fallback import other_message
from bot.screens import ask, hint, offer_all, stale
from bot.states import TEXT_STEPS, Step
from bot.turn import Turn
from domain.actions import Action
from domain.orders import VIDEO_COUNTS, Template
from store.albums import Album

_COUNTS = {str(count): count for count in VIDEO_COUNTS}
_SKIPPED = {"product": Step.product_text, "wishes": Step.wishes}
_ORDERS = {order.value: order for order in PhotoOrder}


def pictures_router() -> Router:
    """Before all commands: what stands under a photo is a text, even where it begins with a slash."""
    router = Router(name="pictures")
    router.message.register(collect_album, F.media_group_id)
    router.message.register(ours, comes_from_us)
    router.message.register(picture, (F.photo | F.document) & ~F.animation)
    router.message.register(other_message, F.caption)
    return router


def router() -> Router:
    router = Router(name="dialog")
    router.message.register(command, F.text.startswith("/"))
    router.message.register(text, F.text)
    router.callback_query.register(choose_template, Pressed(Action.TEMPLATE), StateFilter(Step.template))
    router.callback_query.register(skip_question, Pressed(Action.SKIP), StateFilter(*TEXT_STEPS))
    router.callback_query.register(choose_count, Pressed(Action.COUNT), StateFilter(Step.count))
    router.callback_query.register(replace_photo, Pressed(Action.PHOTO_REPLACE))
    router.callback_query.register(photo_for_new_order, Pressed(Action.PHOTO_NEW_ORDER))
    router.callback_query.register(album_of_one, Pressed(Action.ALBUM_ONE))
    router.callback_query.register(album_of_several, Pressed(Action.ALBUM_SEVERAL))
    return router


async def collect_album(message: Message, turn: Turn) -> None:
    """Its parts come as messages of their own."""
    await collect_part(turn, Album(turn.user.tg_user_id, message.media_group_id or ""), Picture.of(message))


async def ours(message: Message, turn: Turn) -> None:
    await tell_ours(turn, Picture.of(message).unique_id)


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
    if step in (None, Step.photo) or turn.dialog.changed_part is Part.PHOTO:
        await hint(turn, "need-photo")
    elif step is Step.confirm:
        await turn.say(question(turn))
    else:
        await hint(turn, "press-button")


async def choose_template(_: CallbackQuery, turn: Turn, argument: str) -> None:
    if argument not in offered_templates(turn):
        await stale(turn)
        return
    template = Template(argument)
    await turn.dialog.move(_first_question(turn, template), {"template": template, "burst": None})
    await ask(turn)


def _first_question(turn: Turn, template: Template) -> State:
    """A caption was the product text."""
    if template is Template.OWN:
        return Step.own_prompt
    return Step.wishes if turn.dialog.data.product_text else Step.product_text


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
    first = offer_of(turn, data, data.photo, _COUNTS[argument])
    await offer_all(turn, [first, *with_others(first, data.other_products)])


async def replace_photo(_: CallbackQuery, turn: Turn) -> None:
    await _say_order(turn, PhotoOrder.OPEN)


async def photo_for_new_order(_: CallbackQuery, turn: Turn) -> None:
    await _say_order(turn, PhotoOrder.NEW)


async def _say_order(turn: Turn, order: PhotoOrder) -> None:
    if not turn.dialog.data.pending:
        await stale(turn)
        return
    await use_or_ask(turn, turn.dialog.data.pending, order)


async def album_of_one(_: CallbackQuery, turn: Turn, argument: str) -> None:
    await join_late_parts(turn)
    await use_pending(turn, _ORDERS.get(argument, PhotoOrder.OPEN), several=False)


async def album_of_several(_: CallbackQuery, turn: Turn, argument: str) -> None:
    await join_late_parts(turn)
    await use_pending(turn, _ORDERS.get(argument, PhotoOrder.OPEN), several=True)
