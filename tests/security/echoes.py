"""Answers that repeat the request, as a provider's debug page does: in words, in an address, in base64."""

import base64
from typing import Any
from urllib.parse import quote

from tests.security.canaries import Canaries


def said(secret: str) -> str:
    header = f"Bearer {secret}"
    return (
        f"you sent Authorization: {header}; /bot{secret}/method; /bot{quote(secret, safe='')}/method;"
        f" {base64.b64encode(header.encode()).decode()} {header.encode().hex()}"
    )


def page(secret: str) -> str:
    return f"<html><title>Oops</title><pre>{said(secret)}</pre></html>"


def of_kie(canaries: Canaries, code: int = 500, words: str = "") -> dict[str, Any]:
    both = " ".join(map(said, canaries.kie_keys))
    return {"code": code, "msg": f"{words} {both}", "data": None}


def of_openai(canaries: Canaries) -> dict[str, Any]:
    error = {"message": f"Incorrect API key provided: {said(canaries.openai_key)}", "type": "invalid"}
    return {"error": {**error, "code": said(canaries.openai_key)[:300]}}


def of_telegram(canaries: Canaries, code: int = 400, words: str = "Bad Request") -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": f"{words}: {said(canaries.bot_token)}"}
