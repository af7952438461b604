"""Buttons of placed orders, and people who come back."""

import httpx

from bot.sweeper import Sweeper
from domain.actions import Action, Button
from domain.clock import utc_now
from domain.failures import Failure, FailureClass
from domain.ids import video_id
from domain.orders import MessagePurpose, VideoState
from standins.movie import MovieOrder, make_movie, open_photo
from store.database import Database
from store.messages import MessageKey, Messages
from tests.bot.chat import Person, RunningBot, button_data, labels, picture


async def placed(person: Person, count: str = "3") -> str:
    """The id of an order that was just bought."""
    await person.to_step("count")
    (card,) = await person.press(count)
    await person.press("Generate")
    return button_data(card, "Generate").split(":")[1]


def data(action: Action, argument: str) -> str:
    return Button("", action, argument).callback_data


async def test_more_is_a_new_card_and_charges_nothing(ann: Person, bot: RunningBot) -> None:
    await placed(ann, "1")
    (card,) = await ann.press("More of this product")
    assert card["kind"] == "photo"
    assert "Generate" in labels(card)[0]
    assert (await bot.parts.ledger.balance(ann.id)).available == 2
    await ann.press("Generate")
    assert len(bot.starts.started) == 2


async def test_more_leaves_an_open_dialog_where_it_was(ann: Person) -> None:
    order_id = await placed(ann, "1")
    await ann.to_step("wishes")
    (card,) = await ann.press_data(data(Action.MORE, order_id))
    assert card["kind"] == "photo"
    (count,) = await ann.text("On a beach")
    assert "How many" in count["text"]


async def test_try_again_offers_as_many_as_failed_for_now(ann: Person, bot: RunningBot) -> None:
    order_id = await placed(ann, "3")
    for number, failure_class in ((1, FailureClass.TEMPORARY), (2, FailureClass.TIMED_OUT)):
        await bot.parts.videos.settle(video_id(order_id, number), VideoState.FAILED, Failure(failure_class))
    (card,) = await ann.press_data(data(Action.TRY_AGAIN, order_id))
    assert "2 videos" in card["text"]
    await ann.press("Generate")
    assert len(bot.starts.started) == 2


async def test_try_again_without_a_failure_is_an_old_button(ann: Person) -> None:
    order_id = await placed(ann, "1")
    stale, _ = await ann.press_data(data(Action.TRY_AGAIN, order_id))
    assert "older card" in stale["text"]


async def test_another_photo_keeps_the_brief(ann: Person) -> None:
    await ann.to_step("wishes")
    await ann.text("On a beach")
    (card,) = await ann.press("1")
    await ann.press("Generate")
    order_id = button_data(card, "Generate").split(":")[1]
    (question,) = await ann.press_data(data(Action.ANOTHER_PHOTO, order_id))
    assert "keep everything else" in question["text"]
    (again,) = await ann.photo(picture(color="red"))
    assert "Wishes: On a beach" in again["text"]
    assert again["kind"] == "photo"


async def test_send_it_here_sends_the_file_telegram_has(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient
) -> None:
    order_id = await placed(ann, "1")
    first = video_id(order_id, 1)
    movie = make_movie(open_photo(picture()), MovieOrder(seconds=1, sound="silent"))
    await http.post(f"/control/users/{ann.id}/video", files={"video": ("v.mp4", movie, "video/mp4")})
    await ann.answers()
    own = [message for message in await ann.messages() if message["kind"] == "video"]
    await bot.parts.videos.keep_file_id(first, own[-1]["media"]["file_id"])
    await bot.parts.videos.settle(first, VideoState.DELIVERED)
    (sent,) = await ann.press_data(data(Action.SEND_HERE, first))
    assert sent["kind"] == "video"
    assert [label.split(" ", 1)[-1] for label in labels(sent)] == [
        "👍",
        "👎",
        "More of this product",
        "With changes",
        "Main menu",
    ]


async def test_what_telegram_does_not_have_is_sent_by_a_workflow(ann: Person, bot: RunningBot) -> None:
    order_id = await placed(ann, "1")
    first = video_id(order_id, 1)
    await ann.press_data(data(Action.SEND_HERE, first))
    assert await bot.resent() == [first]


async def test_what_belongs_to_others_is_an_old_button(
    ann: Person, http: httpx.AsyncClient, bot: RunningBot
) -> None:
    order_id = await placed(ann, "1")
    bob = await Person.join(http, 502)
    await bob.text("/start")
    for action, argument in (
        (Action.MORE, order_id),
        (Action.TRY_AGAIN, order_id),
        (Action.ANOTHER_PHOTO, order_id),
        (Action.SEND_HERE, video_id(order_id, 1)),
    ):
        stale, _ = await bob.press_data(data(action, argument))
        assert "older card" in stale["text"]
    assert bot.starts.resent == []


async def test_who_blocked_the_bot_is_told_once_and_gets_what_waited(ann: Person, bot: RunningBot) -> None:
    order_id = await placed(ann, "1")
    first = video_id(order_id, 1)
    await ann.do("block")
    await ann.settled()
    user = await bot.parts.users.find(ann.id)
    assert user is not None
    assert user.blocked
    await bot.parts.videos.settle(first, VideoState.WAITING)
    await ann.do("unblock")
    await ann.do("text", text="/start")
    shown = await ann.answers()
    assert [("while you were away" in message["text"]) for message in shown] == [True, False]
    assert set(bot.starts.resent) == {first}
    user = await bot.parts.users.find(ann.id)
    assert user is not None
    assert not user.blocked


async def test_who_came_back_before_the_refusal_was_settled_gets_the_video_all_the_same(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    """Once: what became of that sending nobody knows for sure, and then he asks himself."""
    first = video_id(await placed(ann, "1"), 1)
    await ann.do("block")
    await ann.do("unblock")
    await ann.settled()
    await bot.stop()  # its own sweeps
    await bot.parts.videos.settle(first, VideoState.WAITING)
    sweeper = Sweeper(bot.parts)
    await sweeper.sweep_waiting()
    assert bot.starts.resent == [first]
    key = MessageKey(first.split("-")[0], MessagePurpose.DELIVERY, video_number=1, step=1)
    await Messages(database, utc_now).restart(key, ann.id, None, "a run")
    bot.starts.resent.clear()
    await sweeper.sweep_waiting()
    assert bot.starts.resent == []


async def test_who_is_still_away_is_not_bothered(ann: Person, bot: RunningBot) -> None:
    first = video_id(await placed(ann, "1"), 1)
    await ann.do("block")
    await ann.settled()
    await bot.parts.videos.settle(first, VideoState.WAITING)
    await Sweeper(bot.parts).sweep_waiting()
    assert bot.starts.resent == []
