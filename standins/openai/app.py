"""`/v1/responses` and `/v1/moderations`, with refusals, cut-off answers and verdicts on order."""

import base64
import hashlib
import io
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Any, Final

from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.control import Call, Control, Turns, read_fields, read_orders
from standins.openai.answers import Filler, snippet_of
from standins.openai.obedience import Answer as Dictated
from standins.openai.obedience import obey, words_of
from standins.weather import Weather

Answer = Callable[[dict[str, Any], Call], Response]

_CATEGORIES: Final = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent",
    "self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence",
    "violence/graphic",
)  # fmt: skip
_MODERATED_PICTURES_MAX: Final = 1


class Ruling(BaseModel):
    """What the answer to a request that contains `match` is. The fields exclude each other but `fields`."""

    model_config = ConfigDict(extra="forbid")

    match: str = ""
    skip: int = Field(default=0, ge=0)
    times: int = Field(default=1, ge=-1)
    refusal: str = ""
    incomplete: str = ""  # for example max_output_tokens
    text: str | None = None  # this text instead of one by the schema
    fields: dict[str, Any] = {}
    categories: list[str] = []  # of a moderation


class Obedience(BaseModel):
    """Whether the seller's words command the model, and what it reads on every photo besides."""

    model_config = ConfigDict(extra="forbid")

    obeys: bool
    on_the_photo: str = ""


class OpenAiApp:
    def __init__(self) -> None:
        self._rulings: list[tuple[Ruling, Turns]] = []
        self._obedience = Obedience(obeys=False)
        self.control = Control(on_reset=self._reset, weather=Weather(_bad_answer))

    def _reset(self) -> None:
        self._rulings.clear()
        self._obedience = Obedience(obeys=False)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/responses", self._guarded("responses", self._respond), methods=["POST"]),
            Route("/v1/moderations", self._guarded("moderations", self._moderate), methods=["POST"]),
            Route("/v1/models/{model}", self._get_model),
            Route("/control/rulings", self._post_rulings, methods=["POST"]),
            Route("/control/obedience", self._post_obedience, methods=["POST"]),
            *self.control.routes(),
        ]

    async def _get_model(self, request: Request) -> Response:
        """There are gpt-…, for whoever brings a key."""
        model = request.path_params["model"]
        if not request.headers.get("authorization", "").removeprefix("Bearer ").strip():
            return _error(401, "You didn't provide an API key.", "invalid_api_key")
        if not model.startswith("gpt-"):
            return _error(404, f"The model '{model}' does not exist.", "model_not_found")
        return JSONResponse({"id": model, "object": "model", "created": 0, "owned_by": "openai"})

    def _guarded(self, where: str, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            fields = await read_fields(request)
            given = fields.get("input")
            pictures = [_digest(address) for address in _pictures_in(given)]
            seen = {"model": fields.get("model"), "texts": list(_texts_in(given)), "pictures": pictures}
            call = Call(where, seen)

            async def effect() -> Response:
                if not request.headers.get("authorization", "").removeprefix("Bearer ").strip():
                    return _error(401, "You didn't provide an API key.", "invalid_api_key")
                return _picture_error(fields) or answer(fields, call)

            return await self.control.handle(call, effect)

        return endpoint

    def _respond(self, fields: dict[str, Any], call: Call) -> Response:
        ruling = self._ruling_for(call)
        if self._obedience.obeys:
            return JSONResponse(self._obeyed(fields, call, ruling))
        if ruling.refusal:
            return JSONResponse(_response(fields, {"type": "refusal", "refusal": ruling.refusal}))
        text = ruling.text if ruling.text is not None else _text_by_schema(fields, call, ruling)
        if ruling.incomplete:
            return JSONResponse(_response(fields, _text(text[: len(text) // 2]), ruling.incomplete))
        return JSONResponse(_response(fields, _text(text)))

    def _obeyed(self, fields: dict[str, Any], call: Call, ruling: Ruling) -> dict[str, Any]:
        said = words_of("\n".join(call.fields["texts"]))
        sane = json.loads(_text_by_schema(fields, call, ruling))
        dictated = Dictated(sane, fields.get("instructions") or "")
        obey(f"{said}\n{self._obedience.on_the_photo}", dictated)
        if dictated.refusal:
            return _response(fields, {"type": "refusal", "refusal": dictated.refusal})
        response = _response(fields, _text(dictated.text))
        if dictated.tool:
            response["output"] = [_tool_call(dictated.tool)]
        return response

    async def _post_obedience(self, request: Request) -> Response:
        orders = await read_orders(request, Obedience)
        if isinstance(orders, Response):
            return orders
        self._obedience = orders[-1]
        return JSONResponse(self._obedience.model_dump())

    def _moderate(self, fields: dict[str, Any], call: Call) -> Response:
        if (count := len(call.fields["pictures"])) > _MODERATED_PICTURES_MAX:
            told = f"Number of images ({count}) exceeds maximum of {_MODERATED_PICTURES_MAX}"
            return _error(400, told, "too_many_images")
        found = self._ruling_for(call).categories
        categories = {name: name in found for name in _CATEGORIES}
        result = {
            "flagged": bool(found),
            "categories": categories,
            "category_scores": {name: 0.98 if hit else 0.0001 for name, hit in categories.items()},
            "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
        }
        return JSONResponse(
            {"id": f"modr-{secrets.token_hex(8)}", "model": fields.get("model"), "results": [result]}
        )

    def _ruling_for(self, call: Call) -> Ruling:
        wanted = (each for each in self._rulings if _is_for(each[0], call) and each[1].fires())
        return next((ruling for ruling, _ in wanted), Ruling())

    async def _post_rulings(self, request: Request) -> Response:
        rulings = await read_orders(request, Ruling)
        if isinstance(rulings, Response):
            return rulings
        self._rulings += [(each, Turns(each.skip, each.times)) for each in rulings]
        return JSONResponse({"rulings": len(self._rulings)})


def openai_app() -> Starlette:
    return Starlette(routes=OpenAiApp().routes())


def _is_for(ruling: Ruling, call: Call) -> bool:
    is_moderation = call.where == "moderations"
    return bool(ruling.categories) == is_moderation and ruling.match in call.searchable


def _text_by_schema(fields: dict[str, Any], call: Call, ruling: Ruling) -> str:
    text_format = fields.get("text", {}).get("format", {})
    said = "\n".join(call.fields["texts"])
    if text_format.get("type") != "json_schema":
        return snippet_of(said)
    schema = text_format["schema"]
    filler = Filler(snippet_of(said), ruling.fields)
    return json.dumps(filler.value(schema, schema.get("$defs", {})), ensure_ascii=False)


def _tool_call(name: str) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{secrets.token_hex(12)}",
        "call_id": f"call_{secrets.token_hex(12)}",
        "name": name,
        "arguments": "{}",
        "status": "completed",
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _response(fields: dict[str, Any], content: dict[str, Any], incomplete: str = "") -> dict[str, Any]:
    status = "incomplete" if incomplete else "completed"
    message = {
        "type": "message",
        "id": f"msg_{secrets.token_hex(12)}",
        "role": "assistant",
        "status": status,
        "content": [content],
    }
    return {
        "id": f"resp_{secrets.token_hex(12)}",
        "object": "response",
        "created_at": int(time.time()),
        "model": fields.get("model"),
        "status": status,
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "error": None,
        "output": [message],
        "instructions": fields.get("instructions"),
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 900,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1_200,
        },
    }


def _error(status: int, message: str, code: str) -> Response:
    told = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": told}, status)


def _bad_answer(_where: str, kind: str, chance: Random) -> Response:
    told: dict[str, Any] = {"param": None}
    if kind == "answer_429":
        told |= {"message": "Rate limit reached for requests", "type": "requests"}
        return JSONResponse({"error": told | {"code": "rate_limit_exceeded"}}, 429)
    status = chance.choice((500, 502, 503))
    told |= {"message": "The server had an error while processing your request. Sorry about that!"}
    return JSONResponse({"error": told | {"type": "server_error", "code": None}}, status)


def _picture_error(fields: dict[str, Any]) -> Response | None:
    """OpenAI opens the pictures it is sent."""
    for address in _pictures_in(fields.get("input")):
        head, _, data = address.partition(";base64,")
        if not head.startswith("data:image/"):
            continue
        try:
            with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
                picture.verify()
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
            return _error(400, "You uploaded an unsupported image.", "invalid_image_format")
    return None


def _texts_in(given: Any) -> Iterable[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, list):
        for each in given:
            yield from _texts_in(each)
    elif isinstance(given, dict):
        yield from _texts_in(given.get("text") or given.get("content"))


def _digest(address: str) -> str:
    """How the journal names a picture: by what it holds."""
    data = address.partition(";base64,")[2] or address
    try:
        return hashlib.sha256(base64.b64decode(data)).hexdigest()
    except ValueError:
        return ""


def _pictures_in(given: Any) -> Iterable[str]:
    if isinstance(given, list):
        for each in given:
            yield from _pictures_in(each)
    elif isinstance(given, dict):
        address = given.get("image_url")
        address = address.get("url") if isinstance(address, dict) else address
        if isinstance(address, str):
            yield address
        yield from _pictures_in(given.get("content"))
