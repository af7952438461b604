## Оповещения для администраторов
admin-alert =
    🚨 <b>{ $class }</b>
    { $facts }
    <code>{ $raw }</code>
admin-alert-no-answer = ответ не записан
admin-alert-more = …и ещё { $count } с прошлого сообщения об этом.
admin-alert-passed-over = 🔕 <b>Было ещё, без отдельных сообщений:</b>
admin-alert-cause = • { $cause }: { $count }
admin-low-balance =
    💰 <b>Аккаунт KIE { $account }: осталось { $balance } кредитов KIE</b>
    Последние 24 часа стоили { $spent }. Когда он опустеет, заказы пойдут через другие аккаунты или будут ждать: пожалуйста, пополните.
admin-fact-order = заказ
admin-fact-video = ролик
admin-fact-attempt = попытка
admin-fact-account = аккаунт
admin-fact-key = ключ
admin-fact-model = видеомодель

## Панель
admin-panel =
    🛠 <b>Администрирование</b>

    /user <i>id</i> · /grant <i>id n причина</i> · /take <i>id n причина</i>
    /refund <i>id платежа</i> · /today · /accounts · /maintenance <i>on или off</i>
    /refund <i>id платежа</i> forced: даже если кредиты потрачены · /forget <i>id</i>: удалить данные
admin-maintenance-on = 🚧 Обслуживание <b>включено</b>: новые заказы откладываются, начатые доделываются, платежи зачисляются.
admin-maintenance-off = ✅ Обслуживание <b>выключено</b>: заказы принимаются.
button-admin-panel = 🛠 Панель
button-admin-today = 📊 Сегодня
button-admin-find = 🔎 Найти пользователя
button-admin-accounts = 🔑 Аккаунты и ключи
button-admin-maintenance-on = 🚧 Включить обслуживание
button-admin-maintenance-off = ✅ Выключить обслуживание
button-admin-grant = ➕ Начислить
button-admin-take = ➖ Списать
button-admin-refund = ↩️ Вернуть { $amount }
button-admin-force = Всё равно вернуть
button-admin-yes = ✅ Да
button-admin-no = ✖️ Нет
command-admin = Администрирование
command-today = Цифры за сегодня
command-user = Что известно о пользователе
command-grant = Начислить кредиты
command-take = Списать кредиты
command-refund = Вернуть платёж
command-accounts = Аккаунты и ключи KIE
command-maintenance = Обслуживание: on или off
admin-usage-user = Вот так: <code>/user 123456789</code> (число, которое знает Telegram, а не @имя)
admin-usage-grant = Вот так: <code>/grant 123456789 5 ролик опоздал</code>
admin-usage-take = Вот так: <code>/take 123456789 5 начислено дважды</code>
admin-usage-refund = Вот так: <code>/refund ID_ПЛАТЕЖА</code> или <code>/refund ID_ПЛАТЕЖА forced</code>
admin-usage-today = Вот так: <code>/today</code> или <code>/today 2026-11-20</code>
admin-usage-maintenance = Вот так: <code>/maintenance on</code> или <code>/maintenance off</code>
admin-find = 🔎 Пришлите <code>/user 123456789</code>: число, которое знает Telegram, а не @имя.
admin-how-to-grant = ➕ Пришлите <code>/grant { $user } 5 причина</code>: сколько и за что.
admin-how-to-take = ➖ Пришлите <code>/take { $user } 5 причина</code>: сколько и за что.

## Один день
admin-day = 📊 <b>{ $day }</b>, от полуночи до полуночи UTC
admin-day-orders = Заказы: <b>{ $orders }</b> от { $customers ->
    [one] { $customers } пользователя
   *[other] { $customers } пользователей
}, { $videos }
admin-day-new-users = Новые пользователи: { $count }
admin-day-delivered = Доставлено: <b>{ $videos }</b>, ждут своего пользователя: { $waiting }
admin-day-waits = От нажатия до доставки: половина за { $half }, 95% за { $most }
admin-day-no-refunds = Возвратов кредитов нет
admin-day-refunds = Возвращено:
admin-day-refund = • { $cause }: { $videos }, { $credits }
admin-day-no-income = Доход: нет
admin-day-income = Доход: <b>{ $amount }</b>, { $payments ->
    [one] { $payments } платёж
    [few] { $payments } платежа
   *[many] { $payments } платежей
}, куплено { $credits }
admin-day-sent-back = Возвращено денег: { $amount }, { $payments ->
    [one] { $payments } платёж
    [few] { $payments } платежа
   *[many] { $payments } платежей
}
admin-day-spend = KIE: { $spent } кредитов KIE
admin-day-spend-each = KIE: { $spent } кредитов KIE, { $each } на доставленный ролик
admin-day-ratings = Оценки:
admin-day-rating = • { $name }: 👍 { $likes } 👎 { $dislikes }
admin-cancelled = остановлено пользователем
admin-duration = { $minutes } мин { $seconds } с

## Один пользователь
admin-user = 👤 <code>{ $user }</code>, с { $since }, язык: { $spoken }
admin-user-blocked = 🚫 заблокировал бота
admin-user-balance = 💳 доступно: { $available }, в работе: { $reserved }
admin-user-debt = ❗️ долг после возвратов: { $credits }
admin-user-orders = 🎬 Заказы: { $count }
admin-user-order = • { $at } { $template }, { $videos }: доставлено { $delivered }, не вышло { $failed } { $open }<code>{ $order }</code>
admin-user-order-open = (в работе)
admin-user-failures = ⚠️ Последние неудачи:
admin-user-failure = • { $at } <b>{ $class }</b> { $reason } <code>{ $said }</code>
admin-user-payments = 💰 Платежи:
admin-user-payment = • { $at } { $amount } → { $credits }, { $state } <code>{ $charge }</code>
admin-nobody = Пользователь с номером <code>{ $user }</code> никогда не писал боту.
admin-state-paid = оплачен
admin-state-unclear = неясен: не по нашему счёту, кредиты не начислены
admin-state-refunding = возвращается
admin-state-refunded = возвращён
admin-state-refund-refused = в возврате отказано

## Дела
admin-confirm-grant =
    ➕ Начислить <b>{ $credits }</b> пользователю <code>{ $user }</code>?
    Причина, пользователь увидит её в истории: { $reason }
    Сейчас доступно: { $available }
admin-confirm-take =
    ➖ Списать <b>{ $credits }</b> у пользователя <code>{ $user }</code>?
    Причина, пользователь увидит её в истории: { $reason }
    Сейчас доступно: { $available }
admin-confirm-refund =
    ↩️ Вернуть <b>{ $amount }</b> пользователю <code>{ $user }</code> и списать купленные за них { $credits }?
    Сейчас доступно: { $available }
    <code>{ $charge }</code>
admin-confirm-refund-forced =
    ↩️ Вернуть <b>{ $amount }</b> пользователю <code>{ $user }</code>, <b>хотя часть кредитов потрачена</b>? Куплено было { $credits }: что есть, спишется, остальное запишется как долг.
    Сейчас доступно: { $available }
    <code>{ $charge }</code>
admin-confirm-refund-again =
    🔁 Ещё раз запросить возврат <b>{ $amount }</b> пользователю <code>{ $user }</code>? Кредиты уже списаны раньше: повторяется только запрос к провайдеру.
    Сейчас: { $state }
    <code>{ $charge }</code>
admin-done-grant = ✅ Начислено: { $credits }. У <code>{ $user }</code> теперь { $available }, мы ему об этом пишем.
admin-done-take = ✅ Списано: { $credits }. У <code>{ $user }</code> теперь { $available }, мы ему об этом пишем.
admin-declined = Ничего не сделано.
admin-too-many = У <code>{ $user }</code> доступно только { $available }. Ничего не списано.
admin-refund-begun = ✅ Кредиты списаны, деньги по <code>{ $charge }</code> возвращаются.
admin-refund-continued = 🔁 Кредиты уже списаны раньше; запрос на возврат <code>{ $charge }</code> отправляется ещё раз.
admin-refund-spent = ✋ Кредиты, купленные по <code>{ $charge }</code>, потрачены, не хватает: { $missing }. Ничего не возвращено.
admin-refund-refunded = <code>{ $charge }</code> возвращён раньше. Ничего не изменилось.
admin-refund-unknown = Платежа <code>{ $charge }</code> нет.

## Что об этом читает пользователь
credits-granted = 🎁 Мы начислили вам { $credits }: теперь у вас <b>{ $available }</b>.
credits-taken =
    Мы списали { $credits }: теперь у вас <b>{ $available }</b>.

    Если это неожиданно, напишите { $support }.

## Аккаунты и ключи
admin-accounts = 🔑 <b>Аккаунты и ключи KIE</b>, { $at } UTC
admin-account-serves = ✅ <b>{ $account }</b> принимает заказы
admin-account-blocked = ⛔️ <b>{ $account }</b> не трогаем до { $until }: { $reason }
admin-account-no-key = ⛔️ <b>{ $account }</b>: ни один ключ не работает
admin-account-load = в работе { $flying }, создано за последние 10 с: { $creates }
admin-account-balance = баланс { $balance } кредитов KIE, прочитан { $at }
admin-account-no-balance = баланс ещё не прочитан
admin-key-works = • { $name } работает
admin-key-blocked = • { $name } не трогаем до { $until }: { $reason }
admin-model-rests = 💤 { $model } отдыхает до { $until }: { $reason }
