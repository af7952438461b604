"""An order as its row has it."""

from dataclasses import dataclass
from datetime import datetime

from domain.failures import FailureClass, FailureReason
from domain.orders import Brief, Language, OrderState, Photo, Template, VideoOptions
from store.database import Row


@dataclass(frozen=True, slots=True)
class OrderRow:
    id: str
    user_id: int
    tg_user_id: int | None
    blocked: bool
    video_count: int
    language: Language
    state: OrderState
    failure_class: FailureClass | None
    failure_reason: FailureReason
    photo_media_key: str | None
    photo_width: int
    photo_height: int
    created_at: datetime
    deadline_at: datetime
    brief: Brief
    photo: Photo
    options: VideoOptions
    views: tuple[Photo, ...]
    view_media_keys: tuple[str, ...]


def order_row(row: Row) -> OrderRow:
    return OrderRow(
        id=row["id"],
        user_id=row["user_id"],
        tg_user_id=row["tg_user_id"],
        blocked=row["blocked_at"] is not None,
        video_count=row["video_count"],
        language=Language(row["language"]),
        state=OrderState(row["state"]),
        failure_class=FailureClass(row["failure_class"]) if row["failure_class"] else None,
        failure_reason=FailureReason(row["failure_reason"]),
        photo_media_key=row["photo_media_key"],
        photo_width=row["photo_width"] or 0,
        photo_height=row["photo_height"] or 0,
        created_at=row["created_at"],
        deadline_at=row["deadline_at"],
        brief=Brief(Template(row["template"]), row["product_text"], row["wishes"], row["own_prompt"]),
        photo=Photo(row["photo_file_id"], row["photo_unique_id"], row["card_file_id"]),
        options=VideoOptions(row["aspect_ratio"], row["video_seconds"]),
        views=tuple(Photo(**view) for view in row["views"]),
        view_media_keys=tuple(row["view_media_keys"]),
    )
