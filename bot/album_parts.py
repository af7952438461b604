"""A part of an album arrives: usually before the album is answered, on a busy evening after it."""

from typing import Final

from bot.dialog import Shot
from bot.pictures import Picture, shot_or_reason
from bot.states import Step
from bot.turn import Turn
from store.albums import Album

PHOTOS_MAX: Final = 10  # Telegram's own limit


async def collect_part(turn: Turn, album: Album, picture: Picture) -> None:
    """The collector goes on when no more come; a late one is taken up while nothing followed the answer."""
    albums = turn.parts.albums
    answered = await albums.collect(album, picture.message_id, picture.as_json())
    if not answered:
        return
    unique_ids = await albums.unique_ids(album)
    if _begun_with(turn, unique_ids):
        await turn.dialog.close()
        await albums.reopen(album)
    elif unique_ids & {shot.photo.unique_id for shot in turn.dialog.data.pending}:
        await albums.reopen(album)


async def join_late_parts(turn: Turn) -> None:
    """Who answers the question about an album means all of it, though more came after it was asked."""
    pending = turn.dialog.data.pending
    known = [shot.message_id for shot in pending]
    albums = turn.parts.albums
    album = await albums.reopened(turn.user.tg_user_id, known) if known else None
    if album is None:
        return
    pictures = [Picture.read(each) for each in await albums.pictures(album)][:PHOTOS_MAX]
    late = [await shot_or_reason(turn, each) for each in pictures if each.message_id not in known]
    await turn.dialog.keep({"pending": (*pending, *(each for each in late if isinstance(each, Shot)))})
    await albums.mark_taken(album)


def _begun_with(turn: Turn, unique_ids: frozenset[str]) -> bool:
    photo = turn.dialog.data.photo
    return turn.dialog.step is Step.template and photo is not None and photo.unique_id in unique_ids
