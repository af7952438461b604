"""From the fields of a call to the parts of a Message, checked as Telegram checks them."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import UploadFile

from standins.telegram.args import Args
from standins.telegram.entities import Formatted, formatted, utf16_length
from standins.telegram.errors import bad_request
from standins.telegram.files import FileStore
from standins.telegram.world import World

Json = dict[str, Any]

TEXT_LENGTH_MAX: Final = 4096
CAPTION_LENGTH_MAX: Final = 1024
_CALLBACK_DATA_BYTES_MAX: Final = 64
_BUTTONS_MAX: Final = 100
_BUTTON_KINDS: Final = {
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
}
_BUTTON_FIELDS: Final = {*_BUTTON_KINDS, "text", "style", "icon_custom_emoji_id"}
MEDIA_KINDS: Final = ("photo", "video", "animation", "document", "voice", "audio", "video_note", "sticker")


def text_part(args: Args) -> Json:
    """`text` and its entities."""
    whole = formatted(args.text("text"), args.text("parse_mode"), args.json("entities"))
    if not whole.text:
        raise bad_request("message text is empty")
    if utf16_length(whole.text) > TEXT_LENGTH_MAX:
        raise bad_request("message is too long")
    part = _part("text", "entities", whole)
    preview = args.json("link_preview_options")
    return part | ({"link_preview_options": preview} if preview else {})


def caption_part(text: str, parse_mode: str, entities: list[Json] | None) -> Json:
    whole = formatted(text, parse_mode, entities)
    if utf16_length(whole.text) > CAPTION_LENGTH_MAX:
        raise bad_request("message caption is too long")
    return _part("caption", "caption_entities", whole) if whole.text else {}


def caption_of(args: Args) -> Json:
    part = caption_part(args.text("caption"), args.text("parse_mode"), args.json("caption_entities"))
    return part | ({"show_caption_above_media": True} if args.flag("show_caption_above_media") else {})


def markup_part(args: Args, *, may_pay: bool = False) -> Json:
    """Only an inline keyboard is a part of the Message; the other kinds belong to the chat."""
    markup = args.json("reply_markup")
    if markup is None:
        return {}
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = [[_button(button) for button in row] for row in markup.get("inline_keyboard", [])]
    rows = [row for row in rows if row]
    _check_pay_buttons(rows, may_pay=may_pay)
    if sum(map(len, rows)) > _BUTTONS_MAX:
        raise bad_request("reply markup is too long")
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _check_pay_buttons(rows: list[list[Json]], *, may_pay: bool) -> None:
    """An invoice begins with its Pay button; nothing else has one."""
    buttons = [button for row in rows for button in row]
    paying = [index for index, button in enumerate(buttons) if "pay" in button]
    if paying and not may_pay:
        raise bad_request("BUTTON_TYPE_INVALID")
    if rows and may_pay and paying != [0]:
        raise bad_request("BUTTON_POS_INVALID")


def _button(button: Any) -> Json:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be of type String')
    given = {key: value for key, value in button.items() if key in _BUTTON_FIELDS and value is not None}
    if not _BUTTON_KINDS & given.keys():
        raise bad_request("text buttons are unallowed in the inline keyboard")
    data = given.get("callback_data")
    if data is not None and not 0 < len(str(data).encode()) <= _CALLBACK_DATA_BYTES_MAX:
        raise bad_request("BUTTON_DATA_INVALID")
    if not given["text"].strip():
        raise bad_request("inline keyboard button text must be non-empty")
    return given


def reply_part(args: Args, world: World, user_id: int) -> Json:
    """The message replied to, without its own reply."""
    given = args.json("reply_parameters") or {}
    message_id = int(given.get("message_id") or args.integer("reply_to_message_id"))
    if not message_id:
        return {}
    found = world.find(user_id, message_id)
    if found is None:
        if given.get("allow_sending_without_reply") or args.flag("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")
    return {"reply_to_message": {key: found.body[key] for key in found.body if key != "reply_to_message"}}


@dataclass(frozen=True, slots=True)
class MediaReader:
    """Finds the file a call speaks of: an upload, an attach:// reference, or a file_id."""

    files: FileStore

    async def field(self, args: Args, name: str, wanted: str) -> Json:
        if not args.has(name):
            raise bad_request(f"there is no {wanted.replace('_', ' ')} in the request")
        upload = args.upload(name)
        return await (self._kept(upload, wanted) if upload else self.reference(args, args.text(name), wanted))

    async def reference(self, args: Args, reference: str, wanted: str) -> Json:
        if reference.startswith("attach://"):
            upload = args.upload(reference.removeprefix("attach://"))
            if upload is None:
                raise bad_request("can't parse input media: attached file not found")
            return await self._kept(upload, wanted)
        if reference.startswith(("http://", "https://")):
            # This stand-in reaches nobody; a bot that depends on fetching by address finds out here.
            raise bad_request("failed to get HTTP URL content")
        return self.files.attachment_of(reference, wanted)

    async def _kept(self, upload: UploadFile, wanted: str) -> Json:
        content = await upload.read()
        return await self.files.keep(wanted, content, upload.filename or "", upload.content_type or "")


def without_content(body: Json) -> Json:
    """A Message with neither text nor media, to be filled anew by an edit."""
    content = {"text", "entities", "link_preview_options", "caption", "caption_entities", "reply_markup"}
    return {key: value for key, value in body.items() if key not in {*content, *MEDIA_KINDS}}


def content_of(body: Json) -> Json:
    """What "message is not modified" compares."""
    compared = ("text", "entities", "caption", "caption_entities", "reply_markup", *MEDIA_KINDS)
    return {key: body[key] for key in compared if key in body}


def media_of(body: Json) -> Json:
    return {key: body[key] for key in MEDIA_KINDS if key in body}


def _part(text_field: str, entities_field: str, whole: Formatted) -> Json:
    return {text_field: whole.text} | ({entities_field: whole.entities} if whole.entities else {})
