# Topping up, receipts, refunds, terms.

## Topping up
button-package = { $credits } – { $stars } ⭐
button-terms = 📄 Terms
button-history = 🧾 History
button-newer = ◀ Newer
button-older = Older ▶
command-terms = Terms of use
command-privacy = What happens with your data
command-paysupport = Help with a payment
top-up =
    ⭐ <b>Top up with Telegram Stars</b>

    Your balance: { $credits }. Choose a package: Telegram shows you the invoice, and the credits are there at once.

    Questions about a payment: { $support }
invoice-description = { $credits } for short videos of your product. They are added at once and do not expire.
packages-changed = This package is no longer on offer. Here is what there is now:

## A payment
checkout-other-payer = This invoice was made for somebody else. Open the bot and press Top up: you get your own.
checkout-changed = Our prices have changed since this invoice. Nothing was charged: press Top up again for a new one.
checkout-forged = This invoice is not one of ours as we made it. Nothing was charged: press Top up again for a new one.
money-credited = ✅ Added: { $credits }. Balance now: { $balance }.
money-still-short = Your order takes { $need }, so it is still a little short. Top up once more, or make fewer.
money-order-kept = Your order is waiting for you here:
money-unclear =
    Your payment ({ $amount }) has arrived, but it does not fit any invoice I made for you, so no credits were added. Balance: { $balance }.

    Our support has been told and will sort it out: { $support }
    Number of the payment: <code>{ $charge }</code>
money-not-booked =
    Your payment ({ $amount }) has arrived, but something broke on our side before the credits were added. Nothing is lost: our support has been told and adds them by hand.

    Should it take long: { $support }
    Number of the payment: <code>{ $charge }</code>
money-refunded = ↩️ { $stars } ⭐ went back to you, and with them { $credits } from your balance. Balance now: { $balance }.
money-refunded-only = ↩️ { $stars } ⭐ went back to you. Your balance stays as it is: { $balance }.

## History of the credits
history = 🧾 <b>Your credits</b>: { $credits }
history-empty = Nothing has happened yet.
history-line = { $day } · { $amount } { $what }
history-order = order of { $videos }
history-refunded = refunded: video { $number }
history-topped-up = topped up ({ $stars } ⭐)
history-stars-back = Stars refunded ({ $stars } ⭐)
history-welcome = welcome
history-granted = granted: { $reason }
history-taken = taken back: { $reason }

## Terms
terms-note = By pressing Generate you accept /terms
terms =
    📄 <b>Terms of use</b>, version { $version }

    1. I make short product videos from your photo and your words. A neural network draws them, so details may differ from the real product.
    2. Videos are paid for with credits, and credits are bought with Telegram Stars. The price stands on the card before you press Generate.
    3. What cannot be made costs nothing: the credits come back by themselves, at once.
    4. Send only photos and texts that you have the right to use, and nothing unlawful. The video services refuse other people, children, protected brands and the like.
    5. How you use the videos is up to you, and you answer for it.
    6. Stars can be returned while the credits they bought are unspent: /paysupport. What happens with your data: /privacy.

    Questions: { $support }
privacy =
    🔒 <b>Your data</b>

    <b>What is kept:</b> your Telegram id and language, your photos and texts, the videos made of them, and the history of your credits and payments.
    <b>Who gets it:</b> photos and texts go to OpenAI, which checks them and writes the script, and to KIE.AI, which makes the video. Payments are made inside Telegram: no card data reaches us.
    <b>For how long:</b> photos and videos are kept for 30 days. Texts stay with the history of your orders until you delete your data. The history of credits and payments stays, as bookkeeping has to, but then without you.

    /forget deletes your data: I show you first what goes, what stays and what you lose. Questions: { $support }
paysupport =
    💬 <b>Help with a payment</b>

    Stars are charged, but there are no credits? They usually arrive within a minute: look at /balance first.
    You want your Stars back? That works while the credits they bought are unspent.

    Write to { $support } with the number of the payment: it stands in Telegram under Settings → My Stars.

## For admins
alert-payment-unclear =
    🚨 <b>A payment that fits no invoice</b> ({ $why })
    User { $user }, { $amount }. No credits were added.
    <code>{ $charge }</code>
alert-payment-not-booked =
    🚨 <b>A payment was not booked, because of a bug of ours</b>
    User { $user }, { $amount }. The log says why; the credits have to be granted by hand.
    <code>{ $charge }</code>
alert-refund-refused =
    🚨 <b>Telegram refuses a refund</b>
    User { $user }, { $amount }: { $error }. The credits are taken; the money has not gone back.
    <code>{ $charge }</code>
alert-refund-unknown =
    🚨 <b>Telegram refunded a payment that is not in our books</b>
    <code>{ $charge }</code>
alert-welcome-over = 🚨 <b>Welcome credits</b>: today's share ({ $count }) is given away. Whoever is new starts with 0 until tomorrow, UTC.
