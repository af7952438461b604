"""Somebody with a phone in front of a bot that is being broken: looks, presses, waits, presses again."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tests.chaos.plan import Errand, Whim
from tests.stories.seller import Message, NotSeen, Seller

PATIENCE_SECONDS: Final = 5.0  # then it is pressed again
_DEEDS_MAX: Final = 30  # then the phone is put down
_BLOCKED_SECONDS: Final = 6.0
_PACKAGE: Final = "20 credits"
_ASKS_FOR_WORDS: Final = "Write what happens"
_ASKS_FOR_A_PHOTO: Final = ("Send me one photo", "Send another photo")
_PRESSES_MAX: Final = 3  # of one button; then it is begun anew, with a photo
_BOUGHT: Final = ("Cancel the order", "More of this product")
_UNREACHABLE: Final = (httpx.TransportError, NotSeen)


@dataclass
class Shopping:
    """One errand on its way: everything before `since` belongs to another."""

    errand: Errand
    since: int
    tapped: set[int] = field(default_factory=set)
    presses: Counter[tuple[int, str]] = field(default_factory=Counter)
    said: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """What to do next: press `label` under `message`, or send what `label` names."""

    label: str
    message: Message | None = None


PHOTO: Final = Deed("photo")
DONE: Final = Deed("done")


def next_deed(shopping: Shopping, messages: Sequence[Message]) -> Deed:
    """What a person would do who sees this chat."""
    seen = [each for each in messages if each.from_bot and each.id > shopping.since]
    if any(_is_bought(each) for each in seen if each.id in shopping.tapped):
        return DONE
    deeds = (_answer_to(message, shopping) for message in reversed(seen))
    return next((deed for deed in deeds if deed is not None), PHOTO)


def _answer_to(message: Message, shopping: Shopping) -> Deed | None:
    if _ASKS_FOR_WORDS in message.text:
        return Deed("words", message)
    if any(asked in message.text for asked in _ASKS_FOR_A_PHOTO):
        return PHOTO
    for label in _wanted_labels(shopping):
        is_new = shopping.presses[message.id, label] < _PRESSES_MAX
        if is_new and any(_fits(label, shown) for shown in message.labels):
            return Deed(label, message)
    return None


def _wanted_labels(shopping: Shopping) -> tuple[str, ...]:
    """Of one message the first of these; a question about the product is answered once, then skipped."""
    errand = shopping.errand
    skip = "words" if not shopping.said else "Skip"
    return (_PACKAGE, "Top up", "Generate", "New order", str(errand.count), skip, errand.template)


def _fits(label: str, shown: str) -> bool:
    if label.isdigit():
        return shown == label
    return "Skip" in shown if label == "words" else label in shown


def _is_bought(message: Message) -> bool:
    return any(label in shown for shown in message.labels for label in _BOUGHT)


class Shopper:
    """Errands one after another; an unanswered tap is tried again, as people do."""

    def __init__(self, seller: Seller, photo: Path, tally: Counter[str]) -> None:
        self._seller = seller
        self._photo = photo
        self._tally = tally
        self._has_started = False

    async def live(self, errands: Sequence[Errand], since_start: Callable[[], float]) -> None:
        for errand in errands:
            await asyncio.sleep(max(0.0, errand.at_seconds - since_start()))
            await self._start()
            self._tally["wanted"] += 1
            if await self._shop(errand):
                self._tally["bought"] += 1
                await self._follow(errand.whim)

    async def _start(self) -> None:
        """Before the first order."""
        if not self._has_started:
            with contextlib.suppress(*_UNREACHABLE):
                event, before = await self._seller.look()
                await self._seller.say("/start")
                self._has_started = True
                await self._until_changed(event, before)

    async def _shop(self, errand: Errand) -> bool:
        """Whether the card was seen to be accepted."""
        shopping = Shopping(errand, await self._last_id())
        for _ in range(_DEEDS_MAX):
            try:
                event, messages = await self._seller.look()
                deed = next_deed(shopping, messages)
                if deed is DONE:
                    return True
                await self._do(deed, shopping)
                await self._until_changed(event, messages)
            except _UNREACHABLE:
                self._tally["taps that found no network"] += 1
                await asyncio.sleep(1)
        return False

    async def _do(self, deed: Deed, shopping: Shopping) -> None:
        if deed is PHOTO:
            await self._seller.send_photo(self._photo)
            shopping.said = 0
        elif deed.label == "words":
            await self._seller.say(f"{shopping.errand.words} of a mug, slowly")
            shopping.said += 1
        elif deed.label == _PACKAGE:
            await self._pay()
        elif deed.message is not None:
            await self._press(deed.label, deed.message, shopping)

    async def _press(self, label: str, message: Message, shopping: Shopping) -> None:
        shopping.presses[message.id, label] += 1
        if label != "Generate":
            await self._seller.press(label, message)
            return
        shopping.tapped.add(message.id)
        taps = 2 if shopping.errand.whim is Whim.DOUBLE_TAP else 1
        for _ in range(taps):
            await self._seller.press_old(label, message)

    async def _pay(self) -> None:
        """The sheet may fail as often as it likes: Telegram takes no Stars then."""
        await self._seller.press(_PACKAGE)
        with contextlib.suppress(NotSeen):
            await self._seller.pay()
            self._tally["payments"] += 1

    async def _until_changed(self, event: int, before: Sequence[Message]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        known = _shown(before)
        while (left := until - time.monotonic()) > 0:
            event, messages = await self._seller.look(event, left)
            if _shown(messages) != known:
                return
        self._tally["pressed again"] += 1

    async def _follow(self, whim: Whim) -> None:
        deeds: dict[Whim, Callable[[], Awaitable[None]]] = {
            Whim.CANCEL: self._cancel,
            Whim.MORE: self._more,
            Whim.BLOCK: self._block,
        }
        with contextlib.suppress(*_UNREACHABLE):
            await deeds.get(whim, _nothing)()

    async def _cancel(self) -> None:
        self._tally["wanted to cancel"] += 1
        await self._press_newest("Cancel the order")
        await asyncio.sleep(1.5)
        await self._press_newest("Yes, cancel")

    async def _more(self) -> None:
        """Perhaps the video is there, perhaps it is the accepted card that offers it."""
        self._tally["wanted more"] += 1
        before = await self._last_id()
        await self._press_newest("More of this product")
        await asyncio.sleep(2.5)
        newest = await self._newest("Generate")
        if newest is not None and newest.id > before:
            await self._seller.press_old("Generate", newest)

    async def _block(self) -> None:
        self._tally["blocked the bot"] += 1
        await self._seller.block()
        try:
            await asyncio.sleep(_BLOCKED_SECONDS)
        finally:
            await self.unblock()

    async def unblock(self) -> None:
        with contextlib.suppress(*_UNREACHABLE):
            await self._seller.unblock()

    async def _press_newest(self, label: str) -> None:
        found = await self._newest(label)
        if found is not None:
            await self._seller.press_old(label, found)

    async def _newest(self, label: str) -> Message | None:
        messages = await self._seller.messages()
        shown = [each for each in messages if any(label in each_label for each_label in each.labels)]
        return shown[-1] if shown else None

    async def _last_id(self) -> int:
        while True:
            try:
                return await self._seller.last_id()
            except _UNREACHABLE:
                await asyncio.sleep(1)


async def _nothing() -> None:
    pass


def _shown(messages: Sequence[Message]) -> list[tuple[int, str, tuple[str, ...]]]:
    """What the bot has on the screen."""
    return [(each.id, each.text, each.labels) for each in messages if each.from_bot]
