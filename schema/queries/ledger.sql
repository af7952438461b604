-- name: write_entry^
select outcome, kind_now as kind, available_now as available, reserved_now as reserved
from write_entry(:user_id, :kind, :available_delta, :reserved_delta, :cause, :order_id, :video_id, :charge_id, :now);

-- name: insert_note!
insert into entry_notes (cause, user_id, note) values (:cause, :user_id, :note) on conflict (cause) do nothing;

-- name: balance^
select w.available, w.reserved
from users u join wallets w on w.user_id = u.id
where u.tg_user_id = :tg_user_id;

-- name: history
-- Entries of earlier releases carry their note themselves.
select e.kind, e.available_delta, coalesce(n.note, e.note) as note, e.created_at,
       o.video_count, v.number as video_number, p.amount
from credit_entries e join users u on u.id = e.user_id
     left join orders o on o.id = e.order_id
     left join videos v on v.id = e.video_id
     left join payments p on p.charge_id = e.charge_id
     left join entry_notes n on n.cause = e.cause
where u.tg_user_id = :tg_user_id and e.available_delta <> 0
order by e.id desc
limit :limit offset :offset;

-- name: ensure_user!
-- Leaves the row of somebody known unlocked: a tap that holds his wallet will name it.
insert into users (tg_user_id, created_at) values (:tg_user_id, :now) on conflict (tg_user_id) do nothing;

-- name: user_id$
select id from users where tg_user_id = :tg_user_id;
