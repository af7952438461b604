"""The leaves of an order's workflows: each activity by its name, the outside as it was planned."""

from typing import Any, Final

from pydantic import BaseModel

from activities.contracts import (
    Nothing,
    SendOutcome,
    SendResult,
    VideoRef,
)
from domain.orders import VideoState
from tests.models.order_books import Chat
from tests.models.order_kie import KieRows
from tests.models.order_plan import (
    Send,
)

_LOOKS: Final = frozenset({"SENDING", "UNCONFIRMED"})


class World(KieRows):
    async def send_video(self, ref: VideoRef) -> BaseModel:
        video = self._open(ref.video_id)
        video.state = VideoState.DELIVERING
        if not video.kept:
            self.complaints.append(f"{video.id} was sent without a result")
        if video.message in _LOOKS and video.chat.copies:
            video.message = "SENT"
        if video.message in {"SENT", "UNKNOWN"}:
            return SendResult(outcome=SendOutcome(video.message))
        send = video.sends.popleft() if video.sends else Send.SENT
        outcome = self._reach_chat(video.chat, send)
        video.message = "SENDING" if self.dying and outcome is not SendOutcome.UNKNOWN else outcome.value
        return SendResult(outcome=outcome, refused_count=video.chat.refused, retry_after_seconds=7)

    def _reach_chat(self, chat: Chat, send: Send) -> SendOutcome:
        if send in {Send.SENT, Send.EDIT_LOST, Send.NEW_LOST}:
            chat.copies += 1
        if send is Send.REFUSED:
            chat.refused += 1
        chat.blocked = chat.blocked or (send is Send.BLOCKED and not self.dying)
        chat.unknown = chat.unknown or send in {Send.NEW_LOST, Send.NEW_DROPPED}
        chat.unknown = chat.unknown or send in {Send.EDIT_LOST, Send.EDIT_DROPPED}
        return _OUTCOMES[send]

    async def ring(self, ref: VideoRef) -> BaseModel:
        video = self.videos[ref.video_id]
        self._require(video.state is VideoState.DELIVERED, f"rang for {video.id} in state {video.state}")
        video.chat.rung = True  # once: the message has a row
        return Nothing()

    async def tell_failure(self, ref: VideoRef) -> BaseModel:
        video = self.videos[ref.video_id]
        self._require(video.state is VideoState.FAILED, f"told that {video.id} failed: it is {video.state}")
        video.chat.told_failed = True
        return Nothing()

    async def _tell_order(self, _: Any) -> BaseModel:
        closed = all(video.state.closed for video in self.videos.values())
        self._require(closed or self.calls[-1] != "send_closing_card", "a closing card before the end")
        self.told.append(self.calls[-1])
        return Nothing()

    tell_order_failure = tell_cancelled = send_closing_card = _tell_order

    async def alert_admins(self, alert: Any) -> BaseModel:
        self.alerts.append(alert.failure_class)
        return Nothing()


_OUTCOMES: Final = {
    Send.SENT: SendOutcome.SENT,
    Send.REFUSED: SendOutcome.REFUSED,
    Send.BLOCKED: SendOutcome.BLOCKED,
    Send.RATE_LIMITED: SendOutcome.RATE_LIMITED,
    Send.NOT_SENT: SendOutcome.NOT_SENT,
    Send.EDIT_LOST: SendOutcome.UNCONFIRMED,
    Send.EDIT_DROPPED: SendOutcome.UNCONFIRMED,
    Send.NEW_LOST: SendOutcome.UNKNOWN,
    Send.NEW_DROPPED: SendOutcome.UNKNOWN,
}
