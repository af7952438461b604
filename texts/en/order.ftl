## An order on its way
stage-accepted = ✅ Accepted. Usually 1–5 minutes, sometimes 15. You can close the chat: I will write to you.
stage-accepted-busy = { $minutes ->
    [one] ✅ Accepted. Many orders right now: about { $minutes } minute. You can close the chat: I will write to you.
   *[other] ✅ Accepted. Many orders right now: about { $minutes } minutes. You can close the chat: I will write to you.
}
stage-writing = ✍️ Writing the script…
stage-queued = ⏳ In the queue…
stage-making = 🎬 Making the video…
stage-delivering = 📦 Sending the video…
stage-cancelled = ✖️ Cancelled. The credits are back on your balance.
numbered = <b>Video { $number } of { $count }</b>
delivered = 🎬 Your video
delivered-numbered = 🎬 Video { $number } of { $count }
ready = ✅ Your video is ready ⤴️
ready-numbered = ✅ Video { $number } of { $count } is ready ⤴️
captured-unknown = Your video is made, but Telegram did not confirm that it reached you. If you do not see it, get it again:
waiting-videos = { $count ->
    [one] Welcome back! A video was finished while you were away. Here it comes.
   *[other] Welcome back! { $count } videos were finished while you were away. Here they come.
}
closing = { $delivered } of { $count } ready.
closing-waiting = Waiting for you: { $videos }.
closing-cancelled = Cancelled: { $videos }.
closing-failed = Could not be made: { $videos }.
closing-money = { $credits } back, balance: { $balance }.
order-cancelled = ✖️ The order is cancelled; work on the videos had not begun.

## A long wait
long-wait-queue = ⏳ Many orders right now: yours stands in the queue and will be made. There is nothing you need to do.
long-wait-slow = 🐢 The video service is slower than usual. Your video is still being made.
long-wait-second_attempt = 🔁 The first attempt did not work out, the second is running. It costs you nothing extra.
long-wait-outage = 🔌 The video service cannot be reached right now. I keep trying, and refund what cannot be made.
long-wait-step-2 = Thank you for waiting.
long-wait-step-3 = It takes unusually long. If it does not work out within the hour, the credits come back by themselves.

## A video that could not be made
failed-one = ❌ The video could not be made.
failed-numbered = ❌ Video { $number } of { $count } could not be made.
failed-money = Back on your balance: { $credits }. Balance now: { $balance }.
failed-user-violation = The video service does not accept this photo or text.
failed-billing = We have temporary technical trouble on our side.
failed-rate-limit = The video service is very busy right now. Try a little later.
failed-temporary = The video service failed three times.
failed-model-unavailable = The video service is not working at the moment. I will write to you when it is back.
failed-bad-request = We have technical trouble; our support has been told.
failed-timed-out = It took too long, so we stopped waiting.
failed-result = The video was made, but it arrived broken. Our support has been told.
failed-delivery = The video was made, but Telegram did not take it.
failed-unknown = Something unexpected happened; our support has been told.
reason-person = The video service sees a real person in the photo and does not accept that.
reason-minor = The video service sees a child in the photo and does not accept that.
reason-brand = The video service sees a protected brand or character and does not accept that.
reason-adult = The video service finds the photo or text too revealing and does not accept that.
reason-content = The photo or text breaks the rules of the video service.
reason-no_product = I cannot find a product in this photo.
reason-blurred = The photo is too blurred to show the product.
reason-covered = The product in the photo is covered or cut off.
reason-photo_format = The picture could not be opened: it takes a JPEG, PNG or WEBP.
reason-photo_too_small = The photo is too small: at least 300 pixels on each side.
reason-photo_too_large = The photo is too large: up to 10 MB and 25 megapixels.
reason-photo_gone = Telegram no longer gives us this photo.
reason-restored = We had to bring our system back from a backup, and this order was cut off by it. The fault is ours, not yours.
advice-photo = Press Another photo: I keep everything else you told me.
advice-again = Press Try again for a new attempt.
advice-support = Questions: { $support }
