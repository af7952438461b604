# Topping up, receipts, refunds, terms.
