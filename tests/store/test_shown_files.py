from store.database import Database
from store.shown_files import ShownFiles


async def test_a_file_is_remembered_by_name_and_replaced(database: Database) -> None:
    shown = ShownFiles(database)
    assert await shown.file_id("templates") is None
    await shown.keep("templates", "first")
    await shown.keep("other", "another")
    await shown.keep("templates", "second")
    assert await shown.file_id("templates") == "second"
    assert await shown.file_id("other") == "another"
