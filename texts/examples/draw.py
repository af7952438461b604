"""Draws `templates.jpg` from `templates.html`, in Chromium. Run by hand after the drawing was changed."""

import asyncio
import io
import shutil
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import async_playwright

_FOLDER: Final = Path(__file__).parent
_SIZE: Final = (1280, 720)  # Telegram shows no photo larger
_QUALITY: Final = 86


async def draw(drawing: Path, target: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": _SIZE[0], "height": _SIZE[1]}, device_scale_factor=2)
        await page.goto(drawing.as_uri())
        shot = await page.screenshot()
        await browser.close()
    picture = Image.open(io.BytesIO(shot)).convert("RGB").resize(_SIZE, Image.Resampling.LANCZOS)
    picture.save(target, "JPEG", quality=_QUALITY, optimize=True, progressive=True)


if __name__ == "__main__":
    asyncio.run(draw(_FOLDER / "templates.html", _FOLDER / "templates.jpg"))
