## То, что верно всегда
invariants-broken = 🚨 <b>Нарушено то, что должно быть верно всегда</b>
invariants-mended = ✅ <b>Снова верно</b>
invariants-line = • { $promise }: <b>{ $count }</b>
invariants-subject = <code>{ $subject }</code>
invariants-more = …и ещё { $count }
invariants-how = Все они: <code>admin_main.py check</code>
invariant-wallets = I1 кошелёк равен сумме своих записей
invariant-settled = I2 по закрытому ролику расчёт ровно один
invariant-state = I3 доставлен — списан, не удался — возвращён
invariant-bought = I4 ничего не куплено рядом с тем, что, возможно, куплено
invariant-payments = I5 на платёж одна запись о кредитах
invariant-deadlines = I6 ни один ролик не открыт после своего срока
