"""/control for the webhook: how it is doing, and the knobs."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.control import read_fields
from standins.telegram.deeds import guarded
from standins.telegram.errors import UserError
from standins.telegram.model import Memory, WebhookKnobs


class WebhookRoutes:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def routes(self) -> list[Route]:
        return [
            Route("/control/webhook", guarded(self._get), methods=["GET"]),
            Route("/control/webhook", guarded(self._post), methods=["POST"]),
        ]

    async def _get(self, _request: Request) -> Response:
        hook = self._memory.webhook
        return JSONResponse(
            {
                **hook.model_dump(exclude={"secret_token"}),
                "has_secret_token": bool(hook.secret_token),
                "pending": len(self._memory.pending),
                "allowed_updates": self._memory.allowed_updates,
                "knobs": self._memory.knobs.model_dump(),
            }
        )

    async def _post(self, request: Request) -> Response:
        """Only the knobs that are named are turned."""
        fields = self._memory.knobs.model_dump() | await read_fields(request)
        try:
            self._memory.knobs = WebhookKnobs.model_validate(fields)
        except ValidationError as refusal:
            wrong = ", ".join(f"{each['loc'][0]}: {each['msg']}" for each in refusal.errors())
            raise UserError(f"the knobs are {', '.join(WebhookKnobs.model_fields)}; {wrong}") from None
        return await self._get(request)
