"""Any answer changed from the confirm card: one question, then a new card in the place of the old one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.dialog import Change, Part
from bot.offers import applicable, applicable_messages, priced
from bot.questions import prices_by_seconds
from bot.screens import ask, offer_instead, show_draft, stale
from bot.states import Step
from bot.turn import Turn
from domain.orders import Template
from domain.video_options import offered_ratios
from store.drafts import Draft, DraftOffer
from texts import change_cards

_FIELDS: Final = {Part.PRODUCT: "product_text", Part.WISHES: "wishes", Part.PROMPT: "own_prompt"}


async def show_change(turn: Turn, draft: Draft) -> None:
    await turn.say(change_cards.ask_change(turn.language, parts_of(turn, draft.offer), draft.id))


def parts_of(turn: Turn, offer: DraftOffer) -> list[Part]:
    """What this card has, and where there is more than one to choose from."""
    own = offer.brief.template is Template.OWN
    models = turn.parts.shop.video_models
    asked = {
        Part.PHOTO: True,
        Part.STYLE: turn.parts.offers_templates,
        Part.PRODUCT: not own,
        Part.WISHES: not own,
        Part.PROMPT: own,
        Part.COUNT: True,
        Part.FORMAT: len(offered_ratios(models)) > 0,
        Part.SECONDS: len(prices_by_seconds(turn, offer.options.aspect_ratio)) > 1,
    }
    return [part for part, is_asked in asked.items() if is_asked]


async def ask_for(turn: Turn, draft: Draft, part: Part, template: Template | None = None) -> None:
    resumed = turn.dialog.resumed
    change = Change(
        draft_id=draft.id,
        part=part,
        resumes=(resumed.state or "") if resumed else "",
        template=template,
        options=draft.offer.options,
    )
    await turn.dialog.move(Step.change, {"change": change, "burst": None, "pending": ()})
    await ask(turn)


async def leave_as_it_is(turn: Turn, draft: Draft) -> None:
    await turn.dialog.take_over(draft.id, (draft.id,))
    await show_draft(turn, draft)


async def change_text(turn: Turn, words: str, message_id: int | None) -> None:
    """'' where the question was skipped."""
    change = turn.dialog.data.change
    if change is None or change.part not in _FIELDS:
        await stale(turn)
        return
    field = _FIELDS[change.part]
    template = change.template

    def changed(old: DraftOffer) -> DraftOffer:
        brief = replace(old.brief, template=template or old.brief.template, **{field: words})
        messages = replace(old.messages, **{field: message_id})
        return _restyled(replace(old, brief=brief, messages=messages), brief.template)

    await apply(turn, changed)


async def change_style(turn: Turn, template: Template) -> None:
    """A style that needs a text which was never asked for asks for it first."""
    draft = await _changing(turn)
    if draft is None:
        await stale(turn)
        return
    brief = draft.offer.brief
    if template is Template.OWN and not brief.own_prompt:
        await ask_for(turn, draft, Part.PROMPT, template)
    elif template is not Template.OWN and brief.template is Template.OWN:
        await ask_for(turn, draft, Part.PRODUCT, template)
    else:
        await apply(turn, lambda old: _restyled(old, template))


async def apply(turn: Turn, changed: Callable[[DraftOffer], DraftOffer]) -> None:
    """Everything else is kept, at today's price."""
    draft = await _changing(turn)
    if draft is None:
        await stale(turn)
        return
    await offer_instead(turn, draft.id, [priced(turn, changed(draft.offer))])


async def _changing(turn: Turn) -> Draft | None:
    change = turn.dialog.data.change
    return await turn.parts.drafts.get(change.draft_id, turn.user.tg_user_id) if change else None


def _restyled(old: DraftOffer, template: Template) -> DraftOffer:
    """The texts that still apply stay."""
    return replace(
        old,
        brief=applicable(replace(old.brief, template=template)),
        messages=applicable_messages(template, old.messages),
    )
