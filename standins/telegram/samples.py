"""Things a person sends without having a file at hand."""

import io
from functools import cache
from typing import Final

from PIL import Image, ImageDraw

from standins.movie import MovieOrder, make_movie, open_photo
from standins.telegram.errors import UserError
from standins.telegram.media import film_facts

_STICKER_SIDE: Final = 512
_FILM_SIDE_MAX: Final = 640


def as_mute_film(content: bytes) -> bytes:
    """An MP4 stays as it is; a GIF becomes one of its first frame, which is all anybody here looks at."""
    film = film_facts(content)
    if film and film.is_mp4:
        return content
    try:
        picture = open_photo(content)
    except OSError:
        raise UserError("this is neither a GIF nor an MP4") from None
    return _film_of(picture)


@cache
def sample_film() -> bytes:
    return _film_of(_drawn("RGB", 320, "steelblue"))


@cache
def sample_sticker() -> bytes:
    target = io.BytesIO()
    _drawn("RGBA", _STICKER_SIDE, (0, 0, 0, 0)).save(target, "WEBP")
    return target.getvalue()


def _film_of(picture: Image.Image) -> bytes:
    picture.thumbnail((_FILM_SIDE_MAX, _FILM_SIDE_MAX))
    width, height = (max(side // 2 * 2, 2) for side in picture.size)
    return make_movie(picture, MovieOrder(width=width, height=height, seconds=1.0, sound="none"))


def _drawn(mode: str, side: int, ground: str | tuple[int, ...]) -> Image.Image:
    image = Image.new(mode, (side, side), ground)
    draw = ImageDraw.Draw(image)
    edge = side // 16
    draw.ellipse((edge, edge, side - edge, side - edge), fill="gold", outline="orange", width=edge)
    for left in (side * 5 // 16, side * 9 // 16):
        draw.ellipse((left, side * 5 // 16, left + side // 8, side * 7 // 16), fill="saddlebrown")
    box = (side // 4, side // 3, side * 3 // 4, side * 3 // 4)
    draw.arc(box, 30, 150, fill="saddlebrown", width=edge)
    return image
