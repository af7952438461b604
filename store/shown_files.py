"""Pictures of ours that Telegram has already: its file id, by our name."""

from store.database import Database, load_queries

_queries = load_queries("shown_files")


class ShownFiles:
    """A file id that Telegram no longer knows is replaced by the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def file_id(self, name: str) -> str | None:
        async with self._database.connection() as connection:
            file_id = await _queries.read_file_id(connection, name=name)
        return str(file_id) if file_id else None

    async def keep(self, name: str, file_id: str) -> None:
        async with self._database.connection() as connection:
            await _queries.keep_file_id(connection, name=name, file_id=file_id)
