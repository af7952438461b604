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

-- name: history
select e.kind, e.available_delta, e.note, e.created_at, o.video_count, v.number as video_number, p.amount
from credit_entries e join users u on u.id = e.user_id
     left join orders o on o.id = e.order_id
     left join videos v on v.id = e.video_id
     left join payments p on p.charge_id = e.charge_id
where u.tg_user_id = :tg_user_id and e.available_delta <> 0
order by e.id desc
limit :limit offset :offset;

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
