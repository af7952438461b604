"""Pictures of ours that Telegram has already: its file id, by our name."""

from store.database import Database


class ShownFiles:
    def __init__(self, database: Database) -> None:
        self._database = database
