"""A video that was delivered, shown once more: by Telegram's own file, without an upload."""

from bot.turn import Turn, patiently
from bot.welcome import resend
from clients.telegram import SentMessage
from store.videos import VideoRow
from texts import order_cards


async def show_again(turn: Turn, video_id: str) -> None:
    """Of this user's own. What Telegram has no file of, a workflow sends from what we keep."""
    file_id = await turn.parts.videos.delivered_file(video_id, turn.user.tg_user_id)
    if file_id is None:
        turn.parts.background.run(resend(turn.parts, video_id))
        return
    video = await turn.parts.videos.read(video_id)
    await patiently(lambda: _send(turn, video, file_id))
    await turn.parts.videos.mark_delivered(video_id)


async def _send(turn: Turn, video: VideoRow, file_id: str) -> SentMessage:
    card = order_cards.delivered(turn.language, video.number, video.video_count, video.order_id, video.rating)
    return await turn.parts.telegram.send_video(
        turn.chat_id, file_id, video.result_width, video.result_height, video.result_seconds, card
    )
