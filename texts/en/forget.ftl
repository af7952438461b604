## Delete my data
button-forget = 🗑 Delete my data
button-forget-yes = 🗑 Yes, delete everything
button-forget-no = Keep it
command-forget = Delete my data
forget-ask =
    🗑 <b>Delete my data</b>

    <b>Goes for good:</b> your Telegram number and language, your texts and photos, the scripts, the videos we keep{ $videos ->
        [0] {""}
       *[other] {" "}(in My videos now: { $videos })
    }, and which messages were whose.
    <b>You lose:</b> { $credits }. Stars you paid are not returned by this. You want them back? First /paysupport, then /forget.
    <b>Stays:</b> our books without you: sums, dates, numbers of payments. And a mark made of your number with a secret key: it only tells me that you have had the welcome credits.
    <b>Goes a little later:</b> photos, videos and technical histories in the next minutes, your number in our logs and backups when these are renewed. OpenAI and KIE.AI delete what they were sent by their own rules. This chat is yours: delete it in Telegram.

    This cannot be undone. Delete everything?
forget-changed = Your balance has changed since I asked, so nothing is deleted yet. Here is how it stands now:
forget-open-orders = { $count ->
    [one] An order of yours is still in the making
   *[other] { $count } orders of yours are still in the making
}, so nothing is deleted yet. Stop it in My orders, where that still works, or wait until it is over; then send /forget again. You have { $credits }.
forget-refunds = Stars are on their way back to you, and that takes your number, so nothing is deleted yet. Send /forget again when they have arrived. You have { $credits }.
forget-kept = 👍 Nothing was deleted. You have { $credits }.
forget-done =
    🗑 <b>Your data is deleted.</b> Credits that went with it: { $credits }.

    Photos, videos and technical histories follow in the next minutes. If you ever come back, /start begins anew, without welcome credits. Thank you for having been here.
forget-gone = Your data was deleted, and I do not know you any more: this button or message leads nowhere. /start begins anew, without welcome credits.
toast-gone = Your data was deleted. /start begins anew.
forget-admin = You are an administrator here: as long as your number stands in ADMIN_TG_IDS, it cannot be forgotten. Nothing was deleted.

## For admins
admin-usage-forget = Like this: <code>/forget 123456789</code> (the number Telegram knows, not the @name)
admin-confirm-forget =
    🗑 Delete the data of <code>{ $user }</code>? It cannot be undone.
    Lost with it: { $credits }, and the videos in My videos: { $videos }. Stars are not returned by this, and cannot be afterwards.
admin-forget-done = 🗑 Deleted. Photos, videos and histories follow in the next minutes. In the records it is a number of ours from now on.
admin-forget-not-yet = ✋ Nothing was deleted: orders in the making { $orders }, refunds on their way { $refunds }. Ask again when they are over.
admin-forget-changed = ✋ Nothing was deleted: the balance has changed since you asked. Ask again.
admin-forget-admin = ✋ <code>{ $user }</code> is an administrator: first take the number out of ADMIN_TG_IDS. Nothing was deleted.
admin-refund-forgotten = ✋ Whoever paid <code>{ $charge }</code> asked to be forgotten, and Telegram sends Stars back only by the user's number. Nothing was done.
