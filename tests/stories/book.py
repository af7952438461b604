"""The main job: what a seller does, what is broken meanwhile, and how it has to end.

Each story has one seller and a marker word in the prompt, so that faults hit nobody else. `phase` 1 are
played all at once, before them who needs a quiet machine; the later ones break or flood what everybody
shares, one after the other.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tests.stories.audit import until_whole, wrong_things
from tests.stories.seller import Message, Seller, soon
from tests.stories.shelf import ended, story
from tests.stories.world import ADMIN_ID, World

TEMPORARY_REFUSAL = {
    "code": 500,
    "msg": "Server exception, please try again later or contact customer service",
}
FORBIDDEN = "We currently do not support uploads of images containing photorealistic people."


# -- the ordinary way ---------------------------------------------------------------------------------


@story("one video", ended(1, 2) + ", rang once")
async def one_video(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await seller.send_photo(world.photo)
    await seller.press("UGC")
    question = await seller.wait_for_button("Skip")
    await seller.say(f"A mug for slow mornings {marker}")
    await seller.press("Skip", await seller.wait_for_button("Skip", after=question.id))
    await seller.press("1")
    await seller.press("Generate")
    await seller.wait_for_videos(1)
    rings = await seller.wait_for_ring()
    (video,) = await seller.videos()
    named = [label.split(" ", 1)[-1] for label in video.labels]
    assert named == ["👍", "👎", "More of this product", "With changes", "Main menu"], video
    assert rings[0].reply_to == video.id
    rang = sum(each.rang for each in await seller.messages() if each.from_bot and each.id > video.id)
    return f"{await world.facts(seller, marker)}, rang {'once' if rang == 1 else rang}"


@story("five videos arriving one by one", ended(5, 0) + ", closing card")
async def five_videos(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.system.admin("grant", "--yes", str(seller.id), "2", "five videos")
    await seller.buy(world.photo, f"{marker} turn it slowly", 5)
    await seller.wait_for_videos(1)
    await seller.wait_for_videos(5)
    closing = await seller.wait_for_text("5", "5", after=(await seller.videos())[-1].id)
    numbers = {each.text for each in await seller.videos()}
    assert len(numbers) == 5, numbers
    return f"{await world.facts(seller, marker)}, {'closing card' if closing else ''}"


@story("not enough credits, then granted", ended(5, 0) + ", same draft")
async def not_enough(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    card = await seller.order(world.photo, f"{marker} turn it", 5)
    draft = card.data_of("Generate")
    await seller.press("Generate", card)
    await seller.wait_for_button("Top up")
    await world.system.admin("grant", "--yes", str(seller.id), "2", "topped up")
    again = await seller.wait_for_button("Generate")
    await seller.press("Generate", again)
    await seller.wait_for_videos(5)
    same = again.data_of("Generate") == draft
    return f"{await world.facts(seller, marker)}, {'same draft' if same else 'another draft'}"


@story("more of this product", ended(2, 1, orders=2))
async def more_of_this(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await seller.buy(world.photo, f"{marker} by the window")
    await seller.wait_for_videos(1)
    before = await seller.last_id()
    await seller.press("More of this product")
    await seller.press("Generate", await seller.wait_for_button("Generate", after=before))
    await seller.wait_for_videos(2)
    return str(await world.facts(seller, marker))


# -- KIE ----------------------------------------------------------------------------------------------


@story("a forbidden photo", ended(0, 3, refunded=1, kie_tasks=1) + ", reason named")
async def forbidden_photo(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_outcome(marker, times=-1, fail_code="400", fail_msg=FORBIDDEN)
    await seller.buy(world.photo, f"{marker} a person holds it")
    told = await seller.wait_for_button("Another photo")
    named = "people" in told.text.lower() or "person" in told.text.lower()
    return f"{await world.facts(seller, marker)}, {'reason named' if named else told.text}"


@story("KIE refuses twice, then works", ended(1, 2))
async def kie_refuses_twice(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_fault("createTask", marker, times=2, status=200, body=TEMPORARY_REFUSAL)
    await seller.buy(world.photo, f"{marker} on a table")
    await seller.wait_for_videos(1)
    return str(await world.facts(seller, marker))


@story("KIE fails three times, twice over", ended(1, 2, orders=3, refunded=2, kie_tasks=7))
async def kie_fails_three_times(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_outcome(
        marker, times=6, fail_code="500", fail_msg="Internal Error, Please try again later."
    )
    card = await seller.buy(world.photo, f"{marker} in the rain")
    for _ in range(2):
        failed = await seller.wait_for_button("Try again", after=card.id)
        await seller.press("Try again", failed)
        card = await seller.wait_for_button("Generate", after=failed.id)
        await seller.press("Generate", card)
    await seller.wait_for_videos(1)
    return str(await world.facts(seller, marker))


@story("a paused video model", ended(1, 2) + ", next one served")
async def paused_model(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    paused = {"code": 500, "msg": "This interface is temporarily paused"}
    await world.kie_fault("createTask", marker, times=1, status=200, body=paused)
    await seller.buy(world.photo, f"{marker} on marble")
    await seller.wait_for_videos(1)
    attempts = await world.rows(
        "select video_model from attempts a join users u on u.id = a.user_id where u.tg_user_id = $1"
        " order by a.number",
        seller.id,
    )
    models = [row["video_model"] for row in attempts]
    served = len(models) == 2 and models[0] != models[1]
    return f"{await world.facts(seller, marker)}, {'next one served' if served else models}"


@story("a create answered by silence", ended(1, 2) + ", adopted")
async def create_answered_by_silence(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_fault("createTask", marker, times=1, kind="drop_answer")
    await seller.buy(world.photo, f"{marker} in the fog")
    await seller.wait_for_videos(1)
    attempts = await world.rows(
        "select a.state, a.kie_task_id from attempts a join users u on u.id = a.user_id"
        " where u.tg_user_id = $1",
        seller.id,
    )
    adopted = [row["state"] for row in attempts] == ["ACCEPTED"]
    return f"{await world.facts(seller, marker)}, {'adopted' if adopted else attempts}"


@story("a lost callback", ended(1, 2))
async def lost_callback(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_outcome(marker, callback="lost")
    await seller.buy(world.photo, f"{marker} at night")
    await seller.wait_for_videos(1)
    return str(await world.facts(seller, marker))


# -- Telegram -----------------------------------------------------------------------------------------


@story("sending refused twice", ended(1, 2) + ", one file")
async def sending_refused_twice(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: failed to get HTTP URL content"}
    await world.telegram_fault("editMessageMedia", seller, times=2, status=400, body=refusal)
    await seller.buy(world.photo, f"{marker} on wood")
    videos = await seller.wait_for_videos(1)
    files = {each.file_unique_id for each in videos}
    return f"{await world.facts(seller, marker)}, {'one file' if len(files) == 1 else files}"


@story("an edit whose answer is lost", ended(1, 2) + ", seen once")
async def lost_edit(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.telegram_fault("editMessageMedia", seller, times=1, kind="drop_answer")
    card = await seller.buy(world.photo, f"{marker} on glass")
    await seller.wait_for_ring()
    shown = next(each for each in await seller.messages() if each.id == card.id)
    once = shown.kind == "video" and shown.versions.count("video") <= 2
    return f"{await world.facts(seller, marker)}, {'seen once' if once else shown.versions}"


@story("double tap and a repeated update", ended(1, 2))
async def double_tap(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    card = await seller.order(world.photo, f"{marker} twice")
    first = await seller.press("Generate", card)
    for _ in range(2):
        await seller._do("press", message_id=card.id, callback_data=card.data_of("Generate"), stale=True)
    await world.telegram.post("/control/updates/repeat", json={"update_id": first["update_id"]})
    await seller.wait_for_videos(1)
    return str(await world.facts(seller, marker))


@story("the user blocks the bot and comes back", ended(1, 2) + ", told")
async def blocks_and_comes_back(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_outcome(marker, hold=True)
    await seller.buy(world.photo, f"{marker} by the sea")
    await world.wait_for_kie_task(marker)
    await seller.block()
    await world.release_kie_task(marker)
    await soon(lambda: _is_waiting(world, seller), "the video waits")
    await seller.unblock()
    before = await seller.last_id()
    await seller.say("/start")
    await seller.wait_for_videos(1)
    told = await seller.wait_for_text("video", after=before)
    return f"{await world.facts(seller, marker)}, {'told' if told else ''}"


async def _is_waiting(world: World, seller: Seller) -> bool:
    rows = await world.rows(
        "select v.state from videos v join users u on u.id = v.user_id where u.tg_user_id = $1", seller.id
    )
    return [row["state"] for row in rows] == ["WAITING"]


# -- bad input ----------------------------------------------------------------------------------------


@story("a photo as a document", ended(1, 2))
async def photo_as_document(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await seller.send_document(world.photo, "product.jpg", "image/jpeg")
    await seller.press("Own prompt")
    await seller.choose_count(f"{marker} from the left", 1)
    await seller.press("Generate")
    await seller.wait_for_videos(1)
    return str(await world.facts(seller, marker))


@story("a text file instead of a photo", ended(0, 3, orders=0, kie_tasks=0) + ", a kind answer")
async def text_file(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    before = await seller.last_id()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "notes.txt"
        path.write_text("not a picture")
        await seller.send_document(path, "notes.txt", "text/plain")
        answer = await seller.wait_for_text("photo", after=before)
    return f"{await world.facts(seller, marker)}, {'a kind answer' if answer else ''}"


@story("a photo too large or too small", ended(0, 3, orders=0, kie_tasks=0) + ", two answers")
async def photo_of_wrong_size(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    before = await seller.last_id()
    with TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.jpg", Path(folder) / "large.png"
        Image.new("RGB", (200, 200), "teal").save(small)
        large.write_bytes(_large_png(Path(folder)))
        await seller.send_photo(small)
        first = await seller.wait_for_text("300", after=before)
        await seller.send_document(large, "large.png", "image/png")
        second = await seller.wait_for_text("10", after=first.id)
    return f"{await world.facts(seller, marker)}, {'two answers' if second.id != first.id else ''}"


def _large_png(folder: Path) -> bytes:
    """More than 10 MB that is still a picture."""
    path = folder / "noise.png"
    Image.effect_noise((3600, 3600), 90).convert("RGB").save(path, compress_level=1)
    return path.read_bytes()


@story("a 300-page text as wishes", ended(1, 2) + ", too long and too fast", phase=8)
async def long_text(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await seller.send_photo(world.photo)
    templates = await seller.wait_for_button("Own prompt")
    await seller.press("Own prompt", templates)
    before = (await seller.wait_for_text("what happens", after=templates.id)).id
    await seller.say("All the wishes of my grandmother. " * 17_000)
    await seller.wait_for_text("1500", after=before)
    await soon(world.all_updates_taken, "the end of the text")
    await asyncio.sleep(2.5)  # so many parts were too fast: a few seconds later he is heard again
    told = {each.text for each in await seller.messages() if each.from_bot and each.id > before}
    long_and_fast = len(told) == 2 and any("Not so fast" in text for text in told)
    await seller.choose_count(f"{marker} short", 1)
    await seller.press("Generate")
    await seller.wait_for_videos(1)
    return f"{await world.facts(seller, marker)}, {'too long and too fast' if long_and_fast else told}"


# -- processes that die -------------------------------------------------------------------------------


@story("worker killed while KIE works", ended(1, 2), phase=2)
async def worker_killed_while_kie_works(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_outcome(marker, hold=True)
    await seller.buy(world.photo, f"{marker} slowly")
    await world.wait_for_kie_task(marker)
    await world.system.kill_worker()
    await world.release_kie_task(marker)
    await world.system.start_worker()
    await seller.wait_for_videos(1)
    return str(await world.facts(seller, marker))


@story("worker killed in the middle of a delivery", ended(1, 2) + ", seen once", phase=3)
async def worker_killed_in_delivery(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.telegram_fault("editMessageMedia", seller, times=1, kind="delay_answer", delay_seconds=20)
    card = await seller.buy(world.photo, f"{marker} steadily")
    await seller.wait_for_videos(1)
    await world.system.kill_worker()
    await world.system.start_worker()
    await seller.wait_for_ring()
    shown = next(each for each in await seller.messages() if each.id == card.id)
    once = shown.kind == "video" and len(await seller.videos()) == 1
    return f"{await world.facts(seller, marker)}, {'seen once' if once else shown.versions}"


@story("bot killed in a batch of updates", ended(1, 2) + ", 10 answered", phase=4)
async def bot_killed_in_a_batch(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    card = await seller.order(world.photo, f"{marker} again")
    others = [await world.seller(f"{marker}{n}") for n in range(10)]
    before = [await each.last_id() for each in others]
    await asyncio.gather(*(each.say("/balance") for each in others), seller.press("Generate", card))
    await world.system.kill_bot()
    await world.system.start_bot()
    await seller.wait_for_videos(1)
    answered = [await each.wait_for_text("3", after=last) for each, last in zip(others, before, strict=True)]
    return f"{await world.facts(seller, marker)}, {len(answered)} answered"


@story("Temporal away while somebody taps", ended(1, 2) + ", accepted at once", phase=6)
async def temporal_away(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    card = await seller.order(world.photo, f"{marker} patiently")
    await world.system.kill_temporal()
    await seller.press("Generate", card)
    accepted = await seller.wait("accepted", lambda seen: _accepted(seen, card.id))
    await world.system.start_temporal()
    await seller.wait_for_videos(1, seconds=60)
    return f"{await world.facts(seller, marker)}, {'accepted at once' if accepted else ''}"


def _accepted(messages: list[Message], card_id: int) -> Message | None:
    shown = next(each for each in messages if each.id == card_id)
    return shown if any("More of this product" in label for label in shown.labels) else None


# -- accounts -----------------------------------------------------------------------------------------


@story("billing error on one account of two", ended(3, 0) + ", the first is out", phase=9)
async def billing_on_one_account(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    (first, *_) = await _accounts(world)
    await world.kie_account(first, 0)
    await seller.buy(world.photo, f"{marker} in a row", 3)  # more than one: they spread over both accounts
    await seller.wait_for_videos(3)
    blocked = await world.rows("select name, block_reason from kie_accounts where blocked_until is not null")
    out = [row["name"] for row in blocked if "402" in row["block_reason"]]
    return f"{await world.facts(seller, marker)}, {'the first is out' if out == [first] else out}"


async def _accounts(world: World) -> list[str]:
    rows = await world.rows("select name from kie_accounts order by name")
    return [row["name"] for row in rows]


@story("all accounts out", ended(0, 3, refunded=1, kie_tasks=0) + ", admin alerted", phase=10)
async def all_accounts_out(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    for account in await _accounts(world):
        await world.kie_account(account, 0)
    await seller.buy(world.photo, f"{marker} never")
    told = await seller.wait_for_text("back", "3")
    admin = Seller(world.telegram, ADMIN_ID, "admin")
    alerts = [each for each in await admin.messages() if "BILLING" in each.text]
    assert told
    return f"{await world.facts(seller, marker)}, {'admin alerted' if alerts else 'no alert'}"


# -- afterwards ---------------------------------------------------------------------------------------


@story("the books at the end", "nothing wrong", phase=11)
async def books_at_the_end(world: World, _marker: str) -> str:
    await until_whole(world)
    wrong = await wrong_things(world)
    return "; ".join(wrong) or "nothing wrong"
