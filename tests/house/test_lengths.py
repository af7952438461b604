"""What the linter cannot say: how long a function and a file may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 450
SOURCES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def line_count(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {line_count(function)} lines"
        for path in SOURCES
        for function in functions(path)
        if line_count(function) > FUNCTION_LINES_MAX
    ]
    assert not too_long, "\n".join(too_long)


def test_no_file_is_a_drawer_for_everything() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in SOURCES}
    too_long = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > FILE_LINES_MAX]
    assert not too_long, "\n".join(too_long)
