## The morning's report
report-day =
    📊 <b>Yesterday, { $day }</b> (a day of UTC)
    In brackets: how much more or less than on the day before.
report-orders = Orders: <b>{ $orders }</b>, new users: { $users }
report-videos = Videos: <b>{ $delivered }</b> delivered, credits back for { $back }, waiting for their user: { $waiting }
report-cause = • { $cause }: { $videos }
report-waits = From tap to delivery: half within { $half }, 95% within { $most }
report-span-beside = { $now } (was { $before })
report-income = Income: <b>{ $amount }</b>, payments: { $payments }
report-income-and-back = Income: <b>{ $amount }</b>, payments: { $payments }; sent back { $back }, payments: { $refunds }
report-no-income = Income: none
report-account = 🔑 KIE { $account }: { $balance }, { $spent } spent that day; keys that work: { $serving } of { $keys }
report-account-blocked = 🚧 KIE { $account }: { $balance }, { $spent } spent that day; keys that work: { $serving } of { $keys }, more: /accounts
report-balance = { $balance } KIE credits left
report-no-balance = balance unknown
report-nothing-open = No video is open now
report-oldest = Oldest open video: { $age }
report-true = ✅ What must always be true is true
report-broken = 🚨 What must always be true is not: { $count }. <code>admin_main.py check</code> names each.
report-backup = 💾 Last backup: { $hours } h ago
report-backup-old = 🚨 Last backup: { $hours } h ago, which is too long
report-no-backup = ⚠️ There has been no backup yet
report-hours = { $hours } h
