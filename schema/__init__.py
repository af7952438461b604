"""The database as SQL: migrations in order, and named queries, one file per part of the store."""

from pathlib import Path
from typing import Final

MIGRATIONS_DIR: Final = Path(__file__).parent / "migrations"
QUERIES_DIR: Final = Path(__file__).parent / "queries"
