"""A part of an album arrives: usually before the album is answered, on a busy evening after it."""

from bot.pictures import Picture
from bot.states import Step
from bot.turn import Turn
from store.albums import Album


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


def _begun_with(turn: Turn, unique_ids: frozenset[str]) -> bool:
    photo = turn.dialog.data.photo
    return turn.dialog.step is Step.template and photo is not None and photo.unique_id in unique_ids
