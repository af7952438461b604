"""Formatted text: Telegram's HTML to text and entities, and the entities a plain text has by itself."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Final

from standins.telegram.errors import ApiError, bad_request

Json = dict[str, Any]

_SIMPLE_TAGS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
}
_OPAQUE: Final = {"text_link", "code", "pre", "custom_emoji"}
_TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s[^<>]*)?)>|(<)|([^<]+)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_CHARACTER = re.compile(r"&(#\d+|#x[0-9a-fA-F]+|lt|gt|amp|quot);")
_FOUND_BY_ITSELF: Final = (
    ("bot_command", re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?")),
    ("url", re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")),
    ("mention", re.compile(r"(?<!\w)@[A-Za-z]\w{4,31}")),
    ("hashtag", re.compile(r"(?<!\w)#[^\W\d_]\w*")),
)


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str
    entities: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    tag: str
    offset: int
    position: int
    entity: Json


def utf16_length(text: str) -> int:
    """Telegram counts offsets and lengths in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def plain(text: str) -> Formatted:
    return Formatted(text, found_by_themselves(text))


def found_by_themselves(text: str) -> list[Json]:
    found = [
        {"type": kind, "offset": utf16_length(text[: hit.start()]), "length": utf16_length(hit.group())}
        for kind, pattern in _FOUND_BY_ITSELF
        for hit in pattern.finditer(text)
    ]
    return sorted(found, key=_place)


def formatted(text: str, parse_mode: str, entities: list[Json] | None) -> Formatted:
    """What a bot sends becomes what a chat holds: parsed, trimmed."""
    mode = parse_mode.lower()
    if mode == "html":
        return _trimmed(_with_found(parse_html(text)))
    if mode not in {"", "none"}:
        # Markdown is a part of the Bot API this stand-in does not play.
        raise bad_request("unsupported parse_mode")
    return _trimmed(Formatted(text, list(entities or found_by_themselves(text))))


def parse_html(source: str) -> Formatted:
    return _HtmlReader(source).read()


class _HtmlReader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._text = ""
        self._open: list[_Open] = []
        self._entities: list[Json] = []

    def read(self) -> Formatted:
        for token in _TOKEN.finditer(self._source):
            self._take(token)
        if self._open:
            raise _cannot_parse(
                f"Can't find end tag corresponding to start tag {_quoted(self._open[-1].tag)}"
            )
        return Formatted(self._text, sorted(self._entities, key=_place))

    def _take(self, token: re.Match[str]) -> None:
        closing, tag, attributes, stray, text = token.groups()
        if text is not None:
            self._text += _CHARACTER.sub(lambda hit: unescape(hit.group()), text)
        elif stray is not None:
            raise _cannot_parse(self._stray_message(token.start()))
        elif closing:
            self._close(tag.lower(), token)
        else:
            self._open_tag(tag.lower(), attributes, token)

    def _stray_message(self, position: int) -> str:
        rest = self._source[position + 1 : position + 40]
        name = re.match(r"[^\s>]*", rest)
        place = self._byte_offset(position)
        if ">" not in self._source[position:]:
            return f"Unclosed start tag at byte offset {place}"
        return f"Unsupported start tag {_quoted(name.group() if name else '')} at byte offset {place}"

    def _open_tag(self, tag: str, attributes: str, token: re.Match[str]) -> None:
        if tag not in _SIMPLE_TAGS:
            place = self._byte_offset(token.start())
            raise _cannot_parse(f"Unsupported start tag {_quoted(tag)} at byte offset {place}")
        given = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(attributes)}
        self._open.append(
            _Open(tag, utf16_length(self._text), len(self._text), self._entity(tag, given, token))
        )

    def _entity(self, tag: str, given: dict[str, str], token: re.Match[str]) -> Json:
        place = self._byte_offset(token.start())
        entity: Json = {"type": _SIMPLE_TAGS[tag]}
        match tag:
            case "a":
                entity["url"] = unescape(given.get("href", ""))
            case "span" if given.get("class") != "tg-spoiler":
                raise _cannot_parse(f'Tag "span" must have class "tg-spoiler" at byte offset {place}')
            case "blockquote" if "expandable" in given:
                entity["type"] = "expandable_blockquote"
            case "code" if given.get("class", "").startswith("language-"):
                entity["language"] = given["class"].removeprefix("language-")
            case "tg-emoji":
                entity["custom_emoji_id"] = given.get("emoji-id", "")
        return entity

    def _close(self, tag: str, token: re.Match[str]) -> None:
        place = self._byte_offset(token.start())
        if not self._open:
            raise _cannot_parse(f"Unexpected end tag at byte offset {place}")
        opened = self._open.pop()
        if opened.tag != tag:
            raise _cannot_parse(
                f"Unmatched end tag at byte offset {place}, expected {_quoted(f'</{opened.tag}>')}, "
                f"found {_quoted(f'</{tag}>')}"
            )
        self._keep(opened)

    def _keep(self, opened: _Open) -> None:
        inside = self._text[opened.position :]
        if not inside:
            return
        entity = opened.entity
        if entity["type"] == "text_link" and not entity["url"]:
            entity["url"] = inside
        if entity["type"] == "code" and self._open and self._open[-1].tag == "pre":
            self._open[-1].entity |= {key: entity[key] for key in ("language",) if key in entity}
            return
        entity.pop("language", None) if entity["type"] == "code" else None
        self._entities.append({**entity, "offset": opened.offset, "length": utf16_length(inside)})

    def _byte_offset(self, position: int) -> int:
        return len(self._source[:position].encode())


def _quoted(name: str) -> str:
    return f'"{name}"'


def _cannot_parse(why: str) -> ApiError:
    return bad_request(f"can't parse entities: {why}")


def _place(entity: Json) -> tuple[int, int]:
    return entity["offset"], -entity["length"]


def _with_found(whole: Formatted) -> Formatted:
    """Addresses and commands are found in formatted text too, but not inside links and code."""
    taken = [each for each in whole.entities if each["type"] in _OPAQUE]
    found = [
        each for each in found_by_themselves(whole.text) if not any(_overlap(each, other) for other in taken)
    ]
    return Formatted(whole.text, sorted([*whole.entities, *found], key=_place))


def _overlap(one: Json, other: Json) -> bool:
    one_end, other_end = one["offset"] + one["length"], other["offset"] + other["length"]
    return bool(one["offset"] < other_end and other["offset"] < one_end)


def _trimmed(whole: Formatted) -> Formatted:
    """Telegram drops the white space around a text; entities move with it."""
    text = whole.text.strip()
    cut = utf16_length(whole.text[: len(whole.text) - len(whole.text.lstrip())])
    end = utf16_length(text)
    kept = []
    for entity in whole.entities:
        start = max(entity["offset"] - cut, 0)
        stop = min(entity["offset"] + entity["length"] - cut, end)
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return Formatted(text, kept)
