"""Telegram's own books at one glance: who was shown what and when, and what he did."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.telegram.model import Kept, Memory
from standins.telegram.views import message_with_history

Json = dict[str, Any]


class Records:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def routes(self) -> list[Route]:
        return [Route("/control/records", self._get, methods=["GET"])]

    async def _get(self, _request: Request) -> Response:
        """Messages with all their versions, deleted ones too."""
        memory = self._memory
        chats = (memory.messages.get(user_id, {}) for user_id in memory.users)
        return JSONResponse(
            {
                "users": [
                    {"id": user.id, "has_blocked": user.has_blocked, "times_blocked": user.times_blocked}
                    for user in memory.users.values()
                ],
                "messages": [_message(kept) for chat in chats for kept in chat.values()],
                "presses": self._presses(),
            }
        )

    def _presses(self) -> list[Json]:
        """With the toasts that answered them."""
        toasts = {toast.callback_query_id: toast.text for toast in self._memory.toasts}
        return [
            {
                "user_id": query.user_id,
                "message_id": query.message_id,
                "data": query.data,
                "at": query.made_at.isoformat(),
                "toast": toasts.get(query.id),
            }
            for query in self._memory.callback_queries.values()
        ]


def _message(kept: Kept) -> Json:
    return {name: value for name, value in message_with_history(kept).items() if name != "body"}
