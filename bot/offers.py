"""What a confirm card will offer: from the dialog's answers, from photos, at today's price."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.dialog import DialogData, OtherProduct, Shot
from bot.turn import Turn
from domain.orders import Brief, Photo, Template
from domain.video_options import offered_options, price_credits
from store.drafts import BriefMessages, DraftOffer

VIEWS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """Photos, and what they are: views of one product, or a product each. '' where nothing was written."""

    photo: Photo
    views: tuple[Photo, ...] = ()
    others: tuple[OtherProduct, ...] = ()
    product_text: str = ""
    message_id: int | None = None


def one_product(shots: Sequence[Shot]) -> Shown:
    """Captions of all parts are one text; edited it can be where it is one message."""
    first, *further = shots
    captioned = [shot for shot in shots if shot.caption] or [first]
    return Shown(
        first.photo,
        views=tuple(shot.photo for shot in further[:VIEWS_MAX]),
        product_text="\n".join(shot.caption for shot in captioned),
        message_id=captioned[0].message_id if len(captioned) == 1 else None,
    )


def several_products(shots: Sequence[Shot]) -> Shown:
    """One caption is for all of them; several are each for its own photo."""
    first, *further = shots
    captioned = [shot for shot in shots if shot.caption]
    if len(captioned) > 1:
        others = tuple(OtherProduct(shot.photo, shot.caption, shot.message_id) for shot in further)
        return Shown(first.photo, others=others, product_text=first.caption, message_id=first.message_id)
    said = next(iter(captioned), first)
    others = tuple(OtherProduct(shot.photo) for shot in further)
    return Shown(first.photo, others=others, product_text=said.caption, message_id=said.message_id)


def offer_of(turn: Turn, data: DialogData, photo: Photo, video_count: int) -> DraftOffer:
    """The answers of the dialog, or what was kept of an earlier order."""
    if data.brief is None:
        raise ValueError("an offer needs a brief")
    base = DraftOffer(
        applicable(data.brief),
        photo,
        video_count,
        turn.parts.price_credits,
        turn.language,
        options=data.options,
        views=data.views,
        messages=applicable_messages(data.brief.template, data.messages),
    )
    return priced(turn, base)


def priced(turn: Turn, wanted: DraftOffer) -> DraftOffer:
    """At today's price, with what is left of the options that were chosen once."""
    options = offered_options(turn.parts.shop.video_models, wanted.options)
    price = price_credits(options, turn.parts.price_credits)
    return replace(wanted, options=options, price_credits=price, language=turn.language)


def with_photos(base: DraftOffer, shown: Shown) -> list[DraftOffer]:
    """Everything else is kept; a caption is the product text now."""
    text = shown.product_text or None
    first = _about(replace(base, photo=shown.photo, views=shown.views), text, shown.message_id)
    return [first, *with_others(first, shown.others)]


def with_others(first: DraftOffer, others: Sequence[OtherProduct]) -> list[DraftOffer]:
    """The same brief for each further product of an album."""
    return [
        _about(replace(first, photo=each.photo, views=()), each.product_text, each.message_id)
        for each in others
    ]


def applicable(brief: Brief) -> Brief:
    """Only the texts that the template makes use of."""
    if brief.template is Template.OWN:
        return Brief(Template.OWN, own_prompt=brief.own_prompt)
    return Brief(brief.template, brief.product_text, brief.wishes)


def applicable_messages(template: Template, messages: BriefMessages) -> BriefMessages:
    if template is Template.OWN:
        return BriefMessages(own_prompt=messages.own_prompt)
    return BriefMessages(messages.product_text, messages.wishes)


def _about(base: DraftOffer, product_text: str | None, message_id: int | None) -> DraftOffer:
    """None: the text stays. An own prompt says everything by itself."""
    if product_text is None or base.brief.template is Template.OWN:
        return base
    return replace(
        base,
        brief=replace(base.brief, product_text=product_text),
        messages=replace(base.messages, product_text=message_id),
    )
