"""What tests order from KIE beyond faults: fates of tasks, accounts, keys, models, links, callbacks."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.control import read_orders
from standins.kie.callbacks import Callbacks
from standins.kie.orders import (
    AccountOrder,
    CallbackOrder,
    KeyOrder,
    KieSettings,
    ModelOrder,
    Outcome,
    Release,
    ResultOrder,
    Selection,
    SettingsOrder,
)
from standins.kie.state import KieState

OrderT = TypeVar("OrderT", bound=BaseModel)
Apply = Callable[[OrderT], Awaitable[Any]]


def _post(path: str, kind: type[OrderT], apply: Apply[OrderT]) -> Route:
    async def endpoint(request: Request) -> Response:
        orders = await read_orders(request, kind)
        if isinstance(orders, Response):
            return orders
        try:
            return JSONResponse({"done": [await apply(order) for order in orders]})
        except ValidationError as refusal:
            return JSONResponse({"error": refusal.errors(include_url=False, include_context=False)}, 400)

    return Route(path, endpoint, methods=["POST"])


class ControlRoutes:
    def __init__(self, state: KieState, callbacks: Callbacks) -> None:
        self._state = state
        self._callbacks = callbacks

    def routes(self) -> list[Route]:
        return [
            _post("/control/settings", SettingsOrder, self.settings),
            _post("/control/outcomes", Outcome, self.outcome),
            _post("/control/hold", Selection, self.hold),
            _post("/control/release", Release, self.release),
            _post("/control/accounts", AccountOrder, self.account),
            _post("/control/keys", KeyOrder, self.key),
            _post("/control/models", ModelOrder, self.model),
            _post("/control/results", ResultOrder, self.expire),
            _post("/control/callbacks", CallbackOrder, self.callback),
            Route("/control/tasks", self.tasks, methods=["GET"]),
            Route("/control/accounts", self.accounts, methods=["GET"]),
            Route("/control/outcomes", self.outcomes, methods=["GET"]),
            Route("/control/outcomes", self.forget_outcomes, methods=["DELETE"]),
        ]

    async def settings(self, order: SettingsOrder) -> dict[str, Any]:
        merged = self._state.settings.model_dump() | (order.model_extra or {})
        self._state.settings = KieSettings.model_validate(merged)
        return self._state.settings.model_dump(mode="json")

    async def outcome(self, order: Outcome) -> dict[str, Any]:
        self._state.order_outcome(order)
        return order.model_dump(mode="json", exclude_defaults=True)

    async def hold(self, order: Selection) -> list[str]:
        """Running and coming tasks stay unfinished until released."""
        if not order.task_id:
            self._state.holds.append(order.match)
        held = [task for task in self._state.selected(order) if not task.closed]
        for task in held:
            task.held = True
        return [task.id for task in held]

    async def release(self, order: Release) -> list[str]:
        if not order.task_id:
            self._state.holds = [match for match in self._state.holds if order.match not in match]
        freed = [task for task in self._state.selected(order) if not task.closed]
        for task in freed:
            task.held, task.hurried = False, task.hurried or order.now
            task.changed.set()
        return [task.id for task in freed]

    async def account(self, order: AccountOrder) -> dict[str, Any]:
        self._state.account(order.account).credits = order.credits
        return order.model_dump()

    async def key(self, order: KeyOrder) -> dict[str, Any]:
        if order.account:
            self._state.keys[order.key] = order.account
        self._state.revoked.discard(order.key)
        if order.revoked:
            self._state.revoked.add(order.key)
        return order.model_dump()

    async def model(self, order: ModelOrder) -> dict[str, Any]:
        self._state.paused.discard(order.model)
        if order.paused:
            self._state.paused.add(order.model)
        return order.model_dump()

    async def expire(self, order: ResultOrder) -> int:
        tasks = self._state.selected(order)
        for task in tasks:
            task.gone = task.gone or order.gone
        return sum(self._state.expire_links(task) for task in tasks)

    async def callback(self, order: CallbackOrder) -> list[dict[str, Any]]:
        return [await self._callbacks.send(task, order) for task in self._state.selected(order)]

    async def tasks(self, request: Request) -> Response:
        selection = Selection(match=request.query_params.get("match", ""))
        return JSONResponse({"tasks": [task.shown() for task in self._state.selected(selection)]})

    async def accounts(self, _request: Request) -> Response:
        shown = [
            {
                "account": one.name,
                "credits": one.credits,
                "running_tasks": self._state.running_tasks(one.name),
            }
            for one in self._state.accounts.values()
        ]
        return JSONResponse({"accounts": shown})

    async def outcomes(self, _request: Request) -> Response:
        return JSONResponse({"outcomes": self._state.outcomes()})

    async def forget_outcomes(self, _request: Request) -> Response:
        self._state.forget_outcomes()
        return JSONResponse({"ok": True})
