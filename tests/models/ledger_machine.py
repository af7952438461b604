"""Any operation, any of them again, any two at once: the rows are always as the model says."""

import asyncio
import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import asyncpg
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from domain.credits import NotEnoughCredits
from tests.models.ledger_model import Card, LedgerModel, Short, Wallet
from tests.models.ledger_real import LedgerReal, Rows
from tests.models.ledger_wishes import CARDS, USERS, WISHES, Op, Wish, op_of
from tests.models.loops import OwnLoop

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """Shared by all machines of a run: connecting costs more than a whole example."""

    loop: OwnLoop
    real: LedgerReal


class LedgerMachine(RuleBasedStateMachine):
    stage: Stage

    @initialize(cards=CARDS, credits_=st.integers(0, 12))
    def begin(self, cards: list[Card], credits_: int) -> None:
        self.model = LedgerModel([Wallet() for _ in range(USERS)], cards)
        self.done: list[Op] = []
        self.stage.loop.run(self.stage.real.begin(USERS, cards))
        for user in range(USERS):
            self._happen(Op("grant", (user, credits_, -user - 1)))

    @rule(wish=WISHES)
    def one(self, wish: Wish) -> None:
        self._try(wish)

    @rule(pick=st.integers(0, 99))
    def again(self, pick: int) -> None:
        self._happen(self.done[pick % len(self.done)])

    @rule(wish=WISHES)
    def twice_at_once(self, wish: Wish) -> None:
        self._try(wish, wish)

    @rule(first=WISHES, second=WISHES, meet=st.booleans())
    def two_at_once(self, first: Wish, second: Wish, meet: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """`meet`: about the same user, and the same of his orders, videos or charges."""
        same = Wish(second.kind, first.user, first.pick, second.extra)
        self._try(first, same if meet else second)

    def _try(self, *wishes: Wish) -> None:
        ops = [op for wish in wishes if (op := op_of(wish, self.model))]
        self._happen(*ops)

    def _happen(self, *ops: Op) -> None:
        """What happened at once must look like one after the other, in whichever order."""
        note("  " + " and ".join(map(str, ops)))
        answers, rows = self.stage.loop.run(self._in_database(ops))
        ways = [_in_model(self.model, ops, turns) for turns in permutations(range(len(ops)))]
        fitting = [model for model, told in ways if (told, _seen(model)) == (answers, _shown(rows))]
        if not fitting or rows.broken:
            seen = [(told, _seen(model)) for model, told in ways]
            raise _found(f"{answers} {_shown(rows)}, not one of {seen}; broken: {rows.broken}")
        self.model = fitting[0]
        self.done += ops

    async def _in_database(self, ops: Sequence[Op]) -> tuple[list[object], Rows]:
        answers = await asyncio.gather(*(_called(self.stage.real, op) for op in ops))
        return list(answers), await self.stage.real.rows()


def _found(what: str) -> AssertionError:
    """Said at once, too: what two at once have done need not happen again when Hypothesis repeats it."""
    _log.error("%s", what)
    return AssertionError(what)


async def _called(real: LedgerReal, op: Op) -> object:
    """No model answers with an error of the database."""
    try:
        return await getattr(real, op.name)(*op.args, **op.options)
    except (Short, NotEnoughCredits) as short:
        return ("short", short.available)
    except asyncpg.PostgresError as error:
        return repr(error)


def _in_model(
    before: LedgerModel, ops: Sequence[Op], turns: Sequence[int]
) -> tuple[LedgerModel, list[object]]:
    """Answers stand in the order of the operations, not of their turns."""
    model = copy.deepcopy(before)
    told = {number: _answer(model, ops[number]) for number in turns}
    return model, [told[number] for number in range(len(ops))]


def _answer(model: LedgerModel, op: Op) -> object:
    try:
        return getattr(model, op.name)(*op.args, **op.options)
    except Short as short:
        return ("short", short.available)


def _seen(model: LedgerModel) -> object:
    return (
        [(wallet.available, wallet.reserved) for wallet in model.wallets],
        {name: video.state.value for name, video in model.videos.items()},
        {number: (payment.state.value, payment.debt) for number, payment in model.payments.items()},
    )


def _shown(rows: Rows) -> object:
    return (rows.wallets, rows.videos, rows.payments)
