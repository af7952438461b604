## My orders
button-orders = 📋 My orders
button-videos = 🎞 My videos
button-refresh = 🔄 How is it now?
command-orders = My orders
command-videos = My videos
no-open-orders = Nothing is in the making right now. Send a photo of a product, and I start.
open-orders = { $count ->
    [1] <b>Your order</b>
   *[other] <b>Your orders: { $count }</b>
}
open-order = <b>{ $template }</b> · { $videos } · { $minutes ->
    [0] ordered just now
    [one] ordered { $minutes } minute ago
   *[other] ordered { $minutes } minutes ago
}
open-order-words = { $text }
open-order-stage = ▸ { $stage }
open-order-video = ▸ Video { $number }: { $stage }
more-open-orders = …and { $count } more.
standing-writing = the script is being written
standing-queued = waiting in the queue
standing-queued-place = { $place ->
    [1] next in the queue
   *[other] waiting in the queue, place { $place }
}
standing-starting = about to be made
standing-making = being made
standing-sending = being sent
standing-delivered = delivered
standing-waiting = made, waits for you
standing-failed = could not be made, credits are back
standing-cancelled = cancelled, credits are back

## Cancel
button-cancel-order = ✖️ Cancel the order
button-cancel-numbered = ✖️ Cancel order { $number }
button-cancel-yes = ✖️ Yes, cancel
button-cancel-no = Let it go on
ask-cancel = Cancel? { $videos } can still be stopped: { $credits } back.
cancel-done = ✖️ Stopped: { $videos }. Back on your balance: { $credits }. Balance now: { $balance }.
cancel-goes-on = { $count ->
    [one] Being made by now, so it goes on and comes here: { $videos }.
   *[other] Being made by now, so they go on and come here: { $videos }.
}
cancel-too-late = It is too late to stop: everything is being made by now and comes here. Nothing was changed.
cancel-over = This order is over: there is nothing left to stop. Nothing was changed.
cancel-kept = 👍 It goes on. I will write to you.
toast-cancelled = Stopped: { $credits } back
toast-too-late = Too late to stop: it goes on
toast-over = This order is over

## My videos
my-videos = 🎞 <b>Your videos of the last 30 days</b>. Press one, and I send it again.
my-videos-page = Page { $page } of { $pages }
no-videos = Here you will find the videos of the last 30 days. There are none yet: send me a photo of a product.
short-date = { $day } { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
}
toast-rated = Thank you!
button-like = 👍
button-dislike = 👎
button-liked = ✅ 👍
button-disliked = ✅ 👎
button-changed = ✏️ With changes

## Busy evenings and maintenance
busy-note = { $minutes ->
    [one] ⏳ Many orders right now: expect about { $minutes } minute.
   *[other] ⏳ Many orders right now: expect about { $minutes } minutes.
}
busy-note-too-long = ⏳ So many orders right now that I take no new ones. Press Generate, and I will write when it is free.
not-now-busy = ⏳ Too busy right now: it would take more than half an hour. Your order is kept, and I will write to you when it is free. Nothing was charged.
not-now-maintenance = 🛠 I take no new orders for a little while: we are working on the bot. Your order is kept, and I will write to you when it goes on. Nothing was charged.
free-again = ✨ It is free again. Here is your order, one tap away:
model-is-back = ✨ The video service works again. Your earlier order could not be made; its credits are on your balance. Shall we try once more?
