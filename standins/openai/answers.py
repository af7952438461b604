"""What the stand-in says: filled in from the schema that was asked for, and about the seller's product."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SNIPPET_CHARS_MAX: Final = 160
_SHOTS: Final = (
    "Morning light slides over it while the camera glides in, handheld and close",
    "It stands on a wet stone in the evening, and the camera circles it slowly",
    "A hand puts it down on a wooden table, and the camera follows from above",
    "It turns in soft studio light, and the camera pulls back to show it whole",
    "Rain runs down the window behind it, and the camera drifts from left to right",
)


@dataclass(frozen=True, slots=True)
class Filler:
    """`chosen` names fields whose value was ordered; every other field says that all is well."""

    snippet: str
    chosen: Mapping[str, Any]

    def value(
        self, schema: dict[str, Any], definitions: dict[str, Any], name: str = "", index: int = 0
    ) -> Any:
        if name in self.chosen:
            return self.chosen[name]
        if "$ref" in schema:
            return self.value(definitions[schema["$ref"].rpartition("/")[2]], definitions, name, index)
        if "enum" in schema:
            return schema["enum"][0]
        if "const" in schema:
            return schema["const"]
        if "anyOf" in schema:
            return self.value(schema["anyOf"][0], definitions, name, index)
        return self._plain(schema, definitions, index)

    def _plain(self, schema: dict[str, Any], definitions: dict[str, Any], index: int) -> Any:
        match schema.get("type"):
            case "object":
                parts = schema.get("properties", {})
                return {key: self.value(part, definitions, key, index) for key, part in parts.items()}
            case "array":
                count = schema.get("minItems", 1)
                return [self.value(schema.get("items", {}), definitions, "", n) for n in range(count)]
            case "string":
                return self._sentence(index)[: schema.get("maxLength", 2_000)]
            case "boolean":
                return False
            case "integer" | "number":
                return schema.get("minimum", 0)
            case _:
                return None

    def _sentence(self, index: int) -> str:
        shot = _SHOTS[index % len(_SHOTS)]
        return f"{shot}. Shot {index + 1}, one take: {self.snippet}".strip()


def snippet_of(text: str) -> str:
    """The first words of all the seller said in what was sent: of a JSON object its texts, else the end."""
    found = re.search(r"\{.*\}", text, re.DOTALL)
    try:
        values = json.loads(found.group()).values() if found else ()
    except ValueError:
        values = ()
    said = [each.strip()[:_SNIPPET_CHARS_MAX] for each in values if isinstance(each, str) and each.strip()]
    return "; ".join(said) or text[-_SNIPPET_CHARS_MAX:].strip()
