"""A product worth a photo: a dropper bottle in the light of a late afternoon."""

import io
from functools import cache
from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH: Final = 1080
HEIGHT: Final = 1350

Color = tuple[int, int, int]
Box = tuple[int, int, int, int]


@cache
def product_picture() -> bytes:
    scene = _gradient((WIDTH, HEIGHT), (250, 214, 190), (233, 150, 122))
    _sun(scene)
    _podium(scene)
    _bottle(scene)
    target = io.BytesIO()
    scene.save(target, "JPEG", quality=92)
    return target.getvalue()


def _gradient(size: tuple[int, int], start: Color, end: Color, *, across: bool = False) -> Image.Image:
    steps = Image.linear_gradient("L").resize((256, 256))
    mask = (steps.rotate(90) if across else steps).resize(size, Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", size, end), Image.new("RGB", size, start), mask)


def _sun(scene: Image.Image) -> None:
    glow = _mask("ellipse", (170, 150, 910, 890)).filter(ImageFilter.GaussianBlur(3))
    scene.paste(_gradient(scene.size, (255, 240, 214), (255, 196, 140)), mask=glow)


def _podium(scene: Image.Image) -> None:
    shadow = _mask("ellipse", (150, 1090, 1010, 1330)).filter(ImageFilter.GaussianBlur(45))
    scene.paste((150, 70, 50), mask=shadow.point(lambda value: value // 3))
    side = _mask("rectangle", (210, 1130, 870, 1350))
    scene.paste(_gradient(scene.size, (247, 226, 208), (196, 128, 104), across=True), mask=side)
    scene.paste(
        _gradient(scene.size, (255, 244, 232), (240, 208, 186)), mask=_mask("ellipse", (210, 1060, 870, 1200))
    )


def _bottle(scene: Image.Image) -> None:
    shadow = _mask("ellipse", (390, 1090, 860, 1170)).filter(ImageFilter.GaussianBlur(22))
    scene.paste((120, 60, 40), mask=shadow.point(lambda value: value // 2))
    _shine(scene, (470, 300, 610, 470), 60, ((70, 52, 48), (28, 20, 20)))
    _shine(scene, (440, 450, 640, 560), 16, ((246, 214, 150), (168, 116, 56)))
    _shine(scene, (370, 545, 710, 1130), 70, ((176, 92, 34), (84, 34, 12)))
    glint = _mask("rounded", (402, 600, 424, 1080), 11).filter(ImageFilter.GaussianBlur(5))
    scene.paste((255, 226, 190), mask=glint.point(lambda value: value * 2 // 3))
    _label(scene)


def _shine(scene: Image.Image, box: Box, radius: int, colors: tuple[Color, Color]) -> None:
    """A round body: light on the left third, dark at both edges."""
    light, dark = colors
    width, height = box[2] - box[0], box[3] - box[1]
    left = _gradient((width // 3, height), dark, light, across=True)
    right = _gradient((width - width // 3, height), light, dark, across=True)
    body = Image.new("RGB", scene.size)
    body.paste(left, box[:2])
    body.paste(right, (box[0] + width // 3, box[1]))
    scene.paste(body, mask=_mask("rounded", box, radius))


def _label(scene: Image.Image) -> None:
    box = (370, 700, 710, 990)
    scene.paste(
        _gradient(scene.size, (255, 250, 242), (246, 226, 206), across=True), mask=_mask("rectangle", box)
    )
    pen = ImageDraw.Draw(scene)
    middle = (box[0] + box[2]) // 2
    for top, size, text in ((790, 76, "ALMA"), (862, 30, "apricot oil"), (930, 24, "30 ml")):
        pen.text((middle, top), text, fill=(110, 56, 34), font=ImageFont.load_default(size), anchor="mm")
    pen.line((middle - 60, 898, middle + 60, 898), fill=(214, 150, 110), width=3)


def _mask(shape: str, box: Box, radius: int = 0) -> Image.Image:
    """Drawn twice as large: smooth edges."""
    large = Image.new("L", (WIDTH * 2, HEIGHT * 2))
    pen = ImageDraw.Draw(large)
    twice = tuple(side * 2 for side in box)
    if shape == "ellipse":
        pen.ellipse(twice, fill=255)
    else:
        pen.rounded_rectangle(twice, radius * 2, fill=255)
    return large.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
