"""Cards that can buy. The order bought with one has the same id."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from domain.clock import Clock
from domain.ids import new_draft_id, successor_draft_id
from domain.orders import AS_IT_COMES, Brief, Language, Origin, Photo, Template, VideoOptions
from store.database import Connection, Database, Row, load_queries

_queries = load_queries("drafts")


@dataclass(frozen=True, slots=True)
class BriefMessages:
    """The user's own messages that hold the texts of a brief, for he may edit them."""

    product_text: int | None = None
    wishes: int | None = None
    own_prompt: int | None = None


NO_MESSAGES: Final = BriefMessages()


@dataclass(frozen=True, slots=True)
class DraftOffer:
    """What a card offers. `price_credits` is that of one video; `views` are further photos of the product."""

    brief: Brief
    photo: Photo
    video_count: int
    price_credits: int
    language: Language
    options: VideoOptions = AS_IT_COMES
    views: tuple[Photo, ...] = ()
    messages: BriefMessages = NO_MESSAGES
    origin: Origin = Origin.DIALOG
    source_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    id: str
    offer: DraftOffer
    card_message_id: int | None = None
    superseded: bool = False
    ordered: bool = False

    @property
    def buys(self) -> bool:
        """Its Generate still places an order."""
        return not (self.superseded or self.ordered)


@dataclass(frozen=True, slots=True)
class HeldText:
    """`told`: its user knows that edits come too late for it."""

    draft_id: str
    ordered: bool
    told: bool


class Drafts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, user_id: int, offer: DraftOffer) -> Draft:
        return (await self.create_all(user_id, (offer,)))[0]

    async def create_all(self, user_id: int, offers: Sequence[DraftOffer]) -> list[Draft]:
        """All or none."""
        drafts = [Draft(new_draft_id(), offer) for offer in offers]
        async with self._database.transaction() as connection:
            for draft in drafts:
                await self._insert(connection, user_id, draft)
        return drafts

    async def change(
        self, draft_id: str, tg_user_id: int, offers: Sequence[DraftOffer]
    ) -> list[Draft] | None:
        """Other cards take its place, and it no longer buys. None: it was bought or dropped before.

        Repeated after a crash it answers with the cards that took its place the first time.
        """
        drafts = [
            Draft(successor_draft_id(draft_id, number), offer) for number, offer in enumerate(offers, start=1)
        ]
        async with self._database.transaction() as connection:
            old = await _queries.lock_draft(connection, draft_id=draft_id, tg_user_id=tg_user_id)
            if old is None or await _queries.order_exists(connection, draft_id=draft_id):
                return None
            if await _queries.draft_exists(connection, draft_id=drafts[0].id):
                return await _stored(connection, drafts, tg_user_id)
            if old["superseded"]:
                return None
            await _queries.supersede_draft(
                connection, draft_id=draft_id, tg_user_id=tg_user_id, now=self._clock()
            )
            for draft in drafts:
                await self._insert(connection, old["user_id"], draft)
        return drafts

    async def _insert(self, connection: Connection, user_id: int, draft: Draft) -> None:
        offer = draft.offer
        await _queries.insert_draft(
            connection,
            id=draft.id,
            user_id=user_id,
            origin=offer.origin.value,
            source_order_id=offer.source_order_id,
            template=offer.brief.template.value,
            product_text=offer.brief.product_text,
            wishes=offer.brief.wishes,
            own_prompt=offer.brief.own_prompt,
            photo_file_id=offer.photo.file_id,
            photo_unique_id=offer.photo.unique_id,
            card_file_id=offer.photo.card_file_id,
            video_count=offer.video_count,
            price_credits=offer.price_credits,
            language=offer.language.value,
            aspect_ratio=offer.options.aspect_ratio,
            video_seconds=offer.options.seconds,
            views=[asdict(view) for view in offer.views],
            product_message_id=offer.messages.product_text,
            wishes_message_id=offer.messages.wishes,
            own_prompt_message_id=offer.messages.own_prompt,
            now=self._clock(),
        )

    async def get(self, draft_id: str, tg_user_id: int) -> Draft | None:
        """None for a draft that is not this user's."""
        async with self._database.connection() as connection:
            row = await _queries.read_draft(connection, draft_id=draft_id, tg_user_id=tg_user_id)
        return _draft(row) if row else None

    async def set_card(self, draft_id: str, chat_id: int, message_id: int, card_file_id: str) -> None:
        """Remember the message that shows the draft: it becomes the first placeholder."""
        async with self._database.connection() as connection:
            await _queries.set_card(
                connection,
                draft_id=draft_id,
                chat_id=chat_id,
                message_id=message_id,
                card_file_id=card_file_id,
            )

    async def supersede(self, draft_id: str, tg_user_id: int) -> None:
        """Its Generate no longer buys. An order that was placed with it stays."""
        async with self._database.connection() as connection:
            await _queries.supersede_draft(
                connection, draft_id=draft_id, tg_user_id=tg_user_id, now=self._clock()
            )

    async def edit(self, tg_user_id: int, message_id: int, words: str) -> list[Draft]:
        """The message reads otherwise now: every draft that can still be bought, with the new words."""
        held = {"tg_user_id": tg_user_id, "message_id": message_id, "words": words}
        async with self._database.transaction() as connection:
            locked = [row["id"] async for row in _queries.lock_drafts_of_message(connection, **held)]
            edited = _queries.edit_drafts(connection, draft_ids=locked, message_id=message_id, words=words)
            ids = [row["id"] async for row in edited]
        found = [await self.get(draft_id, tg_user_id) for draft_id in ids]
        return [draft for draft in found if draft is not None]

    async def held_in(self, tg_user_id: int, message_id: int, words: str) -> list[HeldText]:
        """Drafts, bought or not, whose text this message held with other words."""
        held = {"tg_user_id": tg_user_id, "message_id": message_id, "words": words}
        async with self._database.connection() as connection:
            rows = _queries.drafts_of_message(connection, **held)
            return [HeldText(row["id"], row["ordered"], row["told"]) async for row in rows]

    async def mark_late_edit_told(self, draft_ids: Sequence[str]) -> None:
        async with self._database.connection() as connection:
            await _queries.mark_late_edit_told(connection, draft_ids=list(draft_ids), now=self._clock())

    async def last_order_of_photo(self, tg_user_id: int, photo_unique_id: str) -> str | None:
        """The order that was last made from this very photo, if the user has one."""
        async with self._database.connection() as connection:
            order_id = await _queries.last_order_of_photo(
                connection, tg_user_id=tg_user_id, photo_unique_id=photo_unique_id
            )
        return str(order_id) if order_id else None


async def _stored(connection: Connection, drafts: Sequence[Draft], tg_user_id: int) -> list[Draft]:
    """As they were written: what a card says is what its Generate buys."""
    rows = [
        await _queries.read_draft(connection, draft_id=draft.id, tg_user_id=tg_user_id) for draft in drafts
    ]
    return [_draft(row) for row in rows if row]


def _draft(row: Row) -> Draft:
    offer = DraftOffer(
        brief=Brief(Template(row["template"]), row["product_text"], row["wishes"], row["own_prompt"]),
        photo=Photo(row["photo_file_id"], row["photo_unique_id"], row["card_file_id"]),
        video_count=row["video_count"],
        price_credits=row["price_credits"],
        language=Language(row["language"]),
        options=VideoOptions(row["aspect_ratio"], row["video_seconds"]),
        views=tuple(Photo(**view) for view in row["views"]),
        messages=BriefMessages(
            row["product_message_id"], row["wishes_message_id"], row["own_prompt_message_id"]
        ),
        origin=Origin(row["origin"]),
        source_order_id=row["source_order_id"],
    )
    return Draft(row["id"], offer, row["card_message_id"], row["superseded"], row["ordered"])
