"""Writes docs/screens.md: every screen of the bot with its texts. `make screens` runs it."""

from pathlib import Path
from typing import Final

from domain.actions import Card
from domain.orders import Language
from tests.texts.screens import SECTIONS, screens

TARGET: Final = Path(__file__).parents[2] / "docs" / "screens.md"
_HEAD: Final = """# Every screen

Written by `make screens` from the cards themselves, with made-up facts; a test fails when it is out of date.
A button is shown as `[ its label ]`; rows as they stand in the chat.
"""


def document() -> str:
    russian, english = screens(Language.RU), screens(Language.EN)
    parts = [_HEAD]
    for section in SECTIONS:
        parts.append(f"## {section}\n")
        parts += [
            _screen(name, card, english[section, name])
            for (where, name), card in russian.items()
            if where == section
        ]
    return "\n".join(parts)


def _screen(name: str, russian: Card, english: Card) -> str:
    return (
        f"### {name}\n\n<table><tr><th>Русский</th><th>English</th></tr><tr valign=top>"
        f"<td>{_shown(russian)}</td><td>{_shown(english)}</td></tr></table>\n"
    )


def _shown(card: Card) -> str:
    text = card.text.replace("\n", "<br>")
    rows = ["&nbsp; ".join(f"<code>[ {button.label} ]</code>" for button in row) for row in card.rows]
    return "<br>".join([text, *([""] if rows else []), *rows])


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
