"""What KIE's codes and texts mean. Moderation wording is looked at before the code: it comes with any."""

import re
from collections.abc import Sequence
from typing import Final

from domain.failures import Failure, FailureClass, FailureReason

_Texts = Sequence[tuple[re.Pattern[str], FailureClass]]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_MODERATION: Final = _words(
    r"nsfw|moderat|\bsensitive\b|\bsafety\b|\bunsafe\b|content polic|violat|guardrail|prohibit|third party"
    r"|photorealistic|prominent people|\bminors?\b|\bfaces?\b|inappropriate|public error .*filter"
    r"|\bsexual|\bnud(?:e|ity)\b"
)

_REASONS: Final = (
    (_words(r"\bminors?\b|\bchild|underage"), FailureReason.MINOR),
    (
        _words(r"photorealistic|prominent people|\bfaces?\b|\bpersons?\b|\bpeople\b|celebrit"),
        FailureReason.PERSON,
    ),
    (_words(r"third party|similarity|trademark|copyright|\bbrand|\bcharacters?\b"), FailureReason.BRAND),
    (_words(r"nsfw|sexual|\bnud(?:e|ity)\b|\badult\b|porn"), FailureReason.ADULT),
)

_FIXED_CODES: Final = {
    401: FailureClass.BILLING,
    402: FailureClass.BILLING,
    429: FailureClass.RATE_LIMIT,
    451: FailureClass.BAD_REQUEST,
    455: FailureClass.TEMPORARY,
    505: FailureClass.MODEL_UNAVAILABLE,
}

_TEXTS: Final[_Texts] = (
    (_words(r"interface is temporarily paused"), FailureClass.MODEL_UNAVAILABLE),
    (
        _words(r"\bmodel\b.*(not supported|not exist|no longer|discontinued|offline)"),
        FailureClass.MODEL_UNAVAILABLE,
    ),
    (
        _words(
            r"(credits?|balance)\b.*insufficient|insufficient .*(credits?|balance)|top up|access permissions"
        ),
        FailureClass.BILLING,
    ),
    (
        _words(r"call frequency|too many requests|rate limit|concurrent generation limit"),
        FailureClass.RATE_LIMIT,
    ),
    (
        _words(
            r"is required|invalid request param|parameter validation|image format incorrect"
            r"|unsupported width or height|failed to fetch the image"
        ),
        FailureClass.BAD_REQUEST,
    ),
    (
        _words(
            r"internal (server )?error|server exception|service unavailable|time ?out|timed out"
            r"|deadline exceeded|try again|please retry|maintenance"
        ),
        FailureClass.TEMPORARY,
    ),
)

# Where the text decided nothing.
_DEFAULTS: Final = {
    400: FailureClass.BAD_REQUEST,
    408: FailureClass.TEMPORARY,
    422: FailureClass.BAD_REQUEST,
    500: FailureClass.TEMPORARY,
    501: FailureClass.TEMPORARY,
    502: FailureClass.TEMPORARY,
    503: FailureClass.TEMPORARY,
    504: FailureClass.TEMPORARY,
}


def failure_of(code: str | int | None, message: str) -> Failure:
    """One table for refused calls and failed KIE tasks: `failCode` is the same number as a string."""
    text = re.sub(r"[_\-\s]+", " ", message)
    label = "" if code is None else str(code).strip()[:40]
    if _MODERATION.search(text):
        return Failure(FailureClass.USER_VIOLATION, _reason(text), label)
    return Failure(_failure_class(int(label) if label.isdecimal() else 0, text), code=label)


def _failure_class(number: int, text: str) -> FailureClass:
    if number in _FIXED_CODES:
        return _FIXED_CODES[number]
    by_text = next((found for pattern, found in _TEXTS if pattern.search(text)), None)
    return by_text or _DEFAULTS.get(number, FailureClass.UNKNOWN)


def _reason(text: str) -> FailureReason:
    return next((reason for pattern, reason in _REASONS if pattern.search(text)), FailureReason.CONTENT)
