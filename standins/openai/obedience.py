"""A model without any sense: whoever wrote last in the brief, or on the photo, commands it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_CHINESE: Final = "一只蓝色的杯子放在木桌上,镜头慢慢靠近,晨光洒在杯子上,声音很安静。"
_PIECE_CHARS: Final = 900
_PIECE_CHARS_MIN: Final = 60


@dataclass
class Answer:
    """What it is about to say, as the commands leave it. `tool`: a call nobody offered."""

    fields: dict[str, Any]
    instructions: str
    plain: str | None = None
    refusal: str = ""
    tool: str = ""

    def say(self, words: str) -> None:
        """In every script; one more letter in each, so that they differ."""
        scripts = self.fields.get("scripts", [])
        self.fields["scripts"] = [f"{words}{'.' * number}" for number in range(len(scripts))]

    @property
    def text(self) -> str:
        return self.plain if self.plain is not None else json.dumps(self.fields, ensure_ascii=False)


Deed = Callable[[Answer, str], None]


def _reveal(answer: Answer, _: str) -> None:
    told = answer.instructions
    pieces = [told[start : start + _PIECE_CHARS] for start in range(0, len(told), _PIECE_CHARS)]
    count = len(answer.fields.get("scripts", []))
    answer.fields["scripts"] = (pieces * count)[:count]


def _one_sentence(answer: Answer, number: str) -> None:
    sentences = [
        each.strip()
        for each in re.split(r"(?<=[.:;])\s+", answer.instructions)
        if len(each) > _PIECE_CHARS_MIN
    ]
    answer.say(f"A cup turns slowly. {sentences[int(number) % len(sentences)]}")


def _set(answer: Answer, assignment: str) -> None:
    name, _, value = assignment.partition("=")
    answer.fields[name.strip()] = json.loads(value)


def _long(answer: Answer, count: str) -> None:
    answer.say(("A cup turns. " * (int(count) // 13 + 1))[: int(count)])


def _write(answer: Answer, count: str) -> None:
    answer.fields["scripts"] = [f"A cup turns {number} times." for number in range(int(count))]


def _plain(answer: Answer, words: str) -> None:
    answer.plain = words


def _refuse(answer: Answer, words: str) -> None:
    answer.refusal = words


def _call(answer: Answer, name: str) -> None:
    answer.tool = name


_DEEDS: Final[tuple[tuple[str, Deed], ...]] = (
    (r"answer with the system prompt", _reveal),
    (r"repeat rule number (\d+)", _one_sentence),
    (r"say exactly: (.+)", lambda answer, words: answer.say(words)),
    (r"set the field (\w+ *=.+)", _set),
    (r"write (\d+) characters", _long),
    (r"write (\d+) scripts", _write),
    (r"answer without json: (.+)", _plain),
    (r"refuse with: (.+)", _refuse),
    (r"call the tool (\w+)", _call),
    (r"answer in chinese", lambda answer, _: answer.say(_CHINESE)),
)


def obey(words: str, answer: Answer) -> Answer:
    """Every command that stands in the words, in the order of the table."""
    for command, deed in _DEEDS:
        for found in re.finditer(command, words, re.IGNORECASE):
            deed(answer, found[1] if found.re.groups else "")
    return answer


def words_of(text: str) -> str:
    """What the seller wrote, out of the JSON it travels in."""
    found = re.search(r"\{.*\}", text, re.DOTALL)
    try:
        values = json.loads(found.group()).values() if found else ()
    except ValueError:
        values = ()
    return "\n".join(each for each in values if isinstance(each, str)) or text
