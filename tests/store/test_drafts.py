import asyncio
from dataclasses import replace

from domain.orders import Brief, Language, Origin, Photo, Template, VideoOptions
from store.database import Database
from store.drafts import BriefMessages, DraftOffer, HeldText
from store.orders import PlacementKind
from tests.store.order_rows import rows_of

OFFER = DraftOffer(
    brief=Brief(Template.AD, "a mug", "a beach"),
    photo=Photo("file", "unique"),
    video_count=3,
    price_credits=1,
    language=Language.EN,
    options=VideoOptions("1:1", 10),
    views=(Photo("side", "side-unique"), Photo("back", "back-unique", "shown")),
    messages=BriefMessages(product_text=41, wishes=42),
    origin=Origin.RETRY,
    source_order_id="earlier",
)


async def test_a_draft_comes_back_as_it_was_and_only_to_its_owner(database: Database) -> None:
    rows = rows_of(database)
    user = await rows.users.register(1, "en")
    draft = await rows.drafts.create(user.id, OFFER)
    found = await rows.drafts.get(draft.id, 1)
    assert found == draft
    assert await rows.drafts.get(draft.id, 2) is None


async def test_its_card_is_remembered(database: Database) -> None:
    rows = rows_of(database)
    draft = await rows.drafts.create((await rows.users.register(1, "en")).id, OFFER)
    await rows.drafts.set_card(draft.id, 1, 77, "shown-file")
    found = await rows.drafts.get(draft.id, 1)
    assert found is not None
    assert (found.card_message_id, found.offer.photo.card_file_id) == (77, "shown-file")


async def test_a_superseded_draft_does_not_buy_and_a_bought_one_is_not_superseded(database: Database) -> None:
    rows = rows_of(database)
    first, second = await rows.draft(), await rows.draft()
    await rows.drafts.supersede(first, 2)  # somebody else
    await rows.drafts.supersede(second, 1)
    assert (await rows.orders.place(second, 1)).kind is PlacementKind.SUPERSEDED
    assert (await rows.orders.place(first, 1)).kind is PlacementKind.PLACED
    await rows.drafts.supersede(first, 1)
    found = await rows.drafts.get(first, 1)
    assert found is not None
    assert found.ordered
    assert not found.superseded


async def test_a_changed_draft_gives_way_to_new_ones(database: Database) -> None:
    rows = rows_of(database)
    old = await rows.drafts.create((await rows.users.register(1, "en")).id, OFFER)
    offers = (replace(OFFER, video_count=1), replace(OFFER, photo=Photo("other", "other-unique")))
    changed = await rows.drafts.change(old.id, 1, offers)
    assert changed is not None
    assert [draft.offer for draft in changed] == list(offers)
    assert [await rows.drafts.get(draft.id, 1) for draft in changed] == changed
    assert (await rows.orders.place(old.id, 1)).kind is PlacementKind.SUPERSEDED
    assert (await rows.orders.place(changed[0].id, 1)).kind is PlacementKind.PLACED


async def test_a_change_that_is_repeated_makes_nothing_new(database: Database) -> None:
    rows = rows_of(database)
    old = await rows.draft()
    first = await rows.drafts.change(old, 1, (OFFER,))
    assert first is not None
    assert await rows.drafts.change(old, 1, (OFFER,)) == first
    dearer = replace(OFFER, price_credits=OFFER.price_credits + 1)
    assert await rows.drafts.change(old, 1, (dearer,)) == first, "the card shows what its Generate buys"


async def test_what_was_bought_or_dropped_or_is_not_yours_does_not_change(database: Database) -> None:
    rows = rows_of(database)
    bought, dropped, yours = await rows.draft(), await rows.draft(), await rows.draft(tg_user_id=2)
    await rows.orders.place(bought, 1)
    await rows.drafts.supersede(dropped, 1)
    assert [await rows.drafts.change(each, 1, (OFFER,)) for each in (bought, dropped, yours)] == [None] * 3
    found = await rows.drafts.get(bought, 1)
    assert found is not None
    assert not found.superseded


async def test_a_change_beside_generate_either_wins_or_is_too_late(database: Database) -> None:
    rows = rows_of(database)
    old = await rows.draft()
    changed, placed = await asyncio.gather(rows.drafts.change(old, 1, (OFFER,)), rows.orders.place(old, 1))
    assert (changed is None) is (placed.kind is PlacementKind.PLACED)


async def test_an_edited_message_is_in_every_draft_that_still_buys(database: Database) -> None:
    rows = rows_of(database)
    user_id = (await rows.users.register(1, "en")).id
    first, second, dropped, bought = [await rows.drafts.create(user_id, OFFER) for _ in range(4)]
    await rows.drafts.supersede(dropped.id, 1)
    assert (await rows.orders.place(bought.id, 1)).kind is PlacementKind.PLACED
    edited = await rows.drafts.edit(1, 42, "a forest")
    assert {draft.id for draft in edited} == {first.id, second.id}
    assert {draft.offer.brief for draft in edited} == {Brief(Template.AD, "a mug", "a forest")}
    assert await rows.drafts.held_in(1, 42, "a forest") == [HeldText(bought.id, ordered=True, told=False)]
    kept = await rows.drafts.get(bought.id, 1)
    assert kept is not None
    assert kept.offer.brief.wishes == "a beach"
    await rows.drafts.mark_late_edit_told([bought.id])
    assert HeldText(bought.id, ordered=True, told=True) in await rows.drafts.held_in(1, 42, "a lake")


async def test_edits_of_others_and_of_other_messages_change_nothing(database: Database) -> None:
    rows = rows_of(database)
    draft = await rows.drafts.create((await rows.users.register(1, "en")).id, OFFER)
    await rows.users.register(2, "en")
    assert await rows.drafts.edit(2, 42, "a forest") == []
    assert await rows.drafts.edit(1, 43, "a forest") == []
    assert await rows.drafts.edit(1, 42, "a beach") == []  # Telegram reports edits that change no word
    assert await rows.drafts.held_in(1, 42, "a beach") == []
    assert await rows.drafts.get(draft.id, 1) == draft


async def test_an_edit_beside_generate_is_in_the_order_or_too_late(database: Database) -> None:
    rows = rows_of(database)
    draft = await rows.drafts.create((await rows.users.register(1, "en")).id, OFFER)
    edited, placed = await asyncio.gather(rows.drafts.edit(1, 42, "a forest"), rows.orders.place(draft.id, 1))
    assert placed.kind is PlacementKind.PLACED
    bought = (await rows.orders.read(draft.id)).brief.wishes
    assert bought == ("a forest" if edited else "a beach")


async def test_the_last_order_of_a_photo_is_found(database: Database) -> None:
    rows = rows_of(database)
    first, second, open_draft = await rows.draft(), await rows.draft(), await rows.draft()
    for draft_id in (first, second):
        await rows.orders.place(draft_id, 1)
    assert open_draft not in {first, second}
    assert await rows.drafts.last_order_of_photo(1, "photo-unique-id") == second
    assert await rows.drafts.last_order_of_photo(1, "never seen") is None
    assert await rows.drafts.last_order_of_photo(2, "photo-unique-id") is None
