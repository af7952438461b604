## Мои заказы
button-orders = 📋 Мои заказы
button-videos = 🎞 Мои видео
button-refresh = 🔄 Обновить
command-orders = Мои заказы
command-videos = Мои видео
no-open-orders = Сейчас ничего не делается. Пришлите фото товара, и я начну.
open-orders = { $count ->
    [1] <b>Ваш заказ</b>
   *[other] <b>Ваши заказы: { $count }</b>
}
open-order = <b>{ $template }</b> · { $videos } · { $minutes ->
    [0] только что
    [one] { $minutes } минуту назад
    [few] { $minutes } минуты назад
   *[many] { $minutes } минут назад
}
open-order-words = { $text }
open-order-stage = ▸ { $stage }
open-order-video = ▸ Видео { $number }: { $stage }
more-open-orders = …и ещё { $count }.
standing-writing = пишется сценарий
standing-queued = ждёт в очереди
standing-queued-place = { $place ->
    [1] следующее в очереди
   *[other] ждёт в очереди, место { $place }
}
standing-starting = вот-вот начнётся
standing-making = делается
standing-sending = отправляется
standing-delivered = отправлено
standing-waiting = сделано, ждёт вас
standing-failed = не получилось, кредиты вернулись
standing-cancelled = отменено, кредиты вернулись

## Отмена
button-cancel-order = ✖️ Отменить заказ
button-cancel-numbered = ✖️ Отменить заказ { $number }
button-cancel-yes = ✖️ Да, отменить
button-cancel-no = Не отменять
ask-cancel = Отменить? Ещё можно остановить { $videos }, вернётся: { $credits }.
cancel-done = ✖️ Остановлено: { $videos }. Вернулось на баланс: { $credits }. Баланс теперь: { $balance }.
cancel-goes-on = { $count ->
    [one] Уже делается, поэтому придёт сюда: { $videos }.
    [few] Уже делаются, поэтому придут сюда: { $videos }.
   *[many] Уже делаются, поэтому придут сюда: { $videos }.
}
cancel-too-late = Остановить уже нельзя: всё делается и придёт сюда. Ничего не изменилось.
cancel-over = Этот заказ уже закончен: останавливать нечего. Ничего не изменилось.
cancel-kept = 👍 Пусть делается. Я напишу.
toast-cancelled = Остановлено, вернулось: { $credits }
toast-too-late = Остановить уже нельзя: делается
toast-over = Этот заказ уже закончен

## Мои видео
my-videos = 🎞 <b>Ваши видео за 30 дней</b>. Нажмите на любое, и я пришлю его ещё раз.
my-videos-page = Страница { $page } из { $pages }
no-videos = Здесь будут видео за последние 30 дней. Пока их нет: пришлите фото товара.
short-date = { $day } { $month ->
    [1] янв
    [2] фев
    [3] мар
    [4] апр
    [5] мая
    [6] июн
    [7] июл
    [8] авг
    [9] сен
    [10] окт
    [11] ноя
   *[12] дек
}
toast-rated = Спасибо!
button-like = 👍
button-dislike = 👎
button-liked = ✅ 👍
button-disliked = ✅ 👎
button-changed = ✏️ С изменениями

## Когда заказов много, и работы на нашей стороне
busy-note = { $minutes ->
    [one] ⏳ Сейчас много заказов: ждать примерно { $minutes } минуту.
    [few] ⏳ Сейчас много заказов: ждать примерно { $minutes } минуты.
   *[many] ⏳ Сейчас много заказов: ждать примерно { $minutes } минут.
}
busy-note-too-long = ⏳ Сейчас заказов столько, что новые я не беру. Нажмите «Создать», и я напишу, когда освобожусь.
not-now-busy = ⏳ Сейчас слишком много заказов: ждать пришлось бы больше получаса. Ваш заказ я сохранил и напишу, когда освобожусь. Ничего не списано.
not-now-maintenance = 🛠 Ненадолго не беру новые заказы: мы работаем над ботом. Ваш заказ я сохранил и напишу, когда можно будет продолжить. Ничего не списано.
free-again = ✨ Снова свободно. Вот ваш заказ, осталось нажать одну кнопку:
model-is-back = ✨ Видеосервис снова работает. Прошлый заказ тогда не получился, кредиты за него на балансе. Попробуем ещё раз?
