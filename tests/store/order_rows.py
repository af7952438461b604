"""A user with credits and a draft, the shortest way."""

from dataclasses import dataclass
from datetime import timedelta

from domain.clock import utc_now
from domain.orders import Brief, Language, Photo, Template
from store.database import Database
from store.drafts import DraftOffer, Drafts
from store.ledger import Ledger
from store.orders import Orders
from store.users import Users
from store.videos import Videos

PHOTO = Photo("photo-file-id", "photo-unique-id", "card-file-id")


@dataclass(frozen=True)
class Rows:
    ledger: Ledger
    orders: Orders
    videos: Videos
    drafts: Drafts
    users: Users

    async def draft(self, tg_user_id: int = 1, video_count: int = 1) -> str:
        user = await self.users.register(tg_user_id, "en")
        offer = DraftOffer(Brief(Template.OWN, own_prompt="spin it"), PHOTO, video_count, 1, Language.EN)
        return (await self.drafts.create(user.id, offer)).id


def rows_of(database: Database, welcome_credits: int = 3) -> Rows:
    ledger = Ledger(database, utc_now)
    return Rows(
        ledger=ledger,
        orders=Orders(database, ledger, utc_now, timedelta(hours=1)),
        videos=Videos(database, ledger, utc_now),
        drafts=Drafts(database, utc_now),
        users=Users(database, ledger, utc_now, welcome_credits),
    )
