-- name: person^
-- By Telegram's number, or by ours.
select u.id as user_id, u.tg_user_id, u.created_at, u.language, u.tg_language, u.blocked_at, u.forgotten_at,
       coalesce(w.available, 0) as available, coalesce(w.reserved, 0) as reserved,
       (select coalesce(sum(p.debt_credits), 0)::int from payments p where p.user_id = u.id) as debt_credits,
       (select count(*) from orders o where o.user_id = u.id) as order_count,
       (select count(*) from videos v where v.user_id = u.id and v.state = 'WAITING') as waiting_videos
from users u left join wallets w on w.user_id = u.id
where u.tg_user_id = cast(:tg_user_id as bigint) or u.id = cast(:user_id as bigint);

-- name: last_entries
select e.kind, e.available_delta, e.reserved_delta, e.available_after, e.created_at,
       coalesce(e.order_id, e.video_id, e.charge_id, '') as of, coalesce(n.note, '') as note
from credit_entries e left join entry_notes n on n.cause = e.cause
where e.user_id = :user_id order by e.id desc limit 8;
