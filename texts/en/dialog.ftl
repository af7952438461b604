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
