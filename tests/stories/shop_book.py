"""Everything around the main job: money, choices, waiting, afterwards, administration."""

import asyncio
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tests.stories.seller import Message, Seller, soon
from tests.stories.shelf import ended, story
from tests.stories.world import ADMIN_ID, World

PACKAGE = "5 credits"


# -- money --------------------------------------------------------------------------------------------


@story("topped up with Stars, the same card is back", ended(5, 3) + ", same draft")
async def topped_up(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    card = await seller.order(world.photo, f"{marker} slowly", 5)
    await seller.press("Generate", card)
    await seller.press("Top up")
    await seller.press(PACKAGE)
    await seller.pay()
    again = await seller.wait_for_button("Generate", after=card.id)
    await seller.press("Generate", again)
    await seller.wait_for_videos(5)
    same = again.data_of("Generate") == card.data_of("Generate")
    return f"{await world.facts(seller, marker)}, {'same draft' if same else 'another draft'}"


@story("a payment that is told twice", ended(0, 8, orders=0, kie_tasks=0) + ", 1 payment")
async def told_twice(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await _to_invoice(seller)
    await seller.pay(times=2)
    await seller.wait_for_text("Added", "8")
    await asyncio.sleep(1)
    return f"{await world.facts(seller, marker)}, {len(await world.stars(seller))} payment"


@story("somebody else's invoice, and another amount", ended(0, 3, orders=0, kie_tasks=0) + ", refused")
async def not_payable(world: World, marker: str) -> str:
    seller, other = await world.seller(marker), await world.seller(f"{marker}Other")
    await _to_invoice(seller)
    answers = [await seller.pay(payer_id=other.id), await seller.pay(amount=1)]
    refused = all(not each["paid"] and len(each["error_message"]) > len("timeout") for each in answers)
    return f"{await world.facts(seller, marker)}, {'refused' if refused else answers}"


@story("a payment given back", ended(0, 3, orders=0, kie_tasks=0) + ", refunded and told")
async def given_back(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await _to_invoice(seller)
    paid = await seller.pay()
    await seller.wait_for_text("Added", "8")
    await world.system.admin("refund-payment", paid["charge_id"], "--yes")
    await seller.wait_for_text("went back to you", "3 credits")
    (payment,) = await world.stars(seller)
    return f"{await world.facts(seller, marker)}, {'refunded and told' if payment['refunded'] else payment}"


@story("bot killed right after a payment", ended(0, 8, orders=0, kie_tasks=0), phase=5)
async def killed_after_payment(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await _to_invoice(seller)
    await seller.pay()
    await world.system.kill_bot()
    await world.system.start_bot()
    await soon(lambda: _has_credits(world, seller, 8), "the payment is credited")
    return str(await world.facts(seller, marker))


async def _to_invoice(seller: Seller) -> None:
    await seller.press("My balance")
    await seller.press("Top up")
    await seller.press(PACKAGE)


async def _has_credits(world: World, seller: Seller, count: int) -> bool:
    rows = await world.rows(
        "select available from wallets w join users u on u.id = w.user_id where u.tg_user_id = $1", seller.id
    )
    return [row["available"] for row in rows] == [count]


# -- choices ------------------------------------------------------------------------------------------


@story("an album of one product", ended(1, 2) + ", GPT saw 3 photos", phase=0)
async def album_of_one_product(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    with TemporaryDirectory() as folder:
        await seller.send_album(_photos(Path(folder), 3), caption=f"A lamp {marker}")
        await seller.press("One product")
    await seller.press("UGC")
    await seller.press("Skip")
    await seller.press("1")
    await seller.press("Generate")
    await seller.wait_for_videos(1)
    call = (await world.openai_calls("responses", marker))[-1]
    return f"{await world.facts(seller, marker)}, GPT saw {len(call['fields']['pictures'])} photos"


@story("an album of several products", ended(2, 1, orders=2), phase=0)
async def album_of_several(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    with TemporaryDirectory() as folder:
        await seller.send_album(_photos(Path(folder), 2))
        await seller.press("Several products")
    await seller.press("Own prompt")
    await seller.choose_count(f"{marker} gently", 1)
    cards = await seller.wait("two confirm cards", _two_confirm_cards)
    for card in cards:
        await seller.press("Generate", card)
    await seller.wait_for_videos(2)
    return str(await world.facts(seller, marker))


@story("changed from the confirm card", ended(3, 0) + ", 16:9, the old card is old")
async def changed_from_the_card(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    card = await seller.order(world.photo, f"{marker} from above", 1)
    await seller.press("Change", card)
    await seller.press("How many")
    await seller.press("3", await seller.wait_for_button("3", after=card.id))
    second = await seller.wait_for_button("Generate", after=card.id)
    await seller.press("Change", second)
    await seller.press("Format", await seller.wait_for_button("Format", after=second.id))
    await seller.press("16:9")
    third = await seller.wait_for_button("Generate", after=second.id)
    await seller.press_old("Generate", card)
    await seller.wait_for_text("older card", after=third.id)
    newest = await seller.wait_for_button("Generate", after=third.id)
    await seller.press("Generate", newest)
    await seller.wait_for_videos(3)
    asked = {task["input"].get("aspect_ratio") for task in await world.kie_tasks(marker)}
    return f"{await world.facts(seller, marker)}, {', '.join(map(str, asked))}, the old card is old"


@story("an answer edited in time, and too late", ended(1, 2) + ", said once")
async def edited_answer(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await seller.send_photo(world.photo)
    await seller.press("Own prompt")
    before = await seller.last_id()
    said = await seller.say(f"{marker} to the left")
    await seller.press("1", await seller.wait_for_button("1", after=before))
    card = await seller.wait_for_button("Generate")
    await seller.edit(said["message_ids"][0], f"{marker} to the right")
    await seller.wait("the edited text on the card", lambda seen: _says(seen, card.id, "to the right"))
    await seller.press("Generate", card)
    await seller.wait_for_videos(1)
    await seller.edit(said["message_ids"][0], f"{marker} somewhere else")
    await seller.wait_for_text("too late", after=card.id)
    (task,) = await world.kie_tasks(marker)
    assert "to the right" in task["prompt"], task["prompt"]
    late = [each for each in await seller.messages() if "too late" in each.text]
    return f"{await world.facts(seller, marker)}, said {'once' if len(late) == 1 else len(late)}"


def _photos(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        Image.new("RGB", (800, 1000), (40 + 60 * number, 120, 140)).save(path)
    return paths


def _two_confirm_cards(messages: list[Message]) -> list[Message] | None:
    cards = [each for each in messages if any("Generate" in label for label in each.labels)]
    return cards if len(cards) == 2 else None


def _says(messages: list[Message], message_id: int, words: str) -> Message | None:
    return next((each for each in messages if each.id == message_id and words in each.text), None)


# -- waiting and afterwards ---------------------------------------------------------------------------


@story("cancelled before anything is bought", ended(0, 3, refunded=1, kie_tasks=0))
async def cancelled_in_time(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.openai_fault("moderations", marker, kind="delay_answer", times=-1, delay_seconds=60)
    await seller.buy(world.photo, f"{marker} perhaps")
    await seller.press("Cancel the order")
    await seller.press("Yes, cancel")
    return str(await world.facts(seller, marker))


@story("cancelled when it is being made", ended(1, 2) + ", goes on")
async def cancelled_too_late(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await world.kie_outcome(marker, hold=True)
    card = await seller.buy(world.photo, f"{marker} surely")
    await world.wait_for_kie_task(marker)
    await seller.say("/orders")
    listed = await seller.wait_for_text("being made", after=card.id)
    stoppable = any("Cancel" in label for label in listed.labels)
    await world.release_kie_task(marker)
    await seller.wait_for_videos(1)
    return f"{await world.facts(seller, marker)}, {'still stoppable' if stoppable else 'goes on'}"


@story("my videos, rated and shown again", ended(2, 2, captured=1, kie_tasks=1) + ", one file, rated 1")
async def shown_again(world: World, marker: str) -> str:
    seller = await world.seller(marker)
    await seller.buy(world.photo, f"{marker} once more")
    (video,) = await seller.wait_for_videos(1)
    await seller.wait_for_ring()
    await seller.press("👍", video)
    await seller.say("/videos")
    listed = await seller.wait_for_text("last 30 days", after=video.id)
    await seller.press(listed.labels[0], listed)
    videos = await seller.wait_for_videos(2)
    files = {each.file_unique_id for each in videos}
    await soon(lambda: _rating(world, seller), "the rating is kept")
    told = "one file" if len(files) == 1 else str(files)
    return f"{await world.facts(seller, marker)}, {told}, rated {await _rating(world, seller)}"


async def _rating(world: World, seller: Seller) -> int | None:
    rows = await world.rows(
        "select v.rating from videos v join users u on u.id = v.user_id where u.tg_user_id = $1", seller.id
    )
    rating: int | None = rows[0]["rating"]
    return rating


# -- administration -----------------------------------------------------------------------------------


@story("maintenance: refused kindly, written to afterwards", ended(1, 2) + ", same draft", phase=7)
async def maintenance(world: World, marker: str) -> str:
    seller, admin = await world.seller(marker), Seller(world.telegram, ADMIN_ID, "Admin")
    card = await seller.order(world.photo, f"{marker} later")
    await _maintenance(admin, "on")
    await seller.press("Generate", card)
    kept = await seller.wait_for_text("no new orders", after=card.id)
    await _maintenance(admin, "off")
    again = await seller.wait_for_button("Generate", after=kept.id)
    await seller.press("Generate", again)
    await seller.wait_for_videos(1)
    same = again.data_of("Generate") == card.data_of("Generate")
    return f"{await world.facts(seller, marker)}, {'same draft' if same else 'another draft'}"


async def _maintenance(admin: Seller, state: str) -> None:
    before = await admin.last_id()
    await admin.say(f"/maintenance {state}")
    await admin.wait_for_text("Maintenance is", state, after=before)


@story("granted in Telegram by an admin, not by a seller", ended(0, 10, orders=0, kie_tasks=0) + ", audited")
async def granted_in_telegram(world: World, marker: str) -> str:
    seller, admin = await world.seller(marker), Seller(world.telegram, ADMIN_ID, "Admin")
    await seller.say(f"/grant {seller.id} 100 for me")
    await seller.wait_for_text("do not know this")
    before = await admin.last_id()
    await admin.say(f"/grant {seller.id} 7 a late video")
    await admin.press("Yes", await admin.wait_for_button("Yes", after=before))
    await seller.wait_for_text("10 credits")
    deeds = await world.rows("select action from admin_actions where target = $1", str(seller.id))
    audited = any(re.search("grant", row["action"]) for row in deeds)
    return f"{await world.facts(seller, marker)}, {'audited' if audited else deeds}"
