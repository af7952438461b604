# Format, length, templates with their examples.
ask-format =
    Which format shall the video have?

    📷 <b>As the photo</b> – its own shape, wherever that can be done
format-portrait = 📱 <b>9:16</b> – reels, shorts, stories
format-landscape = 🖥 <b>16:9</b> – YouTube, a shop's page
format-square = ⏹ <b>1:1</b> – feeds and product cards
button-as-photo = 📷 As the photo
button-format-portrait = 📱 9:16
button-format-landscape = 🖥 16:9
button-format-square = ⏹ 1:1
ask-seconds = How long shall it be? More can happen in a longer one. Prices are for one video.
seconds = { $count } s
button-seconds = ⏱ { $length } · { $price }
button-chosen = ✓ { $label }
