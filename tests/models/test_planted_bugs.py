"""The models find bugs: each is planted in a copy of the sources, and the model there must fail."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from local.postgres import PostgresServer
from tests.models.plantings import LEDGER, PLANTINGS, Change, Planting
from tests.models.searching import EXAMPLES

ROOT = Path(__file__).parents[2]
PACKAGES = ("activities", "domain", "schema", "store", "workflows")
BESIDE = (
    "clients",
    "local",
    "prompts",
    "standins",
    "telemetry",
    "tests",
    "texts",
    "environment.py",
    "settings.py",
)
LEDGER_EXAMPLES = 40
SECONDS = 400
"""Of a search that takes a few on a machine with nothing else to do."""

pytestmark = pytest.mark.timeout(2 * SECONDS + 100)

FOUND = re.compile("AssertionError|WorkflowFailureError|errors.Flaky")
"""What a model says of a bug; anything else that ends the search proves nothing.

Of two at once without a lock a repetition may end otherwise: that is told as flaky.
"""


class Copy:
    """Our packages in a folder of their own; what is not copied is a link."""

    def __init__(self, folder: Path, changes: Sequence[Change] = ()) -> None:
        self.folder = folder
        changed = {change.path.split("/")[0] for change in changes}
        for name in (*PACKAGES, *BESIDE):
            if name in changed:
                shutil.copytree(ROOT / name, folder / name)
            elif (ROOT / name).exists():
                (folder / name).symlink_to(ROOT / name)

        for change in changes:
            path = folder / change.path
            path.write_text(change.made_in(path.read_text()))

    async def search(self, *arguments: str) -> tuple[int | None, str]:
        """What it says goes into a file: the servers it starts may outlive it by a moment."""
        said = self.folder / "said.txt"
        with said.open("w") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.models.search", *arguments),
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(self.folder)},
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                await asyncio.wait_for(process.wait(), SECONDS)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return process.returncode, said.read_text(errors="replace")


@pytest_asyncio.fixture
async def empty_database(postgres_server: PostgresServer) -> AsyncIterator[tuple[str, str]]:
    """Without tables: the copy brings its own schema."""
    name = f"planted_{uuid4().hex[:12]}"
    await postgres_server.create_database(name)
    yield postgres_server.program_url(name), postgres_server.url(name)
    await postgres_server.drop_database(name)


def search_for(planting: Planting, urls: tuple[str, str]) -> tuple[str, ...]:
    """In CI what is known to find it; with MODEL_EXAMPLES the search has to find it by itself."""
    if planting.example == LEDGER:
        return ("ledger", str(EXAMPLES or LEDGER_EXAMPLES), *urls)
    return ("order", str(EXAMPLES)) if EXAMPLES else ("example", planting.example)


@pytest.mark.parametrize("planting", PLANTINGS, ids=lambda each: each.name)
async def test_a_planted_bug_is_found(
    planting: Planting, tmp_path: Path, empty_database: tuple[str, str]
) -> None:
    copy = Copy(tmp_path, planting.changes)
    status, said = await copy.search(*search_for(planting, empty_database))
    assert (status, bool(FOUND.search(said))) == (1, True), said[-3_000:]


async def test_an_untouched_copy_is_sound(tmp_path: Path, empty_database: tuple[str, str]) -> None:
    copy = Copy(tmp_path)
    for search in (("ledger", "3", *empty_database), ("order", "1")):
        status, said = await copy.search(*search)
        assert status == 0, said[-3_000:]
