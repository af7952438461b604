"""Every documented code and text, and what it means."""

import pytest

from clients.kie_answers import failure_of
from domain.failures import FailureClass, FailureReason

pytestmark = pytest.mark.unit

CODES = [
    (401, "You do not have access permissions", FailureClass.BILLING),
    (402, "The current credits are insufficient. Please top up.", FailureClass.BILLING),
    (429, "Your call frequency is too high. Please try again later.", FailureClass.RATE_LIMIT),
    (500, "Your call frequency is too high. Please try again later.", FailureClass.RATE_LIMIT),
    (422, "The model name you specified is not supported. Please check it.", FailureClass.MODEL_UNAVAILABLE),
    (505, "Feature disabled", FailureClass.MODEL_UNAVAILABLE),
    (500, "This interface is temporarily paused", FailureClass.MODEL_UNAVAILABLE),
    (500, "image_urls is required", FailureClass.BAD_REQUEST),
    (422, "duration must be one of 5, 10", FailureClass.BAD_REQUEST),
    (455, "The website is currently undergoing maintenance", FailureClass.TEMPORARY),
    (500, "Server exception, please try again later or contact customer service", FailureClass.TEMPORARY),
    (500, "", FailureClass.TEMPORARY),
    (502, "", FailureClass.TEMPORARY),
    (503, "", FailureClass.TEMPORARY),
    (408, "Upstream is slow", FailureClass.TEMPORARY),
    (501, "Generation failed", FailureClass.TEMPORARY),
    (451, "Failed to fetch the image", FailureClass.BAD_REQUEST),
    (200, "success", FailureClass.UNKNOWN),
    (418, "I am a teapot", FailureClass.UNKNOWN),
    (None, "", FailureClass.UNKNOWN),
]

TASK_TEXTS = [
    ("Internal Error, Please try again later.", FailureClass.TEMPORARY),
    ("internal server error", FailureClass.TEMPORARY),
    ("Service Unavailable", FailureClass.TEMPORARY),
    ("Request timeout, please retry", FailureClass.TEMPORARY),
    ("deadline exceeded", FailureClass.TEMPORARY),
    ("Timeout", FailureClass.TEMPORARY),
    ("Invalid request parameters", FailureClass.BAD_REQUEST),
    ("Parameter validation failed", FailureClass.BAD_REQUEST),
    ("image format incorrect", FailureClass.BAD_REQUEST),
    ("unsupported width or height", FailureClass.BAD_REQUEST),
    ("Failed to fetch the image", FailureClass.BAD_REQUEST),
    ("Insufficient account balance", FailureClass.BILLING),
    ("concurrent generation limit reached", FailureClass.RATE_LIMIT),
    ("The moon is in the wrong phase", FailureClass.UNKNOWN),
]

MODERATION_TEXTS = [
    (
        "We currently do not support uploads of images containing photorealistic people.",
        FailureReason.PERSON,
    ),
    (
        "This content may violate our guardrails concerning similarity to third-party content.",
        FailureReason.BRAND,
    ),
    ("This image contains photorealistic people", FailureReason.PERSON),
    ("Image contains faces", FailureReason.PERSON),
    ("Content policy violation", FailureReason.CONTENT),
    ("inappropriate content detected", FailureReason.CONTENT),
    ("caught by our AI moderator", FailureReason.CONTENT),
    ("PUBLIC_ERROR_PROMINENT_PEOPLE_FILTER_FAILED", FailureReason.PERSON),
    ("PUBLIC_ERROR_AUDIO_FILTERED", FailureReason.CONTENT),
    ("PUBLIC_ERROR_MINOR_UPLOAD", FailureReason.MINOR),
    ("minor upload", FailureReason.MINOR),
    ("NSFW content detected", FailureReason.ADULT),
    ("Prohibited use of a trademark", FailureReason.BRAND),
    ("The prompt was flagged as sensitive", FailureReason.CONTENT),
    ("Your request was rejected by our safety system", FailureReason.CONTENT),
]


@pytest.mark.parametrize(("code", "message", "expected"), CODES)
def test_a_code_with_its_text(code: int | None, message: str, expected: FailureClass) -> None:
    failure = failure_of(code, message)
    assert (failure.failure_class, failure.reason) == (expected, FailureReason.NONE)
    assert failure.code == ("" if code is None else str(code))


@pytest.mark.parametrize("fail_code", ["", "500", "422", "something_else"])
@pytest.mark.parametrize(("message", "expected"), TASK_TEXTS[:-1])
def test_a_text_decides_where_codes_are_vague(fail_code: str, message: str, expected: FailureClass) -> None:
    assert failure_of(fail_code, message).failure_class is expected


def test_an_unheard_text_without_a_telling_code_is_unknown() -> None:
    assert failure_of("", TASK_TEXTS[-1][0]).failure_class is FailureClass.UNKNOWN


@pytest.mark.parametrize("code", [None, "", 200, 400, 401, 402, 408, 422, 429, 500, 501, "501", "weird"])
@pytest.mark.parametrize(("message", "reason"), MODERATION_TEXTS)
def test_moderation_wording_comes_before_any_code(
    code: str | int | None, message: str, reason: FailureReason
) -> None:
    failure = failure_of(code, message)
    assert (failure.failure_class, failure.reason) == (FailureClass.USER_VIOLATION, reason)


def test_every_class_a_provider_can_cause_is_walked_here() -> None:
    ours = {FailureClass.TIMED_OUT, FailureClass.RESULT, FailureClass.DELIVERY}
    walked = {expected for _, _, expected in CODES} | {FailureClass.USER_VIOLATION}
    assert walked == set(FailureClass) - ours


def test_a_word_inside_another_is_no_moderation() -> None:
    assert failure_of(500, "This interface is temporarily paused").reason is FailureReason.NONE
