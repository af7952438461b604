# Формат, длина, шаблоны с примерами.
ask-format =
    Какой формат нужен?

    📷 <b>Как на фото</b> – форма вашего фото, где это возможно
format-portrait = 📱 <b>9:16</b> – рилс, шортс, сторис
format-landscape = 🖥 <b>16:9</b> – YouTube, страница магазина
format-square = ⏹ <b>1:1</b> – лента и карточка товара
button-as-photo = 📷 Как на фото
button-format-portrait = 📱 9:16
button-format-landscape = 🖥 16:9
button-format-square = ⏹ 1:1
ask-seconds = Какой длины? В длинном ролике успеет произойти больше. Цена – за один ролик.
seconds = { $count } с
button-seconds = ⏱ { $length } · { $price }
button-chosen = ✓ { $label }
