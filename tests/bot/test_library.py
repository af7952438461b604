"""My orders, my videos and ratings, as a person sees them."""

import httpx
import pytest

from domain.actions import Action, Button
from domain.clock import utc_now
from domain.ids import video_id
from domain.orders import MessagePurpose, VideoState
from standins.movie import MovieOrder, make_movie, open_photo
from store.database import Database
from store.messages import MessageKey, Messages
from tests.bot.chat import Person, RunningBot, button_data, labels, picture
from tests.bot.test_after import placed
from tests.bot.test_buying import toasts


def data(action: Action, argument: str = "") -> str:
    return Button("", action, argument).callback_data


async def own_file(person: Person) -> str:
    """A file id of a film that Telegram has."""
    movie = make_movie(open_photo(picture()), MovieOrder(seconds=1, sound="silent"))
    upload = {"video": ("v.mp4", movie, "video/mp4")}
    (await person.http.post(f"/control/users/{person.id}/video", files=upload)).raise_for_status()
    await person.answers()
    own = [message for message in await person.messages() if message["kind"] == "video"]
    return str(own[-1]["media"]["file_id"])


async def delivered(bot: RunningBot, video: str, file_id: str) -> str:
    await bot.parts.videos.keep_file_id(video, file_id)
    await bot.parts.videos.settle(video, VideoState.DELIVERED)
    return video


async def one_delivered(person: Person, bot: RunningBot) -> str:
    order_id = await placed(person, "1")
    return await delivered(bot, video_id(order_id, 1), await own_file(person))


async def shelf(person: Person, bot: RunningBot, orders: int) -> list[str]:
    """So many orders of one, all delivered; the newest first."""
    await bot.parts.users.register(person.id, "en")
    await bot.parts.ledger.grant(person.id, orders, "a shelf", f"shelf-{person.id}")
    file_id = await own_file(person)
    ordered = [await placed(person, "1") for _ in range(orders)]
    return [await delivered(bot, video_id(each, 1), file_id) for each in ordered][::-1]


async def shown(person: Person, message_id: int) -> dict[str, object]:
    (found,) = [each for each in await person.messages() if each["message_id"] == message_id]
    return dict(found)


# -- my orders ------------------------------------------------------------------------------------


async def test_nothing_open_is_said_kindly(ann: Person) -> None:
    (card,) = await ann.text("/orders")
    assert "Nothing is in the making" in card["text"]
    assert labels(card) == ["🎬 New order", "🏠 Main menu"]


async def test_open_orders_are_listed_with_a_cancel_each(ann: Person, bot: RunningBot) -> None:
    await bot.parts.users.register(ann.id, "en")
    await ann.to_step("wishes")
    await ann.press("Skip")
    await ann.press("1")
    await ann.press("Generate")
    second = await placed(ann, "1")
    await ann.text("/start")
    (card,) = await ann.press("My orders")
    assert "Your orders: 2" in card["text"]
    assert "UGC · 1 video · ordered just now\nA blue mug\n▸ the script is being written" in card["text"]
    assert labels(card)[:2] == ["✖️ Cancel order 1", "✖️ Cancel order 2"]
    assert button_data(card, "Cancel order 2") == data(Action.CANCEL_ORDER, second)


async def test_the_place_in_the_queue_is_said(ann: Person, bot: RunningBot, database: Database) -> None:
    order_id = await placed(ann, "1")
    await bot.parts.orders.keep_scripts(order_id, ["spin it"])
    async with database.connection() as connection:
        await connection.execute(
            "insert into admission_queue (video_id, user_id, video_models, enqueued_at)"
            " select id, user_id, array['x'], now() from videos"
        )
    (card,) = await ann.text("/orders")
    assert "▸ next in the queue" in card["text"]
    await bot.parts.videos.begin_delivery(video_id(order_id, 1))
    assert await ann.press("How is it now?") == [], "in place"
    fresh = await shown(ann, card["message_id"])
    assert "▸ being sent" in str(fresh["text"])
    assert "Cancel" not in str(fresh["buttons"])


async def test_a_cancel_command_without_a_draft_shows_what_is_in_the_making(ann: Person) -> None:
    (nothing,) = await ann.text("/cancel")
    assert "nothing to cancel" in nothing["text"]
    await placed(ann, "1")
    (card,) = await ann.text("/cancel")
    assert "Your order" in card["text"]
    assert "✖️ Cancel the order" in labels(card)
    await ann.to_step("confirm")
    (dropped,) = await ann.text("/cancel")
    assert "Dropped" in dropped["text"], "an open draft comes first"


# -- my videos ------------------------------------------------------------------------------------


async def test_no_videos_yet(ann: Person) -> None:
    (card,) = await ann.text("/videos")
    assert "There are none yet" in card["text"]


async def test_pages_turn_in_place_and_end(ann: Person, bot: RunningBot) -> None:
    videos = await shelf(ann, bot, 7)
    await ann.text("/start")
    (card,) = await ann.press("My videos")
    assert "Page 1 of 2" in card["text"]
    assert [button_data(card, "UGC"), labels(card)[-2:]] == [
        data(Action.SHOW_VIDEO, videos[0]),
        ["▶", "🏠 Main menu"],
    ]
    assert await ann.press("▶") == [], "the same message"
    second = await shown(ann, card["message_id"])
    assert "Page 2 of 2" in str(second["text"])
    assert labels(second)[2:] == ["◀", "🏠 Main menu"]
    for beyond in ("9", "9999"):
        edit = {"message_id": card["message_id"], "callback_data": data(Action.MY_VIDEOS, beyond)}
        await ann.do("press", **edit, stale=True)
        assert await ann.answers() == []
        assert (await shown(ann, card["message_id"]))["text"] == second["text"]
    assert await ann.press("◀") == []
    assert (await shown(ann, card["message_id"]))["text"] == card["text"]


@pytest.mark.parametrize("page", ["-1", "x", "1e9", "²", "99999999999"])
async def test_a_forged_page_is_an_old_button(ann: Person, page: str) -> None:
    await ann.text("/start")
    stale, _ = await ann.press_data(data(Action.MY_VIDEOS, page))
    assert "older card" in stale["text"]


async def test_a_video_is_shown_again_without_an_upload(ann: Person, bot: RunningBot) -> None:
    video = await one_delivered(ann, bot)
    file_id = await bot.parts.videos.delivered_file(video, ann.id)
    await bot.parts.library.rate(video, ann.id, 1)
    await ann.text("/videos")
    (sent,) = await ann.press("UGC")
    assert sent["kind"] == "video"
    assert labels(sent)[:2] == ["✅ 👍", "👎"]
    (call,) = (await ann.http.get("/control/journal", params={"where": "sendVideo"})).json()["entries"]
    assert call["fields"]["video"] == file_id


async def test_a_waiting_video_is_on_the_shelf_and_comes(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    first = video_id(await placed(ann, "1"), 1)
    tried = MessageKey(first.split("-")[0], MessagePurpose.DELIVERY, video_number=1, step=1)
    await Messages(database, utc_now).restart(tried, ann.id, None, "a run")  # so that no sweep sends it
    await bot.parts.videos.settle(first, VideoState.WAITING)
    await ann.text("/videos")
    await ann.press("UGC")
    assert await bot.resent() == [first]


# -- rating ---------------------------------------------------------------------------------------


async def test_a_rating_is_marked_thanked_and_changed(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    video = await one_delivered(ann, bot)
    await ann.text("/videos")
    (sent,) = await ann.press("UGC")
    which = {"message_id": sent["message_id"]}
    for label, marked in (("👍", ["✅ 👍", "👎"]), ("👍", ["✅ 👍", "👎"]), ("👎", ["👍", "✅ 👎"])):
        assert await ann.press(label, **which) == []
        assert labels(await shown(ann, sent["message_id"]))[:2] == marked
        assert (await toasts(ann))[-1] == "Thank you!"
    assert await ratings(database) == [(video, -1)]


async def test_hundred_taps_on_both_thumbs_leave_one_rating(
    ann: Person, bot: RunningBot, database: Database
) -> None:
    video = await one_delivered(ann, bot)
    for number in range(10):
        await ann.do(
            "press",
            message_id=(await ann.messages())[-1]["message_id"],
            callback_data=data(Action.LIKE if number % 2 else Action.DISLIKE, video),
            stale=True,
        )
    await ann.settled()
    assert await ratings(database) == [(video, 1)]


async def ratings(database: Database) -> list[tuple[str, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select id, rating from videos where rating is not null")
    return [(row["id"], row["rating"]) for row in rows]


async def test_what_belongs_to_others_or_to_nobody_is_an_old_button(
    ann: Person, bot: RunningBot, http: httpx.AsyncClient, database: Database
) -> None:
    video = await one_delivered(ann, bot)
    bob = await Person.join(http, 502)
    await bob.text("/start")
    for action in (Action.SHOW_VIDEO, Action.LIKE, Action.DISLIKE):
        for argument in (video, "", "nonsense", "0" * 40):
            stale, _ = await bob.press_data(data(action, argument))
            assert "older card" in stale["text"]
    assert await ratings(database) == []
    assert bot.starts.resent == []
