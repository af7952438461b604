from domain.orders import Brief, Language, Origin, Photo, Template
from store.database import Database
from store.drafts import DraftOffer
from store.orders import PlacementKind
from tests.store.order_rows import rows_of

OFFER = DraftOffer(
    brief=Brief(Template.AD, "a mug", "a beach"),
    photo=Photo("file", "unique"),
    video_count=3,
    price_credits=1,
    language=Language.EN,
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
