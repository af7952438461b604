## What must always be true
invariants-broken = 🚨 <b>Something that must always be true is not</b>
invariants-mended = ✅ <b>True again</b>
invariants-line = • { $promise }: <b>{ $count }</b>
invariants-subject = <code>{ $subject }</code>
invariants-more = …and { $count } more
invariants-how = <code>admin_main.py check</code> names all of them.
invariant-wallets = I1 a wallet is the sum of its entries
invariant-settled = I2 a closed video is settled exactly once
invariant-state = I3 delivered is captured, failed is refunded
invariant-bought = I4 nothing is bought beside what may have been bought
invariant-payments = I5 one credit entry per payment
invariant-deadlines = I6 no video is open past its deadline
