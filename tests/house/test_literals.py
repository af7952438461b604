"""Words that a person reads stand in texts/ and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("activities", "bot", "clients", "domain", "store", "web", "workflows")
SHOWN = {"Card": (0,), "Button": (0,), "acknowledge": (1, 2), "answer_callback_query": (1,)}
"""What puts words before a person, and which of its arguments hold them."""

_CYRILLIC = re.compile("[а-яА-ЯёЁ]{3,}")
_WORDS = re.compile(r"[A-Za-z]{2,}")

pytestmark = pytest.mark.unit


def sources() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def literals_shown(tree: ast.AST) -> Iterator[ast.Constant]:
    """String constants handed to whatever shows them; keys of texts are not shown."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        for place in SHOWN.get(name, ()):
            if place < len(call.args) and isinstance(found := call.args[place], ast.Constant):
                yield found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_words_for_people_outside_texts(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    russian = [
        f"line {node.lineno}: {node.value}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CYRILLIC.search(node.value)
    ]
    shown = [
        f"line {each.lineno}: {each.value}"
        for each in literals_shown(tree)
        if isinstance(each.value, str) and _WORDS.search(each.value)
    ]
    assert not russian + shown


def test_a_literal_is_seen() -> None:
    found = literals_shown(ast.parse('turn.say(Card("Hello there", ((Button(label, action),),)))'))
    assert [each.value for each in found] == ["Hello there"]
