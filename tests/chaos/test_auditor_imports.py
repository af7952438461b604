"""The auditor shares no code with what it judges."""

import ast
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.unit

_HERE: Final = Path(__file__).parent
_ITS_OWN: Final = ("auditor", "audit_rules", "audit_sql", "records")
_ALLOWED: Final = {"asyncpg", "httpx", "temporalio", *sys.stdlib_module_names}


def imported_by(source: str) -> set[str]:
    tree = ast.parse(source)
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    from_others = {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return plain | from_others


def strangers(names: set[str]) -> set[str]:
    own = {"tests.chaos", *(f"tests.chaos.{name}" for name in _ITS_OWN)}
    return {name for name in names if name not in own and name.partition(".")[0] not in _ALLOWED}


@pytest.mark.parametrize("name", _ITS_OWN)
def test_it_imports_nothing_of_the_product_nor_of_the_stand_ins(name: str) -> None:
    assert strangers(imported_by((_HERE / f"{name}.py").read_text())) == set()


def test_an_import_of_the_product_would_be_seen() -> None:
    source = "import json\nfrom domain.ids import video_id\ndef f():\n    import store.ledger"
    assert strangers(imported_by(source)) == {"domain.ids", "store.ledger"}
