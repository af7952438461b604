-- name: ensure_wallet!
insert into wallets (user_id) values (:user_id) on conflict (user_id) do nothing;

-- name: lock_wallet^
select available, reserved from wallets where user_id = :user_id for update;

-- name: find_entry^
select kind, available_delta, reserved_delta from credit_entries where cause = :cause;

-- name: insert_entry!
insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, order_id, video_id, charge_id, note,
                            available_after, reserved_after, created_at)
values (:user_id, :kind, :available_delta, :reserved_delta, :cause, :order_id, :video_id, :charge_id, :note,
        :available_after, :reserved_after, :now);

-- name: update_wallet!
update wallets set available = :available, reserved = :reserved where user_id = :user_id;

-- name: balance^
select w.available, w.reserved
from users u join wallets w on w.user_id = u.id
where u.tg_user_id = :tg_user_id;

-- name: ensure_user$
insert into users (tg_user_id, created_at) values (:tg_user_id, :now)
on conflict (tg_user_id) do update set tg_user_id = excluded.tg_user_id
returning id;

-- name: broken_wallets
select w.user_id, w.available, w.reserved,
       coalesce(sum(e.available_delta), 0) as available_sum,
       coalesce(sum(e.reserved_delta), 0) as reserved_sum
from wallets w left join credit_entries e on e.user_id = w.user_id
group by w.user_id, w.available, w.reserved
having w.available <> coalesce(sum(e.available_delta), 0) or w.reserved <> coalesce(sum(e.reserved_delta), 0);
