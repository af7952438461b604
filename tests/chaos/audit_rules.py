"""The promises that need both sides: what people saw at Telegram, what KIE billed, and what the rows say."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from tests.chaos.records import Books, KieTask, Message, Stars, Telegram, Workflows

Row = Mapping[str, Any]

CAPTURED: Final = ("DELIVERED", "WAITING")
REFUNDED: Final = ("FAILED", "CANCELLED")
_ASKED_FOR: Final = ("here", "show")  # buttons that send a video once more
_MAY_CREATE_AGAIN: Final = ("REJECTED", "NOT_SENT")
_UNKNOWN: Final = ("SENDING", "UNKNOWN")

_ACCEPTED: Final = re.compile(r"✅ (?:Accepted|Принято)")
_TOAST_ACCEPTED: Final = re.compile(r"^(?:Accepted|Принято)")
_NOT_MADE: Final = re.compile(r"❌|✖️|Could not be made: |Не получилось: |Cancelled: |Отменено: ")
_BALANCE: Final = re.compile(
    r"(?:balance|balance now|баланс|баланс теперь|you (?:now )?have|у вас)\W{1,3}(\d+) (?:credit|кредит)",
    re.IGNORECASE,
)
_ON_ITS_WAY: Final = timedelta(seconds=180)  # between reading a balance and its arrival in the chat
_CLOCKS_DIFFER: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Verdict:
    """On one thing. `excuse`: not as promised, but in a way the promise allows for."""

    ids: tuple[str, ...]
    wrong: str = ""
    excuse: str = ""


@dataclass(frozen=True)
class Evidence:
    telegram: Telegram
    kie: list[KieTask]
    books: Books
    workflows: Workflows
    leaks: list[str]
    secrets_count: int = 0

    @cached_property
    def tasks_by_video(self) -> dict[str, list[KieTask]]:
        tasks: defaultdict[str, list[KieTask]] = defaultdict(list)
        for task in self.kie:
            tasks[self.video_of(task)].append(task)
        return dict(tasks)

    def tasks_of(self, video_id: str) -> list[KieTask]:
        return self.tasks_by_video.get(video_id, [])

    def attempt_of(self, task: KieTask) -> Row | None:
        """By KIE's own record, the address of the callback, else by the row that adopted it."""
        named = self.books.attempts_by_id.get(task.attempt_id)
        return named or next(iter(self.books.attempts_by_task.get(task.id, ())), None)

    def video_of(self, task: KieTask) -> str:
        attempt = self.attempt_of(task)
        return attempt["video_id"] if attempt else ""

    def showings(self, video_id: str) -> list[Message]:
        """Messages, in whatever chat, that ever held the film of one of its KIE tasks."""
        seen = self.telegram.seen
        found = [message for task in self.tasks_of(video_id) for message in seen.get(task.id, ())]
        return list({(message.chat_id, message.id): message for message in found}.values())


# -- orders -------------------------------------------------------------------------------------------


def accepted_orders_ended(evidence: Evidence) -> Iterator[Verdict]:
    books = evidence.books
    told = told_accepted(evidence.telegram)
    for order_id in sorted(told | books.reserved_orders | books.orders_by_id.keys()):
        yield Verdict((order_id,), wrong=_why_not_ended(books, order_id, is_told=order_id in told))
    for workflow_id in evidence.workflows.running:
        if workflow_id.startswith("order-"):
            yield Verdict((workflow_id,), wrong="its workflow still runs")


def _why_not_ended(books: Books, order_id: str, *, is_told: bool) -> str:
    order = books.orders_by_id.get(order_id)
    if order is None:
        return "accepted, and not in the database"
    if is_told and order_id not in books.reserved_orders:
        return "the user was told that it is accepted; nothing was reserved"
    videos = [video for video in books["videos"] if video["order_id"] == order_id]
    if len(videos) != order["video_count"]:
        return f"{len(videos)} videos of {order['video_count']}"
    states = sorted(video["state"] for video in videos)
    if order["state"] != "CLOSED" or {"OPEN", "DELIVERING"} & set(states):
        return f"{order['state']}, its videos: {', '.join(states)}"
    return ""


def told_accepted(telegram: Telegram) -> set[str]:
    """Orders whose card became "accepted", or whose tap was answered so. The card's id is the order's."""
    by_toast = {
        press.data.removeprefix("gen:")
        for press in telegram.presses
        if press.data.startswith("gen:") and _TOAST_ACCEPTED.match(press.toast)
    }
    by_card = {order_id for message in telegram.messages for order_id in _accepted_on(message)}
    return by_toast | by_card


def _accepted_on(message: Message) -> Iterator[str]:
    offered = ""
    for version in message.versions:
        if offered and _ACCEPTED.search(version.text):
            yield offered
        offers = [data for data in version.button_data if data.startswith("gen:")]
        offered = offers[0].removeprefix("gen:") if offers else offered


# -- videos -------------------------------------------------------------------------------------------


def captured_seen_once(evidence: Evidence) -> Iterator[Verdict]:
    for video in evidence.books["videos"]:
        chat_id = evidence.books.chat_of.get(video["user_id"])
        if video["state"] in CAPTURED and chat_id is not None:
            yield _seen_once(evidence, video, chat_id)


def _seen_once(evidence: Evidence, video: Row, chat_id: int) -> Verdict:
    ids = (video["id"], str(chat_id))
    shown = [message for message in evidence.showings(video["id"]) if message.chat_id == chat_id]
    allowed = 1 + _times_asked_for(evidence.telegram, video["id"], chat_id)
    if len(shown) > allowed:
        held_by = ", ".join(str(message.id) for message in shown)
        return Verdict(ids, wrong=f"seen {len(shown)} times: messages {held_by}")
    if shown:
        return Verdict(ids)
    excuse = _why_unseen(evidence, video, chat_id)
    return Verdict(ids, wrong="" if excuse else f"{video['state']}, captured, and never seen", excuse=excuse)


def _times_asked_for(telegram: Telegram, video_id: str, chat_id: int) -> int:
    wanted = {f"{verb}:{video_id}" for verb in _ASKED_FOR}
    return sum(press.user_id == chat_id and press.data in wanted for press in telegram.presses)


def _why_unseen(evidence: Evidence, video: Row, chat_id: int) -> str:
    person = evidence.telegram.people.get(chat_id)
    if video["state"] == "WAITING" and person is not None and person.has_blocked:
        return "waits for a user who has blocked the bot"
    if not _is_unknown(evidence, video, "delivery"):
        return ""
    if _is_offered_again(evidence, video["id"], chat_id):
        return "sent, unanswered, offered again"
    if person is not None and person.times_blocked:
        return "sent, unanswered, and then its user had blocked the bot"
    return "sent and offered, both unanswered" if _is_unknown(evidence, video, "ready") else ""


def _is_unknown(evidence: Evidence, video: Row, *purposes: str) -> bool:
    """Nobody answered the sending, so nobody may send it again."""
    return any(row["state"] in _UNKNOWN for purpose in purposes for row in _rows_of(evidence, video, purpose))


def _rows_of(evidence: Evidence, video: Row, purpose: str) -> list[Row]:
    rows = evidence.books.messages_by_order.get(video["order_id"], [])
    return [row for row in rows if row["purpose"] == purpose and row["video_number"] in (0, video["number"])]


def _is_offered_again(evidence: Evidence, video_id: str, chat_id: int) -> bool:
    messages = evidence.telegram.by_chat.get(chat_id, [])
    return any(f"here:{video_id}" in message.button_data for message in messages)


def refunded_and_told(evidence: Evidence) -> Iterator[Verdict]:
    """That it came back exactly once is I2 and I3."""
    books = evidence.books
    refunds = {row["video_id"]: row for row in books["credit_entries"] if row["kind"] == "refund"}
    for video in books["videos"]:
        chat_id = books.chat_of.get(video["user_id"])
        if video["state"] in REFUNDED and chat_id is not None and video["order_id"] in books.reserved_orders:
            yield _refunded_and_told(evidence, video, chat_id, is_refunded=video["id"] in refunds)


def _refunded_and_told(evidence: Evidence, video: Row, chat_id: int, *, is_refunded: bool) -> Verdict:
    ids = (video["id"], str(chat_id))
    if not is_refunded:
        return Verdict(ids, wrong=f"{video['state']}, and nothing came back")
    if any(_tells_end(message) for message in _messages_about(evidence, video, chat_id)):
        return Verdict(ids)
    person = evidence.telegram.people.get(chat_id)
    if person is not None and person.times_blocked:
        return Verdict(ids, excuse="its user had blocked the bot")
    if _is_unknown(evidence, video, "failure", "closing", "placeholder"):
        return Verdict(ids, excuse="told, unanswered")
    return Verdict(ids, wrong=f"{video['state']}, refunded, and its user was never told")


def _tells_end(message: Message) -> bool:
    return any(_NOT_MADE.search(version.text) for version in message.versions)


def _messages_about(evidence: Evidence, video: Row, chat_id: int) -> list[Message]:
    """By their buttons, by what they reply to, and by the rows; not those about its siblings."""
    order_id = video["order_id"]
    rows = evidence.books.messages_by_order.get(order_id, [])
    siblings = {row["message_id"] for row in rows if row["video_number"] not in (0, video["number"])}
    in_chat = [each for each in evidence.telegram.by_chat.get(chat_id, []) if each.from_bot]
    named = {each.id for each in in_chat if any(order_id in data for data in each.button_data)}
    known = (named | {row["message_id"] for row in rows}) - siblings
    return [each for each in in_chat if each.id in known or each.reply_to in known]


def films_belong(evidence: Evidence) -> Iterator[Verdict]:
    """Asked of every film in every chat."""
    by_task = {task.id: task for task in evidence.kie}
    for message in evidence.telegram.messages:
        for file_id in sorted(message.video_ids) if message.from_bot else ():
            film = evidence.telegram.films[file_id]
            ids = (str(message.chat_id), str(message.id))
            if not film.whole:
                yield Verdict(ids, wrong="a film that is not, or not wholly, a result of KIE")
            for task_id in sorted(film.whole):
                yield _belongs(evidence, by_task.get(task_id), message, (*ids, task_id))


def _belongs(evidence: Evidence, task: KieTask | None, message: Message, ids: tuple[str, ...]) -> Verdict:
    video = evidence.books.videos_by_id.get(evidence.video_of(task)) if task else None
    if task is None or video is None:
        return Verdict(ids, wrong="the film of a KIE task that no video has")
    ids = (*ids, video["id"])
    author = evidence.telegram.author_of(task.prompt)
    if author not in (None, message.chat_id):
        return Verdict(ids, wrong=f"made of the words of user {author}")
    owner = evidence.books.chat_of.get(video["user_id"])
    if owner is None:
        return Verdict(ids, excuse="its owner is forgotten")
    return Verdict(ids, wrong="" if owner == message.chat_id else f"the video of user {owner}")


def nothing_given_away(evidence: Evidence) -> Iterator[Verdict]:
    for video in evidence.books["videos"]:
        if video["state"] in REFUNDED:
            shown = evidence.showings(video["id"])
            places = ", ".join(f"{message.chat_id}/{message.id}" for message in shown)
            yield Verdict((video["id"],), wrong=f"{video['state']}, and seen in {places}" if shown else "")


# -- KIE ----------------------------------------------------------------------------------------------


def bought_once(evidence: Evidence) -> Iterator[Verdict]:
    """I4 by KIE's own bills: one task per attempt, and a second billed one only after what bought nothing."""
    for video in evidence.books["videos"]:
        tasks = evidence.tasks_of(video["id"])
        if tasks:
            yield Verdict((video["id"], *(task.id for task in tasks)), wrong=_bought_twice(evidence, tasks))


def _bought_twice(evidence: Evidence, tasks: list[KieTask]) -> str:
    attempts = [attempt for task in tasks if (attempt := evidence.attempt_of(task))]
    if len({attempt["id"] for attempt in attempts}) < len(tasks):
        return "an attempt has several KIE tasks"
    billed = [evidence.attempt_of(task) for task in tasks if task.billed]
    in_order = sorted((attempt for attempt in billed if attempt), key=lambda attempt: attempt["number"])
    for before in in_order[:-1]:
        if before["state"] not in _MAY_CREATE_AGAIN:
            return f"billed again after attempt {before['id']}: {before['state']}, {before['task_state']}"
    return ""


def lost_answers_found(evidence: Evidence) -> Iterator[Verdict]:
    """Every KIE task is known to its own attempt, or that attempt is written down as lost."""
    for task in evidence.kie:
        known = evidence.books.attempts_by_task.get(task.id, [])
        if known:
            wrong = _whose(task, known)
            yield Verdict((task.id, known[0]["id"]), wrong=wrong)
        else:
            yield _lost(evidence, task)


def _whose(task: KieTask, known: list[Row]) -> str:
    if len(known) > 1:
        return f"{len(known)} attempts have it"
    if task.attempt_id not in ("", known[0]["id"]):
        return f"KIE was asked for it by attempt {task.attempt_id}"
    return ""


def _lost(evidence: Evidence, task: KieTask) -> Verdict:
    attempt = evidence.attempt_of(task)
    if attempt is None:
        return Verdict((task.id,), wrong="a KIE task that no attempt asked for")
    ids = (task.id, attempt["id"])
    video = evidence.books.videos_by_id[attempt["video_id"]]
    is_counted = attempt["state"] == "AMBIGUOUS" and attempt["task_state"] == "ABANDONED"
    if is_counted and video["state"] in REFUNDED:
        return Verdict(ids, excuse="lost, counted, refunded")
    if not task.billed and attempt["state"] in _MAY_CREATE_AGAIN:
        return Verdict(ids, excuse="refused, and not billed")
    states = f"{attempt['state']}, {attempt['task_state']}"
    return Verdict(ids, wrong=f"neither adopted nor counted: {states}; the video is {video['state']}")


# -- money --------------------------------------------------------------------------------------------


def stars_once(evidence: Evidence) -> Iterator[Verdict]:
    """Telegram's book of Stars against ours, both ways."""
    payments = {row["charge_id"]: row for row in evidence.books["payments"]}
    charges = {charge.charge_id: charge for charge in evidence.telegram.stars}
    for charge_id in sorted(charges.keys() | payments.keys()):
        charge, payment = charges.get(charge_id), payments.get(charge_id)
        yield Verdict((charge_id,), wrong=_wrong_payment(evidence, charge, payment))


def _wrong_payment(evidence: Evidence, charge: Stars | None, payment: Row | None) -> str:
    if charge is None:
        return "Telegram knows of no such payment"
    if payment is None:
        return f"{charge.amount} Stars of user {charge.user_id} are not in the database"
    if evidence.books.chat_of.get(payment["user_id"], charge.user_id) != charge.user_id:
        return f"paid by {charge.user_id}, credited to another"
    if payment["amount"] != charge.amount:
        return f"{charge.amount} Stars, written down as {payment['amount']}"
    entries = [row for row in evidence.books["credit_entries"] if row["charge_id"] == charge.charge_id]
    credited = sum(row["kind"] == "purchase" for row in entries)
    taken = sum(row["kind"] == "purchase_refund" for row in entries)
    if payment["credits"] and credited != 1:
        return f"credited {credited} times"
    if charge.refunded and payment["credits"] and taken != 1:
        return f"refunded at Telegram, taken back {taken} times"
    if not charge.refunded and (taken or payment["state"] == "REFUNDED"):
        return f"{payment['state']}, but the Stars never went back"
    return ""


def told_balances(evidence: Evidence) -> Iterator[Verdict]:
    """The last balance anybody reads in his chat is one he had while that message was on its way."""
    for user_id, chat_id in evidence.books.chat_of.items():
        told = _last_balance(evidence.telegram.by_chat.get(chat_id, []))
        if told is not None:
            at, balance = told
            had = _balances(evidence.books.entries_by_user.get(user_id, []), at)
            wrong = f"told {balance} at {at:%H:%M:%S}, had {', '.join(map(str, sorted(had)))}"
            yield Verdict((str(chat_id),), wrong="" if balance in had else wrong)


def _last_balance(messages: list[Message]) -> tuple[datetime, int] | None:
    told = [
        (version.at, int(found[-1]))
        for message in messages
        if message.from_bot
        for version in message.written
        if (found := _BALANCE.findall(version.text))
    ]
    return max(told, default=None)


def _balances(entries: list[Row], at: datetime) -> set[int]:
    """What was available at that moment, and shortly before."""
    until = [row for row in entries if row["created_at"] <= at + _CLOCKS_DIFFER]
    before = [row["available_after"] for row in until if row["created_at"] < at - _ON_ITS_WAY]
    since = {row["available_after"] for row in until[len(before) :]}
    return since | {before[-1] if before else 0}


# -- secrets ------------------------------------------------------------------------------------------


def secrets_kept(evidence: Evidence) -> Iterator[Verdict]:
    for _ in range(evidence.secrets_count):
        yield Verdict(())
    for table in evidence.leaks:
        yield Verdict((table,), wrong="a secret stands in this table")
    for workflow_id in evidence.workflows.with_secrets:
        yield Verdict((workflow_id,), wrong="a secret stands in this history")


Rule = Callable[[Evidence], Iterator[Verdict]]


def answered_by_sql(name: str) -> Rule:
    def rule(evidence: Evidence) -> Iterator[Verdict]:
        for row in evidence.books.answers[name]:
            yield Verdict((row["id"],), wrong=row["wrong"])

    return rule
