## Dialog
ask-photo =
    📷 Send me one photo of the product: in focus, well lit, nothing covering it.

    What you write under it counts as the product text. Up to ten photos in one album are fine too.
ask-another-photo = 📷 Send another photo. I keep everything else you told me.
album-one-or-several =
    These are { $count } photos: one product, or several?

    <b>One product</b> – the first photo is what the video shows; up to four more help me to understand it
    <b>Several products</b> – I ask once, and you get a card for each
album-unusable = { $bad } of { $all } photos cannot be used: { $reasons }.
unusable-small = too small
unusable-large = too large
unusable-format = not a JPEG, PNG or WEBP
unusable-gone = no longer in Telegram
unusable-heic = a HEIC file (send it as a photo and Telegram converts it)
unusable-ours = a card of mine
unusable-other = not a photo
button-one-product = One product
button-several-products = Several products
photo-replace-or-new = You have an open order. Is this photo for it, or for a new one?
ask-template =
    Nice. What shall the video be?

    🤳 <b>UGC</b> – as if a customer filmed it at home: real, close, easy to believe
    ✨ <b>Ad</b> – light, camera and scene of a commercial: the product is the star
    ✍️ <b>Own prompt</b> – you write what happens, word for word
ask-template-own-only =
    Nice. Tell me what happens in the video: press <b>Own prompt</b>.
ask-product-text = What is the product, and what is good about it? One or two sentences, or press Skip.
ask-wishes = Any wishes for the video: place, mood, words to be said? Write them, or press Skip.
ask-own-prompt = Write what happens in the video: who, where, what the camera does.
text-too-long = That is too long: please keep it to { $max } characters. I am still waiting for the shorter version.
ask-count = How many videos? Each one is different.
confirm = <b>{ $template }</b> · { $videos }
confirm-views = 📷 Photos: { $count }, the video shows the first one
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
cancelled-one = Dropped: only the card you were changing. Nothing was charged.
nothing-to-cancel = There is nothing to cancel: no order is open. Send a photo whenever you like.
caption-too-long = What you wrote under the photo is too long: please keep it to { $max } characters. I took the photo without it.

## Changing an answer
button-change = ✏️ Change
ask-change = What shall be different? Everything else stays as it is.
button-part-photo = 📷 Photo
button-part-style = 🎭 Style
button-part-product = 📝 Product
button-part-wishes = 💭 Wishes
button-part-prompt = ✍️ Prompt
button-part-count = 🔢 How many
button-part-format = 📐 Format
button-part-seconds = ⏱ Length
button-back = ↩️ Leave it as it is
edit-taken = Got it: the edited text counts.
edit-too-long = The edited text is too long: up to { $max } characters. The earlier one stays.
edit-too-late = This edit comes too late: the order was accepted with the text as it was. For videos with the new one, press <b>More of this product</b> and change the card.

## What is not for us
unsupported-input = I can read photos, texts and buttons, but not this.
unsupported-document = This file is not a picture. A JPEG, PNG or WEBP photo is what I need.
unsupported-heic = I cannot open a HEIC file. Send the same picture as a photo, not as a file: Telegram converts it.
unsupported-voice = 🎙 I cannot listen, sorry. Please write it.
unsupported-video = 🎞 I make videos out of photos, not out of videos. Please send a photo of the product.
unsupported-gif = A GIF moves by itself; I need a still photo of the product.
unsupported-sticker = A nice sticker, but I make videos of products only.
unsupported-place = I need no place to make a video.
unsupported-contact = I need no contact to make a video, and have not kept it.
unsupported-poll = I do not vote, sorry.
forwarded-ours = This comes from me and is no photo of a product. To order the same again, press <b>More of this product</b>: under the original, or here where there is a button.
need-photo = It starts with a photo of the product.
press-button = Please press one of the buttons.
press-generate = The card above is waiting: press Generate or Change, send another photo, or /cancel.
unknown-command = I do not know this command. /help says what I can do.

## Photos that cannot be used
photo-refused-format = I cannot open this picture. Please send a JPEG, PNG or WEBP.
photo-refused-small = This photo is too small: at least { $side } pixels on each side, please.
photo-refused-large = This photo is too large: up to { $megabytes } MB and { $megapixels } megapixels, please.
photo-refused-gone = Telegram no longer gives me this photo. Please send it again.
