# Слова для людей, по-русски. HTML, как его знает Telegram; пустая строка остаётся пустой строкой.
# Слово «готово» принадлежит ответу, который звонит, и итоговой карточке: больше нигде.

## Считаемые слова
credits = { $count ->
    [one] { $count } кредит
    [few] { $count } кредита
   *[many] { $count } кредитов
}
videos = { $count ->
    [one] { $count } ролик
    [few] { $count } ролика
   *[many] { $count } роликов
}

## Кнопки
button-new-order = 🎬 Новый заказ
button-balance = 💳 Мой баланс
button-help = ❓ Помощь
button-language = 🌐 Язык
button-ugc = 🤳 UGC
button-ad = ✨ Реклама
button-own = ✍️ Свой промпт
button-skip = Пропустить
button-generate = 🎬 Создать
button-cancel = Отмена
button-more = 🔁 Ещё с этим товаром
button-menu = 🏠 Главное меню
button-again = Попробовать ещё раз
button-photo = 📷 Другое фото
button-here = ⬇️ Прислать сюда
button-replace = Заменить
button-new = Новый заказ
button-top-up = Пополнить
button-fewer = Сделать { $count } на то, что есть
button-russian = Русский
button-english = English

## Команды
command-start = Главное меню
command-help = Как это работает
command-balance = Мой баланс
command-cancel = Отменить начатый заказ
command-language = Русский / English
toast-accepted = Принято, ролики уже в работе

## Меню
main-menu =
    🎬 <b>Короткие видео о вашем товаре</b>

    Пришлите фото товара: два-три вопроса, и я начну делать видео.
order-open = У вас есть начатый заказ: продолжайте с того же места или /cancel.
help =
    <b>Как это работает</b>

    1. Пришлите одно фото товара.
    2. Выберите стиль: UGC (как будто снял покупатель), реклама или свой промпт.
    3. Расскажите о товаре или пропустите.
    4. Выберите, сколько роликов: 1, 3 или 5.
    5. Проверьте карточку и нажмите «Создать».

    Один ролик стоит { $price }. За то, что не получилось, кредиты возвращаются сразу.

    /balance – ваши кредиты
    /orders – что сейчас делается, и как это остановить
    /videos – ваши видео за 30 дней
    /cancel – отменить начатый заказ
    /language – Русский / English

    Вопросы: { $support }
balance = 💳 У вас <b>{ $credits }</b>.
balance-reserved = В работе: { $credits }. Спишется после доставки.
choose-language = На каком языке говорить?
apology = Простите, у нас что-то сломалось. Ничего не пропало и не списано: попробуйте ещё раз через минуту.
