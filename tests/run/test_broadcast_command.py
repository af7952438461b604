"""`admin_main.py broadcast`: what is wrong is one sentence, and nobody is written to by mistake."""

import json
import os
from pathlib import Path

import pytest

from admin.broadcasting import Wording, duration_of
from admin.console import Refused
from domain.broadcasts import TEXT_UNITS_MAX
from domain.clock import utc_now
from domain.orders import Language
from store.broadcasts import Broadcasts
from store.database import Database
from tests.run.programs import Ended, ended
from tests.standins.telegram_parts import TOKEN, telegram
from tests.store.order_rows import rows_of

pytestmark = pytest.mark.timeout(600)  # several programs start, one after the other

BOTH = ("--ru", "Привет", "--en", "Hello", "--by", "tests")
NOBODY_LISTENS = "127.0.0.1:9"
# As in a container: the user has no name, and may read what he could before.
NAMELESS = "import os, admin_main; os.setreuid(54321, 0); admin_main.app()"


def settings(database_url: str, **more: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "TEMPORAL_ADDRESS": NOBODY_LISTENS, **more}


async def broadcast(given: dict[str, str], *arguments: str) -> Ended:
    return await ended("admin_main.py", "broadcast", *arguments, settings=given)


def refusal(text: str = "", path: Path | None = None) -> str:
    with pytest.raises(Refused) as refused:
        Wording(Language.RU, text, path).read()
    return str(refused.value)


def test_a_text_that_telegram_would_not_take_is_named(tmp_path: Path) -> None:
    latin, long = tmp_path / "latin.txt", tmp_path / "long.txt"
    latin.write_bytes("Größe".encode("latin-1"))
    long.write_text("🎬" * (TEXT_UNITS_MAX // 2) + "!", encoding="utf-8")
    assert "--ru TEXT or --ru-file FILE" in refusal()
    assert "one of the two" in refusal("Привет", long)
    assert "4,097" in refusal(path=long)
    assert "UTF-8" in refusal(path=latin)
    assert "nothing.txt cannot be read" in refusal(path=tmp_path / "nothing.txt")
    assert "is empty" in refusal("   ")
    assert "U+0000" in refusal("Привет\x00")
    long.write_text(" " + "🎬" * (TEXT_UNITS_MAX // 2) + "\n", encoding="utf-8")
    assert len(Wording(Language.RU, "", long).read()) == TEXT_UNITS_MAX // 2


async def test_one_language_is_not_enough(database_url: str) -> None:
    end = await broadcast(settings(database_url), "start", "--ru", "Привет", "--yes", "--by", "tests")
    assert (end.code, end.out) == (1, "")
    assert end.err == "say the text with --en TEXT or --en-file FILE, one of the two\n"


def test_it_says_how_long_it_takes_at_the_pace_it_can_keep() -> None:
    assert duration_of(1_000) == "less than a minute"
    assert duration_of(19 * 60 * 90) == "about 90 minutes or more"
    assert duration_of(1_200_000) == "about 17.5 hours or more"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without a name")
async def test_the_text_is_looked_at_before_anybody_is_asked_who_he_is(database_url: str) -> None:
    given = settings(database_url)
    start = ("-c", NAMELESS, "broadcast", "start", "--en", "Hello")
    wordless = await ended(*start, settings=given)
    tried = await ended(*start, "--ru", "Привет", "--test", settings={**given, "BOT_TOKEN": TOKEN})
    begun = await ended(*start, "--ru", "Привет", settings=given)
    assert "say the text with --ru TEXT" in wordless.err
    assert "set ADMIN_TG_IDS" in tried.err
    assert "nobody knows who you are here" in begun.err


async def test_nobody_is_written_to_without_a_yes_or_without_temporal(
    database: Database, database_url: str
) -> None:
    given = settings(database_url)
    nobody = await broadcast(given, "start", *BOTH, "--yes")
    assert (nobody.code, "nobody to write to" in nobody.err) == (1, True)
    await rows_of(database).users.register(77, "en")
    await rows_of(database).users.register(78, "ru")
    asked = await broadcast(given, "start", *BOTH)
    assert asked.code == 1
    assert "Write to 2 users? Nobody can be asked here: say --yes" in asked.err
    for shown in ("ru: 1 user\n", "Привет", "en: 1 user\n", "Hello"):
        assert shown in asked.out
    away = await broadcast(given, "start", *BOTH, "--yes")
    assert (away.code, "cannot go on without Temporal" in away.err) == (1, True)
    assert await Broadcasts(database, utc_now).latest(9) == []


async def test_what_is_not_there_and_what_is_for_programs(database: Database, database_url: str) -> None:
    given = settings(database_url)
    none = await broadcast(given, "progress")
    unknown = await broadcast(given, "cancel", "b", "--yes")
    assert (none.code, "no broadcast yet" in none.err) == (1, True)
    assert (unknown.code, "there is no broadcast b" in unknown.err) == (1, True)
    await rows_of(database).users.register(77, "en")
    rows = Broadcasts(database, utc_now)
    await rows.start("b", {language: language.value for language in (await rows.reachable())})
    cancelled = await broadcast(given, "cancel", "b", "--yes", "--json", "--by", "tests")
    assert cancelled.code == 0, "the row decides; Temporal need not be there"
    told = json.loads(cancelled.out)
    assert (told["state"], told["users_total"], told["left"]) == ("CANCELLED", 1, 1)
    listed = json.loads((await broadcast(given, "list", "--json")).out)
    assert [each["id"] for each in listed["broadcasts"]] == ["b"]
    resumed = await broadcast(given, "resume", "b")
    assert (resumed.code, "ended already" in resumed.err) == (1, True)
    async with database.connection() as connection:
        noted = await connection.fetchval("select details ->> 'by' from admin_actions where target = 'b'")
    assert noted == "tests"


async def test_it_can_be_tried_with_the_administrators(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with telegram(tmp_path / "telegram") as standin:
        boss = await standin.person("Boss")
        given = settings(database_url, BOT_TOKEN=TOKEN, TELEGRAM_API_BASE=standin.url)
        alone = await broadcast(given, "start", *BOTH, "--test")
        assert (alone.code, "ADMIN_TG_IDS" in alone.err) == (1, True)
        tried = await broadcast({**given, "ADMIN_TG_IDS": f"{boss.id},12345"}, "start", *BOTH, "--test")
        assert tried.code == 0, tried.err
        assert f"{boss.id}: sent" in tried.out
        assert "12345: not sent" in tried.out
        texts = [each["text"] for each in (await boss.messages())["messages"] if each["from_bot"]]
    assert texts == ["Привет", "Hello"]
    assert await Broadcasts(database, utc_now).latest(9) == []
