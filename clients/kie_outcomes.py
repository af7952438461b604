"""What one HTTP answer of KIE comes to: a value, or one of these exceptions.

KieError
├─ KieKeyUnknown      no key of that name here: it was taken out of the settings
├─ KieRefused         KIE answered no. For a create: REJECTED, nothing was bought
├─ KieNotSent         the request reached nobody, or only the CDN: safe to send again
├─ KieAmbiguous       create only: the answer was lost, a KIE task may exist
├─ KieUnavailable     everything but create: no usable answer now, ask again later
└─ RecordNotVisible   recordInfo knows no such KIE task: a wrong id, or seconds too early

No exception carries a key, and what an answer says is kept in `raw`, never in the message.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from clients.kie_answers import failure_of
from clients.kie_wire import (
    CreatedData,
    Envelope,
    Param,
    RecordData,
    clean_raw,
    read_data,
    read_envelope,
    read_link,
    read_number,
)
from domain.failures import Failure, FailureClass

_OK: Final = 200
_FORBIDDEN: Final = 403
_NULL_RECORD_CODE: Final = 422
_NULL_RECORD_TEXT: Final = "recordinfo is null"
_TASK_FAILED_CODES: Final = frozenset({408, 501})  # recordInfo's own way to say that the task is over
_CDN_REACHED_NOBODY: Final = frozenset({521, 522, 523, 525, 526})
_CDN_LOST_ANSWER: Final = frozenset({504, 520, 524})
_CDN_REFUSED: Final = frozenset({502, 503})
_KIE_TASK_ID_CHARS_MAX: Final = 200
# What asking again cannot change. A KIE task that is running is given up only for want of a key.
_FINAL_FOR_RECORD: Final = frozenset({FailureClass.BILLING})
_FINAL_FOR_OTHERS: Final = _FINAL_FOR_RECORD | {FailureClass.BAD_REQUEST, FailureClass.USER_VIOLATION}


class KieError(Exception):
    """`raw` is the provider's answer for engineers."""

    def __init__(self, what: str, raw: str = "", http_status: int = 0) -> None:
        super().__init__(what)
        self.raw = raw
        self.http_status = http_status


class KieKeyUnknown(KieError):
    pass


class KieNotSent(KieError):
    pass


class KieAmbiguous(KieError):
    pass


class KieUnavailable(KieError):
    pass


class RecordNotVisible(KieError):
    pass


class KieRefused(KieError):
    def __init__(self, failure: Failure, raw: str, http_status: int) -> None:
        super().__init__(f"KIE refused: {failure.failure_class} {failure.code}", raw, http_status)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Created:
    kie_task_id: str


class KieTaskState(StrEnum):
    WAITING = "waiting"
    QUEUING = "queuing"
    GENERATING = "generating"
    SUCCESS = "success"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class KieRecord:
    """A KIE task as KIE tells it. Fields that some models do not return are empty."""

    state: KieTaskState
    result_urls: tuple[str, ...] = ()
    failure: Failure | None = None
    fail_code: str = ""
    fail_msg: str = ""
    video_model: str = ""
    prompt: str = field(default="", repr=False)
    callback_url: str = field(default="", repr=False)
    credits_consumed: float | None = None
    raw: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str

    @property
    def raw(self) -> str:
        return clean_raw(self.text)

    @property
    def reached_nobody(self) -> bool:
        """Cloudflare's own pages. 1010 is about our User-Agent, never about the key."""
        blocked = self.status == _FORBIDDEN and "1010" in self.text
        return blocked or self.status in _CDN_REACHED_NOBODY


def read_created(answer: Answer) -> Created:
    envelope = read_envelope(answer.text)
    if envelope is None:
        raise _create_failure_of_page(answer)
    data = read_data(CreatedData, envelope.data)
    if data is not None and data.task_id:
        return _created_as(data.task_id, answer)
    if {answer.status, envelope.code} & _CDN_LOST_ANSWER:
        raise KieAmbiguous("KIE lost its own answer", answer.raw, answer.status)
    raise _refused(envelope, answer)


def _created_as(kie_task_id: str, answer: Answer) -> Created:
    if len(kie_task_id) > _KIE_TASK_ID_CHARS_MAX:
        raise KieAmbiguous("KIE's task id is none", answer.raw, answer.status)
    return Created(kie_task_id)


def _create_failure_of_page(answer: Answer) -> KieError:
    if answer.reached_nobody:
        return KieNotSent("only the CDN was reached", answer.raw, answer.status)
    if answer.status in _CDN_REFUSED:
        return KieRefused(failure_of(answer.status, ""), answer.raw, answer.status)
    return KieAmbiguous("KIE's answer is no answer", answer.raw, answer.status)


def _refused(envelope: Envelope, answer: Answer) -> KieRefused:
    code = answer.status if envelope.code is None else envelope.code
    return KieRefused(failure_of(code, envelope.msg), answer.raw, answer.status)


def _envelope(answer: Answer) -> Envelope:
    envelope = read_envelope(answer.text)
    if envelope is not None:
        return envelope
    if answer.reached_nobody:
        raise KieNotSent("only the CDN was reached", answer.raw, answer.status)
    raise KieUnavailable("KIE's answer is no answer", answer.raw, answer.status)


def _agreed(answer: Answer, final: frozenset[FailureClass] = _FINAL_FOR_OTHERS) -> Envelope:
    """An answer that says yes. What may pass by itself is not a refusal."""
    envelope = _envelope(answer)
    if (envelope.code or answer.status) == _OK:
        return envelope
    refusal = _refused(envelope, answer)
    if refusal.failure.failure_class in final:
        raise refusal
    raise KieUnavailable(f"KIE says {refusal.failure.code} for now", answer.raw, answer.status)


def read_link_answer(answer: Answer) -> str:
    url = read_link(_agreed(answer).data)
    if not url:
        raise KieUnavailable("KIE's answer holds no link", answer.raw, answer.status)
    return url


def read_record(answer: Answer) -> KieRecord:
    envelope = _envelope(answer)
    if envelope.code == _NULL_RECORD_CODE and _NULL_RECORD_TEXT in envelope.msg.lower():
        raise RecordNotVisible("recordInfo is null", answer.raw, answer.status)
    data = read_data(RecordData, envelope.data)
    if data is not None and data.state:
        return _known_record(data, envelope, answer)
    if envelope.code in _TASK_FAILED_CODES:
        return _failed_record(RecordData(), envelope, answer)
    _agreed(answer, _FINAL_FOR_RECORD)
    raise KieUnavailable("KIE's record has no state", answer.raw, answer.status)


def read_balance(answer: Answer) -> float:
    amount = read_number(_agreed(answer).data)
    if amount is None:
        raise KieUnavailable("KIE's balance is no number", answer.raw, answer.status)
    return amount


def _known_record(data: RecordData, envelope: Envelope, answer: Answer) -> KieRecord:
    if data.state not in set(KieTaskState):
        raise KieUnavailable("KIE's record has a state we do not know", answer.raw, answer.status)
    state = KieTaskState(data.state)
    if state is KieTaskState.FAIL:
        return _failed_record(data, envelope, answer)
    return _record_as(state, data, answer)


def _failed_record(data: RecordData, envelope: Envelope, answer: Answer) -> KieRecord:
    """The reason stands in the record, or around it."""
    around = envelope.code not in {None, _OK}
    fail_code = data.fail_code or (str(envelope.code) if around else "")
    fail_msg = data.fail_msg or (envelope.msg if around else "")
    return replace(
        _record_as(KieTaskState.FAIL, data, answer),
        failure=failure_of(fail_code or None, fail_msg),
        fail_code=fail_code,
        fail_msg=fail_msg,
    )


def _record_as(state: KieTaskState, data: RecordData, answer: Answer) -> KieRecord:
    param = read_data(Param, data.param) or Param()
    return KieRecord(
        state=state,
        result_urls=data.result_urls,
        video_model=data.video_model or param.video_model,
        prompt=param.prompt,
        callback_url=param.callback_url,
        credits_consumed=data.credits_consumed,
        raw=answer.raw,
    )
