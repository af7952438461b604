"""OpenAI's answers at the border, and what its errors mean."""

import re
from typing import Final

from pydantic import BaseModel, ValidationError

from domain.failures import Failure, FailureClass, FailureReason

_CODE: Final = re.compile(r"[\w.,/-]{1,60}")  # what is longer is a sentence, and stays in the raw answer
_CREDIT_CODES: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_MODERATION_CODES: Final = frozenset({"content_policy_violation", "moderation_blocked", "content_filter"})
_BILLING_STATUSES: Final = frozenset({401, 403})
_BAD_REQUEST_STATUSES: Final = frozenset({400, 404, 413, 422})
_TEMPORARY_STATUSES: Final = frozenset({408, 409})
_TOO_MANY: Final = 429
_SERVER_ERROR_MIN: Final = 500

_REASONS: Final = (("sexual/minors", FailureReason.MINOR), ("sexual", FailureReason.ADULT))


class ModerationResult(BaseModel):
    flagged: bool
    categories: dict[str, bool | None] = {}


class ModerationAnswer(BaseModel):
    results: list[ModerationResult]


class Content(BaseModel):
    type: str = ""
    text: str = ""
    refusal: str = ""


class Output(BaseModel):
    type: str = ""
    content: list[Content] | None = None


class IncompleteDetails(BaseModel):
    reason: str = ""


class ResponseAnswer(BaseModel):
    """The part of `/v1/responses` that decides before the structured text is read."""

    status: str = ""
    incomplete_details: IncompleteDetails | None = None
    output: list[Output] = []

    @property
    def incomplete_reason(self) -> str:
        return self.incomplete_details.reason if self.incomplete_details else ""

    @property
    def refusal(self) -> str:
        return next((part.refusal for part in self._parts if part.type == "refusal"), "")

    @property
    def text(self) -> str:
        return "".join(part.text for part in self._parts if part.type == "output_text")

    @property
    def _parts(self) -> list[Content]:
        return [part for each in self.output if each.type == "message" for part in each.content or []]


def failure_of_status(status: int, code: str) -> tuple[Failure, bool]:
    """The failure, and whether asking again may help."""
    label = code if _CODE.fullmatch(code) else str(status)
    if code in _MODERATION_CODES:
        return Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, label), False
    if code in _CREDIT_CODES or status in _BILLING_STATUSES:
        return Failure(FailureClass.BILLING, code=label), False
    if status == _TOO_MANY:
        return Failure(FailureClass.RATE_LIMIT, code=label), True
    if status in _BAD_REQUEST_STATUSES:
        return Failure(FailureClass.BAD_REQUEST, code=label), False
    if status in _TEMPORARY_STATUSES or status >= _SERVER_ERROR_MIN:
        return Failure(FailureClass.TEMPORARY, code=label), True
    return Failure(FailureClass.UNKNOWN, code=label), False


def serves_nobody(status: int, code: str) -> bool:
    """Whatever is asked: it is in trouble, or our money is used up."""
    return status >= _SERVER_ERROR_MIN or code in _CREDIT_CODES


def failure_of_moderation(answer: ModerationAnswer) -> Failure | None:
    flagged = {
        category
        for result in answer.results
        if result.flagged
        for category, found in result.categories.items()
        if found
    }
    if not any(result.flagged for result in answer.results):
        return None
    reason = next((reason for category, reason in _REASONS if category in flagged), FailureReason.CONTENT)
    return Failure(FailureClass.USER_VIOLATION, reason, ",".join(sorted(flagged)))


def failure_of_response(answer: ResponseAnswer) -> Failure | None:
    """None where the answer is whole and no refusal."""
    if answer.refusal:
        return Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, "refusal")
    if answer.incomplete_reason == "content_filter":
        return Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, "content_filter")
    if answer.status != "completed":
        code = answer.incomplete_reason or answer.status
        return Failure(FailureClass.TEMPORARY, code=code if _CODE.fullmatch(code) else "no_status")
    return None


def read_moderation(text: str) -> ModerationAnswer | None:
    try:
        answer = ModerationAnswer.model_validate_json(text)
    except ValidationError:
        return None
    return answer if answer.results else None


def read_response(text: str) -> ResponseAnswer | None:
    try:
        return ResponseAnswer.model_validate_json(text)
    except ValidationError:
        return None
