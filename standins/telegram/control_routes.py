"""/control for the people in the chats, the page's own feed, and the files it shows."""

import asyncio
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from standins.control import read_fields
from standins.telegram.args import Args
from standins.telegram.deeds import Deed, content_of_form, deed_route, guarded, read_local, sent
from standins.telegram.errors import UserError
from standins.telegram.files import FileStore
from standins.telegram.mailbox import Mailbox
from standins.telegram.model import User
from standins.telegram.people import People, Press
from standins.telegram.views import bot_view, message_view, message_with_history, user_view
from standins.telegram.world import World

Json = dict[str, Any]

_WAIT_SECONDS_MAX: Final = 60.0
_FIRST_LOAD_MESSAGES_MAX: Final = 300
_NAME_LENGTH_MAX: Final = 64
_PAGE: Final = Path(__file__).parent / "static" / "index.html"
# The page shows what strangers write: no script, frame or picture may come from anywhere but here.
_PAGE_HEADERS: Final = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-cache",
}


class ControlRoutes:
    def __init__(self, world: World, files: FileStore, mailbox: Mailbox, people: People) -> None:
        self._world = world
        self._files = files
        self._mailbox = mailbox
        self._people = people

    def routes(self) -> list[Route]:
        deeds: dict[str, Deed] = {
            "text": self._text,
            "photo": self._photo,
            "album": self._album,
            "document": self._document,
            "video": self._video,
            "voice": self._voice,
            "location": self._location,
            "gif": self._gif,
            "sticker": self._sticker,
            "contact": self._contact,
            "other": self._other,
            "edit": self._edit,
            "forward": self._forward,
            "language": self._language,
            "press": self._press,
            "block": self._block,
            "unblock": self._unblock,
            "read": self._read,
            "expire_callbacks": self._expire_callbacks,
        }
        return [
            Route("/control/users", guarded(self._post_user), methods=["POST"]),
            Route("/control/users", guarded(self._get_users), methods=["GET"]),
            Route("/control/users/{id:int}", guarded(self._get_user), methods=["GET"]),
            Route("/control/users/{id:int}/messages", guarded(self._get_messages), methods=["GET"]),
            Route("/control/users/{id:int}/toasts", guarded(self._get_toasts), methods=["GET"]),
            *[
                Route(f"/control/users/{{id:int}}/{name}", deed_route(deed), methods=["POST"])
                for name, deed in deeds.items()
            ],
            Route("/control/updates", guarded(self._post_update), methods=["POST"]),
            Route("/control/updates", guarded(self._get_updates), methods=["GET"]),
            Route("/control/updates/repeat", guarded(self._repeat_update), methods=["POST"]),
            Route("/control/files/expire", guarded(self._expire_file), methods=["POST"]),
            Route("/control/state", guarded(self._get_state), methods=["GET"]),
            Route("/files/{file_id}", guarded(self._get_file), methods=["GET"]),
        ]

    async def page(self, _request: Request) -> Response:
        return FileResponse(_PAGE, headers=_PAGE_HEADERS)

    # -- users

    async def _post_user(self, request: Request) -> Response:
        args = Args(await read_fields(request))
        name = args.text("first_name").strip()
        if not 0 < len(name) <= _NAME_LENGTH_MAX:
            raise UserError("first_name is needed, at most 64 characters")
        user = self._world.add_user(
            args.integer("id"), name, args.text("language_code", "en"), args.text("username")
        )
        return JSONResponse(user_view(self._world, user))

    async def _get_users(self, _request: Request) -> Response:
        users = self._world.memory.users.values()
        return JSONResponse({"users": [user_view(self._world, user) for user in users]})

    async def _get_user(self, request: Request) -> Response:
        return JSONResponse(user_view(self._world, self._user(request)))

    async def _get_messages(self, request: Request) -> Response:
        """All messages of the chat; with `wait_seconds` once something after `since_event` has changed."""
        user = self._user(request)
        query = Args(dict(request.query_params))
        await self._until_changed(user.id, query, "since_event")
        messages = [message_with_history(kept) for kept in self._world.chat_messages(user.id)]
        return JSONResponse({"event": self._world.user(user.id).event, "messages": messages})

    async def _get_toasts(self, request: Request) -> Response:
        user = self._user(request)
        query = Args(dict(request.query_params))
        toasts = [toast for toast in self._world.memory.toasts if toast.user_id == user.id]
        new = [toast for toast in toasts if toast.event > query.integer("since_event")]
        return JSONResponse({"toasts": [toast.model_dump(mode="json") for toast in new]})

    async def _until_changed(self, chat_id: int, query: Args, since_name: str) -> None:
        loop = asyncio.get_running_loop()
        wait_seconds = min(float(query.text("wait_seconds", "0") or 0), _WAIT_SECONDS_MAX)
        end = loop.time() + wait_seconds
        while self._last_event(chat_id) <= query.integer(since_name) and loop.time() < end:
            await self._world.wait_for_change(end - loop.time(), chat_id)

    def _last_event(self, chat_id: int) -> int:
        users = self._world.memory.users
        return users[chat_id].event if chat_id in users else self._world.memory.last_event

    def _user(self, request: Request) -> User:
        return self._world.user(request.path_params["id"])

    # -- what a user does

    async def _text(self, user_id: int, args: Args, _request: Request) -> Json:
        return sent(self._people.text(user_id, args.text("text"), args.integer("reply_to_message_id")))

    async def _photo(self, user_id: int, args: Args, request: Request) -> Json:
        content, _name, _mime = await content_of_form(args, request, "photo")
        return sent(
            await self._people.photo(user_id, content, args.text("caption"), args.text("media_group_id"))
        )

    async def _album(self, user_id: int, args: Args, request: Request) -> Json:
        """Several parts named `photo` in one form, or `paths`."""
        form = await request.form() if isinstance(args.raw("photo"), UploadFile) else FormData()
        contents = [await each.read() for each in form.getlist("photo") if isinstance(each, UploadFile)]
        paths = args.json("paths") or []
        contents += [await read_local(request, str(path)) for path in paths]
        if not contents:
            raise UserError("an album needs photos")
        return sent(await self._people.album(user_id, contents, args.text("caption")))

    async def _document(self, user_id: int, args: Args, request: Request) -> Json:
        content, name, mime_type = await content_of_form(args, request, "document")
        name = args.text("filename") or name
        mime_type = args.text("mime") or mime_type
        return sent(await self._people.document(user_id, content, name, mime_type, args.text("caption")))

    async def _video(self, user_id: int, args: Args, request: Request) -> Json:
        content, name, _mime = await content_of_form(args, request, "video")
        return sent(await self._people.video(user_id, content, name, args.text("caption")))

    async def _voice(self, user_id: int, args: Args, _request: Request) -> Json:
        return sent(self._people.voice(user_id, args.integer("duration", 3)))

    async def _location(self, user_id: int, args: Args, _request: Request) -> Json:
        latitude = float(args.text("latitude", "55.75"))
        return sent(self._people.location(user_id, latitude, float(args.text("longitude", "37.62"))))

    async def _other(self, user_id: int, _args: Args, request: Request) -> Json:
        return sent(self._people.other(user_id, await read_fields(request)))

    async def _gif(self, user_id: int, args: Args, request: Request) -> Json:
        """A GIF or a mute MP4; without one the stand-in draws something."""
        is_given = args.uploads or args.text("path")
        content, name, _mime = await content_of_form(args, request, "gif") if is_given else (b"", "", "")
        return sent(await self._people.gif(user_id, content, name, args.text("caption")))

    async def _sticker(self, user_id: int, args: Args, _request: Request) -> Json:
        return sent(self._people.sticker(user_id, args.text("emoji", "👍")))

    async def _contact(self, user_id: int, args: Args, _request: Request) -> Json:
        return sent(self._people.contact(user_id, args.text("phone_number", "+79990000000")))

    async def _edit(self, user_id: int, args: Args, _request: Request) -> Json:
        return {"update_id": self._people.edit(user_id, args.integer("message_id"), args.text("text"))}

    async def _forward(self, user_id: int, args: Args, _request: Request) -> Json:
        message_id, from_user_id = args.integer("message_id"), args.integer("from_user_id")
        return sent(self._people.forward(user_id, message_id, from_user_id))

    async def _language(self, user_id: int, args: Args, _request: Request) -> Json:
        self._people.speak(user_id, args.text("language_code"))
        return {"language_code": args.text("language_code")}

    async def _press(self, user_id: int, args: Args, _request: Request) -> Json:
        press = Press(
            args.integer("message_id"), args.text("callback_data"), args.text("label"), args.flag("stale")
        )
        query_id, update_id = self._people.press(user_id, press)
        return {"callback_query_id": query_id, "update_id": update_id}

    async def _block(self, user_id: int, args: Args, _request: Request) -> Json:
        return {"update_id": self._people.block(user_id, edits_pass=args.flag("edits_pass"))}

    async def _unblock(self, user_id: int, _args: Args, _request: Request) -> Json:
        return {"update_id": self._people.unblock(user_id)}

    async def _read(self, user_id: int, _args: Args, _request: Request) -> Json:
        self._people.read(user_id)
        return {}

    async def _expire_callbacks(self, user_id: int, _args: Args, _request: Request) -> Json:
        return {"expired": self._people.expire_queries(user_id)}

    # -- updates and files

    async def _post_update(self, request: Request) -> Response:
        """Any update, as it is: {"update": {"message": {…}}}; an update_id is given unless it has one.
        With `force` even of a kind the bot did not ask for."""
        args = Args(await read_fields(request))
        update = args.json("update")
        kinds = [key for key in update or {} if key != "update_id"]
        if len(kinds) != 1:
            raise UserError('expected {"update": {"<kind>": {…}}}')
        payload = update[kinds[0]]
        chat_id = payload.get("chat", payload.get("from", {})).get("id", 0)
        update_id = self._mailbox.post(
            kinds[0], chat_id, payload, update.get("update_id", 0), is_forced=args.flag("force")
        )
        return JSONResponse({"update_id": update_id})

    async def _get_updates(self, _request: Request) -> Response:
        memory = self._world.memory
        updates = [update.shown() for update in memory.updates.values()]
        return JSONResponse({"updates": updates, "pending": memory.pending})

    async def _repeat_update(self, request: Request) -> Response:
        update_id = Args(await read_fields(request)).integer("update_id")
        if not self._mailbox.repeat(update_id):
            raise UserError(f"there was no update {update_id}", 404)
        return JSONResponse({"update_id": update_id})

    async def _expire_file(self, request: Request) -> Response:
        """Its link until the next getFile; with `forever` the file itself."""
        args = Args(await read_fields(request))
        found = self._files.find(args.text("file_id"))
        found.link_expired = True
        found.gone = args.flag("forever")
        return JSONResponse({"file_id": found.file_id, "gone": found.gone})

    async def _get_file(self, request: Request) -> Response:
        found = self._files.find(request.path_params["file_id"])
        headers = {"cache-control": "private, max-age=86400", "x-content-type-options": "nosniff"}
        is_shown = found.kind != "document"
        return FileResponse(
            self._files.location(found),
            headers=headers,
            media_type=found.mime_type if is_shown else "application/octet-stream",
            content_disposition_type="inline" if is_shown else "attachment",
            filename=None if is_shown else _name_of(found.attachment),
        )

    # -- the page's feed

    async def _get_state(self, request: Request) -> Response:
        """Everything that changed after `since`; the page asks again and again, waiting."""
        query = Args(dict(request.query_params))
        await self._until_changed(0, query, "since")
        memory = self._world.memory
        since = (
            0
            if query.integer("generation", memory.generation) != memory.generation
            else query.integer("since")
        )
        return JSONResponse(
            {
                "generation": memory.generation,
                "event": memory.last_event,
                "bot": bot_view(memory),
                "users": [user_view(self._world, user) for user in memory.users.values()],
                "messages": [view for user_id in memory.users for view in self._new_messages(user_id, since)],
                "toasts": [t.model_dump(mode="json") for t in memory.toasts if since and t.event > since],
            }
        )

    def _new_messages(self, user_id: int, since: int) -> list[Json]:
        if self._world.user(user_id).event <= since:
            return []
        changed = list(self._world.changed_messages(user_id, since))
        return [message_view(kept) for kept in changed[-_FIRST_LOAD_MESSAGES_MAX:]]


def _name_of(attachment: Json) -> str:
    return str(attachment.get("document", {}).get("file_name", "file"))
