"""Bugs to plant, and the model that has to find them.

Where two lines guard the same promise, each for itself, both have to go: `also`.
"""

from dataclasses import dataclass
from typing import Final

LEDGER: Final = ""


@dataclass(frozen=True)
class Change:
    """`old` stands in the file exactly once, or the code has moved on and the planting has to follow."""

    path: str
    old: str
    new: str

    def made_in(self, source: str) -> str:
        assert source.count(self.old) == 1, f"{self.path} does not hold {self.old!r} exactly once"
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Planting:
    """`example` is one of `order_examples` that finds it at once; for the ledger, any short search does."""

    name: str
    example: str
    path: str
    old: str
    new: str
    also: tuple[Change, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        return (Change(self.path, self.old, self.new), *self.also)


_SCHEMA: Final = "schema/migrations/0003.trust.sql"
_VIDEOS: Final = "workflows/videos.py"

PLANTINGS: Final = (
    # -- credits
    Planting(
        "no cause is unique",
        LEDGER,
        _SCHEMA,
        "    if found then\n        outcome := 'REPEATED';",
        "    if false then\n        outcome := 'REPEATED';",
        (
            Change(
                "schema/migrations/0001.initial.sql",
                "    cause text not null unique,            -- makes",
                "    cause text not null, -- makes",
            ),
        ),
    ),
    Planting(
        "the wallet is not locked",
        LEDGER,
        _SCHEMA,
        "from wallets where user_id = of_user for update;\n    select kind",
        "from wallets where user_id = of_user;\n    perform pg_sleep(0.002);\n    select kind",
    ),
    Planting(
        "nobody asks whether there is enough",
        LEDGER,
        _SCHEMA,
        "if available_now + available_change < 0 then",
        "if available_change < -4 and available_now + available_change < 0 then",
    ),
    Planting(
        "capture and refund swapped",
        LEDGER,
        "store/ledger.py",
        "0 if captured else price_credits,",
        "price_credits if captured else 0,",
    ),
    Planting(
        "a repeated reserve is none",
        LEDGER,
        "store/ledger.py",
        'return EntryKind((await self._write(connection, entry))["kind"]) is EntryKind.RESERVE',
        "return await self.write(connection, entry)",
    ),
    Planting(
        "a late reserve takes what was released",
        LEDGER,
        "store/orders.py",
        'reserved = not await self._ledger.void_if_unreserved(connection, order["user_id"], order["id"])',
        "reserved = True",
    ),
    Planting(
        "settled without looking who was first",
        LEDGER,
        "store/videos.py",
        "            if current.closed:\n",
        "            if False:\n",
    ),
    Planting(
        "the video is not locked",
        LEDGER,
        "schema/queries/videos.sql",
        "where v.id = :video_id for update of v;",
        "where v.id = :video_id;",
    ),
    Planting(
        "cancelled although bought",
        LEDGER,
        "store/videos.py",
        'if VideoState(video["state"]) is VideoState.OPEN and video["id"] not in bought',
        'if VideoState(video["state"]) is VideoState.OPEN',
    ),
    Planting(
        "a purchase without its cause",
        LEDGER,
        "store/payments.py",
        "ids.purchase_cause(charge_id),",
        "ids.new_draft_id(),",
        (
            Change(
                "store/payments.py",
                "            if is_new and invoice:\n",
                "            if invoice:\n",
            ),
        ),
    ),
    Planting(
        "a refunded purchase keeps its credits",
        LEDGER,
        "store/payments.py",
        '            -payment["credits"],\n',
        "            0,\n",
    ),
    Planting(
        "welcome credits beyond the day's",
        LEDGER,
        "schema/queries/users.sql",
        "set given = w.given + 1 where w.given < :per_day",
        "set given = w.given + 1 where :per_day > 0",
    ),
    # -- orders
    Planting(
        "what was not sent is waited for",
        "not sent",
        _VIDEOS,
        "        if created.outcome is CreateOutcome.NOT_SENT:\n            raise NotSent\n",
        "",
    ),
    Planting(
        "another create after an ambiguous one",
        "no answer",
        _VIDEOS,
        "        if created.outcome is CreateOutcome.NOT_SENT:\n",
        "        if created.outcome is not CreateOutcome.ACCEPTED:\n",
        (
            Change(
                "domain/attempts.py",
                "frozenset({_P.NOT_SENT, _P.REJECTED, _P.FAIL})",
                "frozenset({_P.NOT_SENT, _P.REJECTED, _P.FAIL, _P.AMBIGUOUS})",
            ),
        ),
    ),
    Planting(
        "an ambiguous create counts as not sent",
        "no answer",
        "domain/attempts.py",
        "(_P.SENDING, _E.LOSE_ANSWER): _P.AMBIGUOUS",
        "(_P.SENDING, _E.LOSE_ANSWER): _P.NOT_SENT",
    ),
    Planting(
        "a SENDING that is found is sent again",
        "worker dies while it creates",
        "domain/attempts.py",
        "(_P.SENDING, _E.START): _P.AMBIGUOUS",
        "(_P.SENDING, _E.START): _P.INTENT",
    ),
    Planting(
        "a failed KIE task is not made again",
        "KIE task fails",
        _VIDEOS,
        "        if attempt is None or failure.failure_class is FailureClass.TIMED_OUT:\n",
        "        if attempt is None or failed.attempt_id:\n",
    ),
    Planting(
        "a cancel interrupts a bought video",
        "cancelled while it waits for KIE",
        _VIDEOS,
        "result = await asyncio.shield(story)",
        "result = await story",
    ),
    Planting(
        "a cancel interrupts an order's compensation",
        "order cancelled while it waits",
        "workflows/orders.py",
        "return await asyncio.shield(story)",
        "return await story",
    ),
    Planting(
        "refunded after an unknown send",
        "unknown send",
        "workflows/finishing.py",
        "frozenset({SendOutcome.SENT, SendOutcome.BLOCKED, SendOutcome.UNKNOWN})",
        "frozenset({SendOutcome.SENT, SendOutcome.BLOCKED})",
    ),
    Planting(
        "an edit without an answer counts as a failure",
        "edit without an answer",
        "workflows/finishing.py",
        "        if sent.outcome is SendOutcome.UNCONFIRMED and over:\n"
        "            return SendOutcome.UNKNOWN\n",
        "        if sent.outcome is SendOutcome.UNCONFIRMED:\n"
        "            raise CallFailed(Failure(FailureClass.DELIVERY))\n",
    ),
    Planting(
        "the deadline does not end the wait",
        "three long KIE tasks",
        _VIDEOS,
        "return min(self._deadline, workflow.now() + timedelta(seconds=wait))",
        "return workflow.now() + timedelta(seconds=wait)",
    ),
    Planting(
        "a settled video is refunded once more",
        "cancelled by its user",
        "workflows/failures.py",
        "        return AlreadySettled()\n",
        "        return CallFailed(Failure(FailureClass.UNKNOWN))\n",
    ),
    Planting(
        "a refund is not told",
        "worker dies while it refunds",
        _VIDEOS,
        "if settled.state is VideoState.FAILED:",
        "if settled.won:",
    ),
    Planting(
        "a callback before the create's answer is forgotten",
        "no answer, but a callback",
        _VIDEOS,
        'return self._callbacks.get(attempt.attempt_id, "")',
        'return ""',
    ),
)
