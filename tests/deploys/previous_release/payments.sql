-- name: insert_payment^
insert into payments (charge_id, provider, user_id, package_id, amount, currency, credits, state, draft_id, paid_at)
values (:charge_id, :provider, :user_id, :package_id, :amount, :currency, :credits, :state, :draft_id, :now)
on conflict (charge_id) do nothing
returning charge_id;

-- name: read_payment^
select p.charge_id, p.user_id, u.tg_user_id, p.amount, p.currency, p.credits, p.state, p.debt_credits, p.draft_id,
       p.refund_tries, p.refund_error
from payments p join users u on u.id = p.user_id
where p.charge_id = :charge_id;

-- name: lock_payment^
select charge_id, user_id, credits, state from payments where charge_id = :charge_id for update;

-- name: set_refunding!
update payments set state = 'REFUNDING', debt_credits = debt_credits + :debt_credits, refund_next_try_at = :now,
                    refund_tries = 0, refund_error = ''
where charge_id = :charge_id;

-- name: set_refunded!
update payments set state = 'REFUNDED', debt_credits = debt_credits + :debt_credits, refund_next_try_at = null,
                    refund_error = '', refunded_at = :now
where charge_id = :charge_id;

-- name: lease_refund^
update payments set refund_next_try_at = :leased_until, refund_tries = refund_tries + 1
where charge_id = (
    select charge_id from payments
    where state = 'REFUNDING' and refund_next_try_at <= :now
    order by refund_next_try_at limit 1 for update skip locked
)
returning charge_id;

-- name: postpone_refund!
update payments set refund_next_try_at = :next_try_at, refund_error = :error
where charge_id = :charge_id and state = 'REFUNDING';

-- name: refuse_refund^
update payments set state = 'REFUND_REFUSED', refund_next_try_at = null, refund_error = :error
where charge_id = :charge_id and state = 'REFUNDING'
returning charge_id;
