## Alerts for admins
admin-alert =
    🚨 <b>{ $class }</b>
    { $facts }
    <code>{ $raw }</code>
admin-alert-no-answer = no answer recorded
admin-alert-more = …and { $count } more since the last message about this.
admin-alert-passed-over = 🔕 <b>Also happened, not reported one by one:</b>
admin-alert-cause = • { $cause }: { $count }
admin-low-balance =
    💰 <b>KIE account { $account }: { $balance } KIE credits left</b>
    Its last 24 hours cost { $spent }. When it is empty, orders go to the other accounts or wait: please top it up.
admin-fact-order = order
admin-fact-video = video
admin-fact-attempt = attempt
admin-fact-account = account
admin-fact-key = key
admin-fact-model = video model

## The panel
admin-panel =
    🛠 <b>Administration</b>

    /user <i>id</i> · /grant <i>id n reason</i> · /take <i>id n reason</i>
    /refund <i>charge id</i> · /today · /accounts · /maintenance <i>on or off</i>
    /refund <i>charge id</i> forced: even where the credits are spent · /forget <i>id</i>: erase a user
admin-maintenance-on = 🚧 Maintenance is <b>on</b>: new orders are kindly refused, open ones finish, payments are credited.
admin-maintenance-off = ✅ Maintenance is <b>off</b>: orders are taken.
button-admin-panel = 🛠 Panel
button-admin-today = 📊 Today
button-admin-find = 🔎 Find a user
button-admin-accounts = 🔑 Accounts and keys
button-admin-maintenance-on = 🚧 Turn maintenance on
button-admin-maintenance-off = ✅ Turn maintenance off
button-admin-grant = ➕ Grant
button-admin-take = ➖ Take
button-admin-refund = ↩️ Refund { $amount }
button-admin-force = Refund all the same
button-admin-yes = ✅ Yes
button-admin-no = ✖️ No
command-admin = Administration
command-today = Figures of today
command-user = What is known of a user
command-grant = Grant credits
command-take = Take credits
command-refund = Refund a payment
command-accounts = KIE accounts and keys
command-maintenance = Maintenance on or off
admin-usage-user = Like this: <code>/user 123456789</code> (the number Telegram knows, not the @name)
admin-usage-grant = Like this: <code>/grant 123456789 5 a late video</code>
admin-usage-take = Like this: <code>/take 123456789 5 granted twice</code>
admin-usage-refund = Like this: <code>/refund CHARGE_ID</code>, or <code>/refund CHARGE_ID forced</code>
admin-usage-today = Like this: <code>/today</code> or <code>/today 2026-11-20</code>
admin-usage-maintenance = Like this: <code>/maintenance on</code> or <code>/maintenance off</code>
admin-find = 🔎 Send <code>/user 123456789</code>: the number Telegram knows, not the @name.
admin-how-to-grant = ➕ Send <code>/grant { $user } 5 the reason</code>: how many, and why.
admin-how-to-take = ➖ Send <code>/take { $user } 5 the reason</code>: how many, and why.

## One day
admin-day = 📊 <b>{ $day }</b>, from midnight to midnight UTC
admin-day-orders = Orders: <b>{ $orders }</b> from { $customers ->
    [one] { $customers } user
   *[other] { $customers } users
}, { $videos }
admin-day-new-users = New users: { $count }
admin-day-delivered = Delivered: <b>{ $videos }</b>, waiting for their user: { $waiting }
admin-day-waits = From tap to delivery: half within { $half }, 95% within { $most }
admin-day-no-refunds = Refunded: nothing
admin-day-refunds = Refunded:
admin-day-refund = • { $cause }: { $videos }, { $credits }
admin-day-no-income = Income: none
admin-day-income = Income: <b>{ $amount }</b> in { $payments ->
    [one] { $payments } payment
   *[other] { $payments } payments
} for { $credits }
admin-day-sent-back = Sent back: { $amount } in { $payments ->
    [one] { $payments } payment
   *[other] { $payments } payments
}
admin-day-spend = KIE: { $spent } KIE credits
admin-day-spend-each = KIE: { $spent } KIE credits, { $each } per delivered video
admin-day-ratings = Ratings:
admin-day-rating = • { $name }: 👍 { $likes } 👎 { $dislikes }
admin-cancelled = stopped by the user
admin-duration = { $minutes } min { $seconds } s

## One user
admin-user = 👤 <code>{ $user }</code>, since { $since }, language: { $spoken }
admin-user-blocked = 🚫 has blocked the bot
admin-user-balance = 💳 { $available } available, { $reserved } in the making
admin-user-debt = ❗️ debt after refunds: { $credits }
admin-user-orders = 🎬 Orders: { $count }
admin-user-order = • { $at } { $template }, { $videos }: delivered { $delivered }, failed { $failed } { $open }<code>{ $order }</code>
admin-user-order-open = (open)
admin-user-failures = ⚠️ Last failures:
admin-user-failure = • { $at } <b>{ $class }</b> { $reason } <code>{ $said }</code>
admin-user-payments = 💰 Payments:
admin-user-payment = • { $at } { $amount } → { $credits }, { $state } <code>{ $charge }</code>
admin-nobody = Nobody with the number <code>{ $user }</code> has ever talked to the bot.
admin-state-paid = paid
admin-state-unclear = unclear: not for an invoice of ours, no credits were given
admin-state-refunding = being refunded
admin-state-refunded = refunded
admin-state-refund-refused = the refund was refused

## Deeds
admin-confirm-grant =
    ➕ Grant <b>{ $credits }</b> to <code>{ $user }</code>?
    Reason, and the user sees it in the history: { $reason }
    Available now: { $available }
admin-confirm-take =
    ➖ Take <b>{ $credits }</b> from <code>{ $user }</code>?
    Reason, and the user sees it in the history: { $reason }
    Available now: { $available }
admin-confirm-refund =
    ↩️ Send <b>{ $amount }</b> back to <code>{ $user }</code>, and take the { $credits } that were bought with it?
    Available now: { $available }
    <code>{ $charge }</code>
admin-confirm-refund-forced =
    ↩️ Send <b>{ $amount }</b> back to <code>{ $user }</code> <b>even though credits of it are spent</b>? Of { $credits }, what is there is taken; the rest is written down as a debt.
    Available now: { $available }
    <code>{ $charge }</code>
admin-confirm-refund-again =
    🔁 Ask once more to send <b>{ $amount }</b> back to <code>{ $user }</code>? The credits were taken before: only the call to the provider is repeated.
    State now: { $state }
    <code>{ $charge }</code>
admin-done-grant = ✅ Granted { $credits } to <code>{ $user }</code>, who now has { $available } and is told so.
admin-done-take = ✅ Took { $credits } from <code>{ $user }</code>, who now has { $available } and is told so.
admin-declined = Nothing was done.
admin-too-many = <code>{ $user }</code> has only { $available } available. Nothing was taken.
admin-refund-begun = ✅ The credits are taken, and the money of <code>{ $charge }</code> is on its way back.
admin-refund-continued = 🔁 The credits were taken before; the provider is asked once more for <code>{ $charge }</code>.
admin-refund-spent = ✋ Credits bought with <code>{ $charge }</code> are spent: { $missing } missing. Nothing was refunded.
admin-refund-refunded = <code>{ $charge }</code> was refunded before. Nothing changed.
admin-refund-unknown = There is no payment <code>{ $charge }</code>.

## What the user reads of it
credits-granted = 🎁 We have added { $credits } to your balance: you now have <b>{ $available }</b>.
credits-taken =
    We have taken { $credits } back: you now have <b>{ $available }</b>.

    If that is a surprise, ask { $support }.

## Accounts and keys
admin-accounts = 🔑 <b>KIE accounts and keys</b>, { $at } UTC
admin-account-serves = ✅ <b>{ $account }</b> takes orders
admin-account-blocked = ⛔️ <b>{ $account }</b> is left alone until { $until }: { $reason }
admin-account-no-key = ⛔️ <b>{ $account }</b> has no key that works
admin-account-load = in flight { $flying }, creates in the last 10 s: { $creates }
admin-account-balance = balance { $balance } KIE credits, read { $at }
admin-account-no-balance = balance not read yet
admin-key-works = • { $name } works
admin-key-blocked = • { $name } is left alone until { $until }: { $reason }
admin-model-rests = 💤 { $model } rests until { $until }: { $reason }
