"""Cards that can buy. The order bought with one has the same id."""

from dataclasses import asdict, dataclass

from domain.clock import Clock
from domain.ids import new_draft_id
from domain.orders import AS_IT_COMES, Brief, Language, Origin, Photo, Template, VideoOptions
from store.database import Database, Row, load_queries

_queries = load_queries("drafts")


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
    origin: Origin = Origin.DIALOG
    source_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    id: str
    offer: DraftOffer
    card_message_id: int | None = None
    superseded: bool = False
    ordered: bool = False


class Drafts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, user_id: int, offer: DraftOffer) -> Draft:
        draft = Draft(new_draft_id(), offer)
        async with self._database.connection() as connection:
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
                now=self._clock(),
            )
        return draft

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


def _draft(row: Row) -> Draft:
    offer = DraftOffer(
        brief=Brief(Template(row["template"]), row["product_text"], row["wishes"], row["own_prompt"]),
        photo=Photo(row["photo_file_id"], row["photo_unique_id"], row["card_file_id"]),
        video_count=row["video_count"],
        price_credits=row["price_credits"],
        language=Language(row["language"]),
        options=VideoOptions(row["aspect_ratio"], row["video_seconds"]),
        views=tuple(Photo(**view) for view in row["views"]),
        origin=Origin(row["origin"]),
        source_order_id=row["source_order_id"],
    )
    return Draft(row["id"], offer, row["card_message_id"], row["superseded"], row["ordered"])
