"""SQL stands in files and in constants: it is never put together from pieces."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.unit

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("activities", "bot", "clients", "domain", "local", "store", "web", "workflows")
RUNS_SQL: Final = frozenset(
    {
        "execute",
        "executemany",
        "fetch",
        "fetchrow",
        "fetchval",
        "fetchmany",
        "cursor",
        "prepare",
        "copy_from_query",
    }
)

# Where a statement is no constant, and why. Nothing that anybody sent gets there.
EXCEPTIONS: Final = {
    "local/postgres.py",  # names of databases and of our own login: `create database` takes no parameters
    "store/migrate.py",  # psycopg's own quoting of two names in `grant`
}
S608_EXCEPTIONS: Final = {"local/postgres.py": 2}


def sources() -> Iterator[Path]:
    for folder in PRODUCT:
        yield from sorted((ROOT / folder).rglob("*.py"))
    yield from sorted(ROOT.glob("*.py"))


def constants(tree: ast.Module) -> set[str]:
    """Names at the top of a file that stand for one text."""
    found: set[str] = set()
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def built(source: str) -> list[int]:
    """Lines that run a statement which is no constant."""
    tree = ast.parse(source)
    named = constants(tree)
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in RUNS_SQL
        and node.args
        and not _is_constant(node.args[0], named)
    ]


def _is_constant(statement: ast.expr, named: set[str]) -> bool:
    if isinstance(statement, ast.Name):
        return statement.id in named
    return isinstance(statement, ast.Constant) and isinstance(statement.value, str)


def test_no_statement_is_put_together() -> None:
    found = {str(path.relative_to(ROOT)) for path in sources() if built(path.read_text())}
    assert found == EXCEPTIONS


def test_the_linters_exceptions_are_these() -> None:
    found = {
        str(path.relative_to(ROOT)): len(re.findall(r"noqa: [A-Z0-9, ]*S608", path.read_text()))
        for path in sources()
    }
    assert {name: count for name, count in found.items() if count} == S608_EXCEPTIONS


def test_queries_run_no_text_as_sql() -> None:
    for path in sorted((ROOT / "schema" / "queries").glob("*.sql")):
        assert not re.search(r"\bexecute\b", re.sub(r"--.*", "", path.read_text())), path


@pytest.mark.parametrize(
    "statement",
    [
        'connection.execute(f"delete from users where id = {number}")',
        'connection.fetch("select * from " + table)',
        'connection.fetchrow("select * from users where id = %s" % number)',
        'connection.fetchval("select {}".format(number))',
        "connection.execute(statement)",
    ],
)
def test_what_is_put_together_is_found(statement: str) -> None:
    assert built(statement) == [1]


def test_what_is_whole_is_no_matter() -> None:
    assert built('_ALL = "select 1"\nconnection.fetch(_ALL)\nconnection.execute("select $1", given)') == []
