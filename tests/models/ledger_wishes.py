"""What may be tried: drawn without looking at the rows, for two at once end now one way, now the other."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from domain.orders import VideoState
from tests.models.ledger_model import Card, LedgerModel, VideoName

USERS: Final = 2
_CLOSED: Final = [state for state in VideoState if state.closed]
_CREDITS: Final = (9, 4, 1, -2, -9)
_PACKAGES: Final = (5, 7, 0)

CARDS: Final = st.lists(
    st.builds(Card, st.integers(0, USERS - 1), st.integers(1, 3), st.integers(1, 2)), min_size=6, max_size=6
)


class Op(NamedTuple):
    """One call, with the names of `ledger_model`."""

    name: str
    args: tuple[Any, ...]
    forced: bool | None = None

    @property
    def options(self) -> dict[str, bool]:
        return {} if self.forced is None else {"forced": self.forced}

    def __str__(self) -> str:
        shown = [str(arg) for arg in self.args] + [f"{name}={value}" for name, value in self.options.items()]
        return f"{self.name}({', '.join(shown)})"


class Wish(NamedTuple):
    """`pick` chooses among what there is then: drafts, orders, videos, charges."""

    kind: str
    user: int
    pick: int
    extra: int


def op_of(wish: Wish, model: LedgerModel) -> Op | None:
    """None: there is nothing to do it to."""
    return _KINDS[wish.kind](wish, model)


def _place(wish: Wish, model: LedgerModel) -> Op:
    draft = wish.pick % len(model.cards)
    stranger = wish.extra == 0
    return Op("place", (draft, wish.user if stranger else model.cards[draft].user))


def _write_unreserved(wish: Wish, model: LedgerModel) -> Op:
    return Op("write_unreserved", (wish.pick % len(model.cards),))


def _of_order(name: str) -> Callable[[Wish, LedgerModel], Op | None]:
    return lambda wish, model: _picked(name, wish, model.orders())


def _of_video(name: str) -> Callable[[Wish, LedgerModel], Op | None]:
    return lambda wish, model: _picked(name, wish, _videos(model))


def _picked(name: str, wish: Wish, there: Sequence[Any]) -> Op | None:
    return Op(name, (there[wish.pick % len(there)],)) if there else None


def _videos(model: LedgerModel) -> list[VideoName]:
    """Nobody settles what was never reserved."""
    reserved = model.reserved_orders()
    return [name for name in sorted(model.videos) if name[0] in reserved]


def _settle(wish: Wish, model: LedgerModel) -> Op | None:
    op = _picked("settle", wish, _videos(model))
    return op and Op("settle", (*op.args, _CLOSED[wish.extra % len(_CLOSED)]))


def _cancel_order(wish: Wish, model: LedgerModel) -> Op | None:
    op = _picked("cancel_order", wish, model.reserved_orders())
    stranger = wish.extra == 0
    return op and Op("cancel_order", (*op.args, wish.user if stranger else model.cards[op.args[0]].user))


def _charge(wish: Wish) -> int:
    return wish.user + USERS * (wish.pick % 3)


_KINDS: Final[dict[str, Callable[[Wish, LedgerModel], Op | None]]] = {
    "place": _place,
    "write_unreserved": _write_unreserved,
    "reserve": _of_order("reserve"),
    "release": _of_order("release"),
    "cancel_order": _cancel_order,
    "open": _of_video("open"),
    "buy": _of_video("buy"),
    "begin_delivery": _of_video("begin_delivery"),
    "cancel_video": _of_video("cancel_video"),
    "settle": _settle,
    "grant": lambda wish, _: Op("grant", (wish.user, _CREDITS[wish.extra % len(_CREDITS)], wish.pick)),
    "welcome": lambda wish, _: Op("welcome", (wish.user,)),
    "pay": lambda wish, _: Op("pay", (wish.user, _charge(wish), _PACKAGES[wish.extra % len(_PACKAGES)])),
    "refund_purchase": lambda wish, _: Op("refund_purchase", (_charge(wish),), wish.extra == 0),
    "hear_of_refund": lambda wish, _: Op("hear_of_refund", (_charge(wish),)),
    "refuse_refund": lambda wish, _: Op("refuse_refund", (_charge(wish),)),
}
_OFTEN: Final = ("place", "place", "settle", "settle", "settle", "grant", "grant", "pay", "refund_purchase")

WISHES: Final = st.builds(
    Wish,
    st.sampled_from([*_KINDS, *_OFTEN]),
    st.integers(0, USERS - 1),
    st.integers(0, 23),
    st.integers(0, 5),
)
