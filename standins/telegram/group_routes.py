"""/control for groups."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.control import read_fields
from standins.telegram.args import Args
from standins.telegram.deeds import guarded
from standins.telegram.errors import UserError
from standins.telegram.groups import Groups
from standins.telegram.views import message_with_history


class GroupRoutes:
    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def routes(self) -> list[Route]:
        return [
            Route("/control/groups/{id}", guarded(self._get_group), methods=["GET"]),
            Route("/control/groups/{id}/text", guarded(self._post_text), methods=["POST"]),
            Route("/control/groups/{id}/add", guarded(self._post_add), methods=["POST"]),
        ]

    async def _get_group(self, request: Request) -> Response:
        group = self._groups.group(_group_id(request))
        messages = [message_with_history(kept) for kept in self._groups.messages(group.id)]
        facts = {"id": group.id, "title": group.title, "left": not group.has_bot}
        return JSONResponse({**facts, "messages": messages})

    async def _post_text(self, request: Request) -> Response:
        args = Args(await read_fields(request))
        group_id = _group_id(request)
        return JSONResponse(self._groups.text(group_id, args.integer("user_id"), args.text("text")))

    async def _post_add(self, request: Request) -> Response:
        args = Args(await read_fields(request))
        added = self._groups.add(_group_id(request), args.integer("user_id"), args.text("title"))
        return JSONResponse({"update_ids": added})


def _group_id(request: Request) -> int:
    try:
        return int(request.path_params["id"])
    except ValueError:
        raise UserError("the id of a group is a negative number") from None
