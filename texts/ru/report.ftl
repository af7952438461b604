## Утренний отчёт
report-day =
    📊 <b>Вчера, { $day }</b> (сутки по UTC)
    В скобках: насколько больше или меньше, чем днём раньше.
report-orders = Заказы: <b>{ $orders }</b>, новые пользователи: { $users }
report-videos = Ролики: доставлено <b>{ $delivered }</b>, кредиты возвращены за { $back }, ждут своего пользователя: { $waiting }
report-cause = • { $cause }: { $videos }
report-waits = От нажатия до доставки: половина за { $half }, 95% за { $most }
report-span-beside = { $now } (было { $before })
report-income = Доход: <b>{ $amount }</b>, платежей: { $payments }
report-income-and-back = Доход: <b>{ $amount }</b>, платежей: { $payments }; возвращено { $back }, платежей: { $refunds }
report-no-income = Доход: нет
report-account = 🔑 KIE { $account }: { $balance }, за сутки ушло { $spent }; ключи работают: { $serving } из { $keys }
report-account-blocked = 🚧 KIE { $account }: { $balance }, за сутки ушло { $spent }; ключи работают: { $serving } из { $keys }, подробнее: /accounts
report-balance = осталось { $balance } кредитов KIE
report-no-balance = остаток неизвестен
report-nothing-open = Открытых роликов сейчас нет
report-oldest = Самый старый открытый ролик: { $age }
report-true = ✅ Всё, что должно быть верно всегда, верно
report-broken = 🚨 Неверно то, что должно быть верно всегда: { $count }. <code>admin_main.py check</code> назовёт каждое.
report-backup = 💾 Последняя резервная копия: { $hours } ч назад
report-backup-old = 🚨 Последняя резервная копия: { $hours } ч назад, это слишком давно
report-no-backup = ⚠️ Резервных копий ещё не было
report-hours = { $hours } ч
