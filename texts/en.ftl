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

## Commands
command-start = Main menu
command-help = How it works
command-balance = My balance
command-cancel = Drop the open order
command-language = Русский / English
toast-accepted = Accepted, your videos are on their way

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
    5. Check the card and press Generate.

    One video costs { $price }. What cannot be made is refunded at once.

    /balance – your credits
    /cancel – drop the open order
    /language – Русский / English

    Questions: { $support }
balance = 💳 You have <b>{ $credits }</b>.
balance-reserved = In the making: { $credits }, paid for when delivered.
top-up =
    To top up, write to { $support }: we add credits by hand for now.

    Your balance: { $credits }.
choose-language = Which language shall I speak?
private-only = I work in private chats only: open a chat with me and send a photo of your product.
apology = Sorry, something broke on our side. Nothing is lost or charged: please try that again in a minute.

## Dialog
ask-photo = 📷 Send me one photo of the product: in focus, well lit, nothing covering it.
ask-another-photo = 📷 Send another photo. I keep everything else you told me.
album-note = An album counts as its first photo: I took that one.
photo-replace-or-new = You have an open order. Is this photo for it, or for a new one?
ask-template =
    Nice. What shall the video be?

    <b>UGC</b> – like a customer filmed it
    <b>Ad</b> – a clean advertisement
    <b>Own prompt</b> – you write what happens
ask-template-own-only =
    Nice. Tell me what happens in the video: press <b>Own prompt</b>.
ask-product-text = What is the product, and what is good about it? One or two sentences, or press Skip.
ask-wishes = Any wishes for the video: place, mood, words to be said? Write them, or press Skip.
ask-own-prompt = Write what happens in the video: who, where, what the camera does.
text-too-long = That is too long: please keep it to { $max } characters. I am still waiting for the shorter version.
ask-count = How many videos? Each one is different.
confirm = <b>{ $template }</b> · { $videos }
confirm-price = Price: { $price }
confirm-balance = Balance: { $balance }
template-ugc = UGC
template-ad = Ad
template-own = Own prompt
brief-product = Product: { $text }
brief-wishes = Wishes: { $text }
brief-own = Prompt: { $text }
not-enough = Not enough credits: you have { $have }, and this order takes { $need }. Nothing was charged, and the card above stays valid.
stale-card = That button belongs to an older card. Here is where we are now:
cancelled-draft = Dropped. Nothing was charged. Send a photo whenever you like.
nothing-to-cancel = There is no open order to drop. An accepted order cannot be stopped here yet; what cannot be made is refunded by itself.
unsupported-input = I can read photos, texts and buttons, but not this.
unsupported-document = This file is not a picture. A JPEG, PNG or WEBP photo is what I need.
need-photo = It starts with a photo of the product.
press-button = Please press one of the buttons.
press-generate = The card above is waiting: press Generate, send another photo, or /cancel.
unknown-command = I do not know this command. /help says what I can do.

## Photos that cannot be used
photo-refused-format = I cannot open this picture. Please send a JPEG, PNG or WEBP.
photo-refused-small = This photo is too small: at least { $side } pixels on each side, please.
photo-refused-large = This photo is too large: up to { $megabytes } MB and { $megapixels } megapixels, please.
photo-refused-gone = Telegram no longer gives me this photo. Please send it again.

## An order on its way
stage-accepted = ✅ Accepted. Usually 1–5 minutes, sometimes 15. You can close the chat: I will write to you.
stage-writing = ✍️ Writing the script…
stage-queued = ⏳ In the queue…
stage-making = 🎬 Making the video…
stage-delivering = 📦 Sending the video…
stage-cancelled = ✖️ Cancelled, the credit is back.
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
order-cancelled = ✖️ The order is cancelled before anything was bought.

## A long wait
long-wait-queue = ⏳ Many orders right now: yours stands in the queue and will be made. Nothing to do for you.
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
failed-model-unavailable = The video service rests at the moment. Please come back later.
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
advice-photo = Press Another photo: I keep everything else you told me.
advice-again = Press Try again for a new attempt.
advice-support = Questions: { $support }

## For admins
admin-alert =
    🚨 <b>{ $class }</b>
    { $ids }
    <code>{ $raw }</code>
admin-alert-no-answer = no answer recorded
