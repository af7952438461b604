"""The Bot API methods about the bot itself, its updates, its files and its chats."""

import json
import re
from typing import Any, Final
from urllib.parse import urlsplit

from standins.telegram.args import Args
from standins.telegram.errors import bad_request
from standins.telegram.files import FileStore
from standins.telegram.groups import Groups
from standins.telegram.mailbox import Mailbox
from standins.telegram.model import Webhook
from standins.telegram.sending import Method
from standins.telegram.world import World

Json = dict[str, Any]

_COMMANDS_MAX: Final = 100
_DESCRIPTION_LENGTH_MAX: Final = 512
_SHORT_DESCRIPTION_LENGTH_MAX: Final = 120
_SECRET_LENGTH_MAX: Final = 256
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]*")
_WEBHOOK_PORTS: Final = {80, 88, 443, 8443}
_CAN: Final = {
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}
_CAN_MORE: Final = {"can_connect_to_business": False, "has_main_web_app": False}
_NO_GIFTS: Final = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


class Account:
    def __init__(self, world: World, files: FileStore, mailbox: Mailbox, groups: Groups) -> None:
        self._world = world
        self._files = files
        self._mailbox = mailbox
        self._groups = groups

    def methods(self) -> dict[str, Method]:
        return {
            "getMe": self._get_me,
            "logOut": self._yes,
            "close": self._yes,
            "getFile": self._get_file,
            "getChat": self._get_chat,
            "leaveChat": self._leave_chat,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "setMyCommands": self._set_my_commands,
            "getMyCommands": self._get_my_commands,
            "deleteMyCommands": self._delete_my_commands,
            "setMyName": self._set_my_name,
            "setMyDescription": self._set_my_description,
            "getMyDescription": self._get_my_description,
            "setMyShortDescription": self._set_my_short_description,
            "getMyShortDescription": self._get_my_short_description,
            "setChatMenuButton": self._set_chat_menu_button,
            "getChatMenuButton": self._get_chat_menu_button,
        }

    async def _yes(self, _args: Args) -> bool:
        return True

    async def _get_me(self, _args: Args) -> Json:
        return {**self._world.memory.bot.shown(), **_CAN, **_CAN_MORE}

    async def _get_file(self, args: Args) -> Json:
        return self._files.link(args.text("file_id"))

    async def _get_chat(self, args: Args) -> Json:
        chat = self._world.known_chat(args.text("chat_id"))
        gifts = {"accepted_gift_types": _NO_GIFTS}
        return {**chat.chat(), "accent_color_id": chat.id % 7, "max_reaction_count": 11, **gifts}

    async def _leave_chat(self, args: Args) -> bool:
        self._groups.leave(args.text("chat_id"))
        return True

    # -- webhook

    async def _set_webhook(self, args: Args) -> bool:
        url = args.text("url")
        if not url:
            return await self._delete_webhook(args)
        self._check_address(url)
        wanted = Webhook(url=url, secret_token=_secret(args), max_connections=_connections(args))
        self._mailbox.allow(args.json("allowed_updates"))
        self._drop_if_asked(args)
        if not self._world.memory.webhook.is_like(wanted):
            self._replace_webhook(wanted)
        return True

    async def _delete_webhook(self, args: Args) -> bool:
        self._drop_if_asked(args)
        self._replace_webhook(Webhook())
        return True

    def _replace_webhook(self, wanted: Webhook) -> None:
        self._world.memory.webhook = wanted
        self._world.is_unsaved = True
        if wanted.url:
            self._mailbox.end_poll("terminated by setWebhook request")
        self._mailbox.on_post()

    def _check_address(self, url: str) -> None:
        # Telegram insists on https; on one machine plain http has to do.
        port = _port(url)
        if port is None:
            raise bad_request("invalid webhook URL specified")
        if self._world.memory.knobs.strict_ports and port not in _WEBHOOK_PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")

    async def _get_webhook_info(self, _args: Args) -> Json:
        memory = self._world.memory
        hook = memory.webhook
        errors = {"last_error_date": hook.last_error_date, "last_error_message": hook.last_error_message}
        return {
            "url": hook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(memory.pending),
            **({"max_connections": hook.max_connections} if hook.url else {}),
            **({"allowed_updates": memory.allowed_updates} if memory.allowed_updates else {}),
            **(errors if hook.last_error_date else {}),
        }

    def _drop_if_asked(self, args: Args) -> None:
        if args.flag("drop_pending_updates"):
            self._mailbox.drop_pending()

    # -- what the bot says of itself

    async def _set_my_commands(self, args: Args) -> bool:
        commands = args.json("commands")
        if not isinstance(commands, list) or len(commands) > _COMMANDS_MAX:
            raise bad_request("can't parse bot commands: there must be at most 100 of them in an Array")
        if any(not each.get("command") or not each.get("description") for each in commands):
            raise bad_request("BOT_COMMAND_INVALID")
        self._world.memory.commands[_commands_key(args)] = [
            {"command": each["command"].lstrip("/"), "description": each["description"]} for each in commands
        ]
        self._world.next_event(0)
        return True

    async def _get_my_commands(self, args: Args) -> list[Json]:
        return self._world.memory.commands.get(_commands_key(args), [])

    async def _delete_my_commands(self, args: Args) -> bool:
        self._world.memory.commands.pop(_commands_key(args), None)
        self._world.next_event(0)
        return True

    async def _set_my_name(self, args: Args) -> bool:
        self._world.memory.bot.first_name = args.text("name") or self._world.memory.bot.first_name
        self._world.next_event(0)
        return True

    async def _set_my_description(self, args: Args) -> bool:
        description = args.text("description")
        if len(description) > _DESCRIPTION_LENGTH_MAX:
            raise bad_request("bot description is too long")
        bot = self._world.memory.bot
        if code := args.text("language_code"):
            bot.descriptions[code] = description
        else:
            bot.description = description
        self._world.next_event(0)
        return True

    async def _get_my_description(self, args: Args) -> Json:
        return {"description": self._world.memory.bot.description_for(args.text("language_code"))}

    async def _set_my_short_description(self, args: Args) -> bool:
        description = args.text("short_description")
        if len(description) > _SHORT_DESCRIPTION_LENGTH_MAX:
            raise bad_request("bot short description is too long")
        bot = self._world.memory.bot
        if code := args.text("language_code"):
            bot.short_descriptions[code] = description
        else:
            bot.short_description = description
        return True

    async def _get_my_short_description(self, args: Args) -> Json:
        bot = self._world.memory.bot
        found = bot.short_descriptions.get(args.text("language_code")) or bot.short_description
        return {"short_description": found}

    async def _set_chat_menu_button(self, args: Args) -> bool:
        self._world.memory.bot.menu_button = args.json("menu_button") or {"type": "default"}
        return True

    async def _get_chat_menu_button(self, _args: Args) -> Json:
        return self._world.memory.bot.menu_button


def _port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        named = parts.port
    except ValueError:
        return None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return (named or usual) if usual and parts.hostname else None


def _secret(args: Args) -> str:
    secret = args.text("secret_token")
    if len(secret) > _SECRET_LENGTH_MAX:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    return secret


def _connections(args: Args) -> int:
    return min(max(args.integer("max_connections", 40), 1), 100)


def _commands_key(args: Args) -> str:
    scope = args.json("scope") or {"type": "default"}
    return commands_key(scope, args.text("language_code"))


def commands_key(scope: Json, language_code: str) -> str:
    return json.dumps([scope.get("type"), scope.get("chat_id"), language_code])


def commands_for(commands: dict[str, list[Json]], user_id: int, language_code: str) -> list[Json]:
    """The commands a user sees: the narrowest scope wins, then his language."""
    scopes: list[Json] = [
        {"type": "chat", "chat_id": user_id},
        {"type": "all_private_chats"},
        {"type": "default"},
    ]
    for scope in scopes:
        for language in (language_code, ""):
            found = commands.get(commands_key(scope, language))
            if found:
                return found
    return []
