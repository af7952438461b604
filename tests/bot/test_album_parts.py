"""Parts of an album that come after it was answered, as they do when many updates wait."""

from store.database import Database
from tests.bot.chat import Person, RunningBot, picture
from tests.bot.test_albums import ASKED, TEMPLATE, draft_of, part, sent_photos, to_confirm


async def test_a_late_part_makes_an_album_of_what_looked_like_one_photo(ann: Person) -> None:
    await part(ann, "slow")
    await ann.until(TEMPLATE)
    await part(ann, "slow", picture(color="red"))
    asked = await ann.until(ASKED)
    assert "2 photos" in asked["text"]
    (template,) = await ann.press("One product")
    assert TEMPLATE in template["text"]


async def test_a_late_part_joins_the_album_that_is_asked_about(ann: Person) -> None:
    await part(ann, "slow")
    await part(ann, "slow", picture(color="red"))
    await ann.until("2 photos")
    await part(ann, "slow", picture(color="blue"))
    await ann.until("3 photos")


async def test_the_answer_to_the_question_takes_the_parts_that_came_after_it_was_asked(
    ann: Person, bot: RunningBot
) -> None:
    await part(ann, "slow")
    await part(ann, "slow", picture(color="red"))
    asked = await ann.until("2 photos")
    await part(ann, "slow", picture(color="blue"))
    await ann.press("One product", message_id=asked["message_id"])
    (card,) = await to_confirm(ann)
    offer = (await draft_of(bot, ann, card)).offer
    assert [offer.photo.file_id, *(view.file_id for view in offer.views)] == await sent_photos(ann)


async def test_after_the_next_answer_a_late_part_changes_nothing(ann: Person, database: Database) -> None:
    await part(ann, "slow")
    await ann.until(TEMPLATE)
    await ann.press("UGC")
    await part(ann, "slow", picture(color="red"))
    await ann.settled()
    async with database.connection() as connection:
        answered = await connection.fetchval("select bool_or(taken_at is not null) from album_pictures")
    assert answered
    (count,) = await ann.press("Skip")
    assert "wishes" in count["text"]
