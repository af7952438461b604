# Too fast, too many, and what waits.

too-fast =
    🐢 Not so fast, please: your last message was not read. Nothing was changed or charged.

    Wait a few seconds, and send it again.
toast-too-fast = 🐢 Not so fast, please: this tap did nothing. Try again in a few seconds.
too-many-open =
    ⏳ { $orders } of yours are being made, and that is as many as I take at once. Nothing was charged: you have { $credits }.

    The card above stays valid: press Generate as soon as one of them is delivered.
too-many-today =
    ⏳ { $orders } within 24 hours is as many as I take from one person. Nothing was charged: you have { $credits }.

    The card above stays valid: press Generate in { $wait }.
orders = { $count ->
    [one] { $count } order
   *[other] { $count } orders
}
wait-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
wait-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}

## Groups
group-goodbye = I work in private chats only. Open @{ $username } and send me a photo of your product there. 👋

## For administrators
alert-webhook-error = ⚠️ Telegram could not bring updates to the webhook: { $error }. They wait at Telegram and come again; look at the bots and at PUBLIC_BASE_URL.
alert-webhook-pending = ⚠️ { $count } updates wait at Telegram: the bots do not keep up, or cannot be reached.
