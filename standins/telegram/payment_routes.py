"""/control for Stars: who pays, who does not, and what Telegram's books say."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.control import read_fields
from standins.telegram.args import Args
from standins.telegram.deeds import deed_route, guarded
from standins.telegram.errors import UserError
from standins.telegram.model import Memory
from standins.telegram.paying import PRE_CHECKOUT_SECONDS, Paying, Purchase
from standins.telegram.payments import Payments

Json = dict[str, Any]

_TIMES_MAX: Final = 20


class PaymentRoutes:
    def __init__(self, memory: Memory, payments: Payments, paying: Paying) -> None:
        self._memory = memory
        self._payments = payments
        self._paying = paying

    def routes(self) -> list[Route]:
        return [
            Route("/control/users/{id:int}/pay", deed_route(self._pay), methods=["POST"]),
            Route("/control/users/{id:int}/decline", deed_route(self._decline), methods=["POST"]),
            Route("/control/users/{id:int}/stars", deed_route(self._set_stars), methods=["POST"]),
            Route("/control/stars", guarded(self._get_stars), methods=["GET"]),
            Route("/control/stars/refund", guarded(self._post_refund), methods=["POST"]),
        ]

    async def _pay(self, user_id: int, args: Args, _request: Request) -> Json:
        return await self._paying.pay(user_id, _purchase(args))

    async def _decline(self, user_id: int, args: Args, _request: Request) -> Json:
        self._paying.decline(user_id, args.integer("message_id"))
        return {}

    async def _set_stars(self, user_id: int, args: Args, _request: Request) -> Json:
        self._paying.set_stars(user_id, args.integer("stars", -1))
        return {"stars": args.integer("stars")}

    async def _get_stars(self, _request: Request) -> Response:
        transactions = [
            {
                "charge_id": charge.charge_id,
                "user_id": charge.user_id,
                "amount": charge.amount,
                "payload": charge.payload,
                "refunded": charge.refunded_at is not None,
            }
            for charge in self._memory.charges.values()
        ]
        return JSONResponse({"transactions": transactions, "balance": self._payments.balance()})

    async def _post_refund(self, request: Request) -> Response:
        charge_id = Args(await read_fields(request)).text("charge_id")
        return JSONResponse({"update_id": self._paying.refund_by_support(charge_id)})


def _purchase(args: Args) -> Purchase:
    times = args.integer("times", 1)
    if not 1 <= times <= _TIMES_MAX:
        raise UserError(f"times is 1 to {_TIMES_MAX}")
    if args.integer("amount") < 0:
        raise UserError("nobody pays less than nothing")
    return Purchase(
        message_id=args.integer("message_id"),
        link=args.text("link"),
        payer_id=args.integer("payer_id"),
        times=times,
        again=args.flag("again"),
        amount=args.integer("amount"),
        currency=args.text("currency"),
        payload=args.text("payload"),
        wait_seconds=_wait_seconds(args),
    )


def _wait_seconds(args: Args) -> float:
    """Shorter than Telegram's ten for a test in a hurry, never longer."""
    try:
        asked = float(args.text("wait_seconds") or PRE_CHECKOUT_SECONDS)
    except ValueError:
        raise UserError("wait_seconds is a number") from None
    return min(asked, PRE_CHECKOUT_SECONDS)
