"""Groups: a bot for private chats has little to do there, but people add it all the same."""

from http import HTTPStatus
from typing import Any

from standins.telegram.entities import plain
from standins.telegram.errors import UserError, bad_request, forbidden
from standins.telegram.mailbox import Mailbox
from standins.telegram.model import Group, Kept
from standins.telegram.world import World

Json = dict[str, Any]


class Groups:
    def __init__(self, world: World, mailbox: Mailbox) -> None:
        self._world = world
        self._mailbox = mailbox

    def add(self, group_id: int, user_id: int, title: str = "") -> list[int]:
        """The bot hears of its membership, then sees the service message as everybody in the group."""
        user = self._world.user(user_id)
        group = self._made(group_id, title)
        if group.has_bot:
            raise UserError("the bot is in this group already", HTTPStatus.CONFLICT)
        changed = self._change_membership(group, user.shown(), has_bot=True)
        content = {"new_chat_members": [self._world.memory.bot.shown()]}
        joined = self._world.add_message(group, content, from_bot=False, sender=user)
        return [changed, self._mailbox.post("message", group_id, joined.body)]

    def text(self, group_id: int, user_id: int, text: str) -> Json:
        """A group nobody has made yet is one the bot is in. What is said after it left reaches it no more."""
        user = self._world.user(user_id)
        if not text.strip():
            raise UserError("the text is empty")
        group = self._world.memory.groups.get(group_id) or self._made(group_id, "", has_bot=True)
        whole = plain(text.strip())
        content = {"text": whole.text} | ({"entities": whole.entities} if whole.entities else {})
        kept = self._world.add_message(group, content, from_bot=False, sender=user)
        update_id = self._mailbox.post("message", group_id, kept.body) if group.has_bot else 0
        return {"message_ids": [kept.message_id], "update_ids": [update_id] if update_id else []}

    def leave(self, chat_id: str) -> None:
        """What the bot asks for with leaveChat."""
        group = self._world.known_chat(chat_id)
        if not isinstance(group, Group):
            raise bad_request("chat member status can't be changed in private chats")
        if not group.has_bot:
            raise forbidden("bot is not a member of the supergroup chat")
        self._change_membership(group, self._world.memory.bot.shown(), has_bot=False)

    def group(self, group_id: int) -> Group:
        found = self._world.memory.groups.get(group_id)
        if found is None:
            raise UserError(f"there is no group {group_id}", HTTPStatus.NOT_FOUND)
        return found

    def messages(self, group_id: int) -> list[Kept]:
        return self._world.chat_messages(group_id)

    def _made(self, group_id: int, title: str, *, has_bot: bool = False) -> Group:
        if group_id >= 0:
            raise UserError("the id of a group is negative")
        known = self._world.memory.groups.get(group_id) or Group(id=group_id, has_bot=has_bot)
        known.title = title or known.title
        self._world.memory.groups[group_id] = known
        return known

    def _change_membership(self, group: Group, by: Json, *, has_bot: bool) -> int:
        group.has_bot = has_bot
        self._world.next_event(group.id)
        bot = self._world.memory.bot.shown()
        member, left = {"user": bot, "status": "member"}, {"user": bot, "status": "left"}
        payload = {
            "chat": group.chat(),
            "from": by,
            "date": self._world.unix_now(),
            "old_chat_member": left if has_bot else member,
            "new_chat_member": member if has_bot else left,
        }
        return self._mailbox.post("my_chat_member", group.id, payload)
