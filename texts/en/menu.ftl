# Words for people, in English. HTML as Telegram knows it; a blank line stays a blank line.
# The word "ready" belongs to the reply that rings and to the closing card: nowhere else.

## Counted words
credits = { $count ->
    [one] { $count } credit
   *[other] { $count } credits
}
videos = { $count ->
    [one] { $count } video
   *[other] { $count } videos
}

## Buttons
button-new-order = 🎬 New order
button-balance = 💳 My balance
button-help = ❓ Help
button-language = 🌐 Language
button-ugc = 🤳 UGC
button-ad = ✨ Ad
button-own = ✍️ Own prompt
button-skip = Skip
button-generate = 🎬 Generate
button-cancel = Cancel
button-more = 🔁 More of this product
button-menu = 🏠 Main menu
button-again = Try again
button-photo = 📷 Another photo
button-here = ⬇️ Send it here
button-replace = Replace
button-new = New order
button-top-up = Top up
button-fewer = Make { $count } with what you have
button-russian = Русский
button-english = English

## Before Start
bot-description =
    🎬 Short videos of your product.

    Send me one photo and pick a style: as if a customer filmed it, an advertisement, or your own prompt. Minutes later the video is here in the chat.

    You pay with credits. What cannot be made is refunded at once.
bot-short-description = 🎬 Short videos of your product: from one photo, in minutes, here in the chat.

## Commands
command-start = Main menu
command-help = How it works
command-balance = My balance
command-cancel = Drop the open order
command-language = Русский / English
toast-accepted = Accepted, on its way

## Menu
main-menu =
    🎬 <b>Short videos of your product</b>

    Send me a photo of the product: two or three questions later I start making the video.
order-open = You have an open order: go on where you stopped, or /cancel.
help =
    <b>How it works</b>

    1. Send one photo of your product.
    2. Pick a style: UGC (as if a customer filmed it), an advertisement, or your own prompt.
    3. Tell me about the product, or skip.
    4. Choose how many videos: 1, 3 or 5.
    5. Check the card and press Generate. Behind <b>Change</b>: format, length, and every answer.

    One video costs { $price }, a longer one more. What cannot be made is refunded at once.

    /balance – your credits, top-up, history
    /orders – what is being made, and how to stop it
    /videos – your videos of the last 30 days
    /cancel – drop the open order
    /language – Русский / English
    /terms, /privacy – the rules, and your data
    /paysupport – help with a payment
    /forget – delete my data

    Questions: { $support }
balance = 💳 You have <b>{ $credits }</b>.
balance-reserved = In the making: { $credits }, paid for when delivered.
choose-language = Which language shall I speak?
apology = Sorry, something broke on our side. Nothing is lost or charged: please try that again in a minute.
