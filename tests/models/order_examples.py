"""Small histories that matter: each of them finds one of the planted bugs at once."""

from typing import Final

from domain.failures import FailureClass
from tests.models.order_plan import AttemptPlan, Callback, Create, End, OrderPlan, Send, Trouble, VideoPlan


def _attempts(*plans: AttemptPlan, troubles: tuple[tuple[str, int, Trouble], ...] = ()) -> OrderPlan:
    return OrderPlan((VideoPlan(attempts=plans),), troubles=troubles)


def _sends(*sends: Send) -> OrderPlan:
    return OrderPlan((VideoPlan(sends=sends),))


_TWENTY_MINUTES: Final = 1_200
_FAILS_LATE: Final = AttemptPlan(end=End.FAIL, seconds=_TWENTY_MINUTES)

EXAMPLES: Final = {
    "not sent": _attempts(AttemptPlan(Create.NOT_SENT)),
    "no answer": _attempts(AttemptPlan(Create.LOST_BOUGHT)),
    "no answer, but a callback": _attempts(AttemptPlan(Create.LOST_BOUGHT, callback=Callback.EARLY)),
    "worker dies while it creates": _attempts(AttemptPlan(Create.DIED)),
    "KIE task fails": _attempts(AttemptPlan(end=End.FAIL)),
    "three long KIE tasks": _attempts(_FAILS_LATE, _FAILS_LATE, AttemptPlan(end=End.NEVER)),
    # The second video's second create comes when the first one waits for KIE.
    "cancelled while it waits for KIE": OrderPlan(
        (VideoPlan(), VideoPlan(attempts=(AttemptPlan(Create.TOO_EARLY),))),
        troubles=(("create_kie_task", 3, Trouble.CANCEL_VIDEO),),
    ),
    "order cancelled while it waits": _attempts(troubles=(("check_kie_task", 1, Trouble.CANCEL_ORDER),)),
    "cancelled by its user": _attempts(troubles=(("admit_video", 1, Trouble.CANCEL_ROWS),)),
    "worker dies while it refunds": _attempts(
        AttemptPlan(Create.REJECTED, failure_class=FailureClass.USER_VIOLATION),
        troubles=(("settle_video", 1, Trouble.DIE),),
    ),
    "unknown send": _sends(Send.NEW_DROPPED),
    "edit without an answer": _sends(Send.EDIT_LOST),
}
