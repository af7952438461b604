"""Every id is made here, and nowhere else."""

import hashlib
import re
import secrets
from typing import Final

_NAMED: Final = re.compile(r"(?:.*\.)?([0-9a-f]{20}(?:-v\d+)?)")
_OF_WORKFLOW: Final = re.compile(r"(?:order|resend)-(.+)")
_DRAFT_ID_BYTES = 10  # 80 random bits: unguessable, and short enough for 64-byte button data


def new_draft_id() -> str:
    """20 hex characters; the order bought with this draft keeps the same id."""
    return secrets.token_hex(_DRAFT_ID_BYTES)


def successor_draft_id(draft_id: str, number: int) -> str:
    """What takes a draft's place: the same drafts, however often the change is repeated."""
    return hashlib.sha256(f"{draft_id}/{number}".encode()).hexdigest()[: 2 * _DRAFT_ID_BYTES]


def new_nonce() -> str:
    """Makes two otherwise equal Telegram edits differ."""
    return secrets.token_hex(4)


def new_holder_id() -> str:
    """Of a process, for what only one may have at a time."""
    return secrets.token_hex(8)


def video_id(order_id: str, number: int) -> str:
    return f"{order_id}-v{number}"


def order_id_of_video(video: str) -> str:
    return video.rpartition("-v")[0]


def number_of_video(video: str) -> int:
    """1 is the first of its order."""
    return int(video.rpartition("-v")[2])


def attempt_id(video: str, number: int) -> str:
    return f"{video}-a{number}"


def video_id_of_attempt(attempt: str) -> str:
    return attempt.rpartition("-a")[0]


def order_workflow_id(order_id: str) -> str:
    return f"order-{order_id}"


def video_workflow_id(video: str) -> str:
    return f"order-{video}"


def resend_workflow_id(video: str) -> str:
    return f"resend-{video}"


def new_broadcast_id() -> str:
    """An operator types it."""
    return secrets.token_hex(4)


def broadcast_workflow_id(broadcast: str) -> str:
    return f"broadcast-{broadcast}"


def subject(*, order_id: str = "", video_id: str = "", attempt_id: str = "") -> dict[str, str]:
    """All that is known of whom it is about: an attempt names its video, a video its order."""
    video = video_id or video_id_of_attempt(attempt_id)
    order = order_id or order_id_of_video(video)
    known = {"order_id": order, "video_id": video, "attempt_id": attempt_id}
    return {name: value for name, value in known.items() if value}


def subject_of_button(argument: str) -> dict[str, str]:
    """A draft has the id of its order."""
    named = _NAMED.fullmatch(argument)
    return _order_or_video(named.group(1)) if named else {}


def subject_of_workflow(workflow_id: str) -> dict[str, str]:
    named = _OF_WORKFLOW.fullmatch(workflow_id)
    return _order_or_video(named.group(1)) if named else {}


def _order_or_video(named: str) -> dict[str, str]:
    return subject(video_id=named) if order_id_of_video(named) else subject(order_id=named)


def reserve_cause(order_id: str) -> str:
    return f"reserve:{order_id}"


def settle_cause(video: str) -> str:
    """One cause for capture and refund: whichever commits first wins."""
    return f"settle:{video}"


def welcome_cause(user_id: int) -> str:
    return f"welcome:{user_id}"


def grant_cause(grant_id: str) -> str:
    return f"grant:{grant_id}"


def forget_cause(user_id: int) -> str:
    return f"forget:{user_id}"


def purchase_cause(charge_id: str) -> str:
    return f"purchase:{charge_id}"


def purchase_refund_cause(charge_id: str) -> str:
    return f"purchase_refund:{charge_id}"


def upload_name(attempt: str, suffix: str) -> str:
    """KIE overwrites uploads of the same name, so the name is never reused."""
    return f"{attempt}-{secrets.token_hex(4)}.{suffix}"


def charge_reference(charge_id: str) -> str:
    """Stands for a provider's long id where there are 64 bytes for everything: in a button."""
    return hashlib.sha256(charge_id.encode()).hexdigest()[:12]
