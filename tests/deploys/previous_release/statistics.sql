-- Every figure is counted from the rows of the day; `since` and `until` are its bounds.

-- name: orders_of_day^
select count(*) as orders, count(distinct user_id) as customers, coalesce(sum(video_count), 0) as videos,
       (select count(*) from users where created_at >= :since and created_at < :until) as new_users
from orders where created_at >= :since and created_at < :until;

-- name: deliveries_of_day^
select count(*) as delivered,
       percentile_cont(0.5) within group (order by seconds) as p50_seconds,
       percentile_cont(0.95) within group (order by seconds) as p95_seconds,
       (select count(*) from videos
        where state = 'WAITING' and closed_at >= :since and closed_at < :until) as waiting
from (
    select extract(epoch from v.delivered_at - o.created_at)::double precision as seconds
    from videos v join orders o on o.id = v.order_id
    where v.delivered_at >= :since and v.delivered_at < :until and v.state in ('DELIVERING', 'DELIVERED')
) as reached;

-- name: refunded_of_day
select case when v.state = 'CANCELLED' then v.state else coalesce(v.failure_class, 'UNKNOWN') end as cause,
       count(*) as videos, sum(v.price_credits) as credits
from videos v
where v.closed_at >= :since and v.closed_at < :until and v.state in ('FAILED', 'CANCELLED')
group by 1 order by 2 desc, 1;

-- name: income_of_day
select currency, sum(payments) as payments, sum(amount) as amount, sum(credits) as credits,
       sum(refunds) as refunds, sum(refunded_amount) as refunded_amount
from (
    select currency, 1 as payments, amount, credits, 0 as refunds, 0 as refunded_amount
    from payments where paid_at >= :since and paid_at < :until
    union all
    select currency, 0, 0, 0, 1, amount
    from payments where refunded_at >= :since and refunded_at < :until
) as booked
group by currency order by currency;

-- name: spend_of_day$
select coalesce(sum(credits_consumed), 0) from attempts
where credits_consumed is not null and ended_at >= :since and ended_at < :until;

-- name: ratings_of_day
-- Once by template, once by video model: what made the video is its attempt that succeeded.
select d.template, a.video_model, count(*) filter (where v.rating = 1) as likes,
       count(*) filter (where v.rating = -1) as dislikes
from videos v
     join drafts d on d.id = v.order_id
     left join attempts a on a.video_id = v.id and a.task_state = 'SUCCESS'
where v.rated_at >= :since and v.rated_at < :until and v.rating is not null
group by grouping sets ((d.template), (a.video_model))
order by likes desc, dislikes;

-- name: user_facts^
select u.id, u.tg_user_id, u.created_at, u.language, u.tg_language, u.blocked_at is not null as blocked,
       coalesce(w.available, 0) as available, coalesce(w.reserved, 0) as reserved,
       (select coalesce(sum(p.debt_credits), 0) from payments p where p.user_id = u.id) as debt_credits,
       (select count(*) from orders o where o.user_id = u.id) as order_count
from users u left join wallets w on w.user_id = u.id
where u.tg_user_id = :tg_user_id;

-- name: last_orders
select o.id, o.created_at, d.template, o.video_count, o.state,
       count(*) filter (where v.state in ('DELIVERED', 'WAITING')) as delivered,
       count(*) filter (where v.state in ('FAILED', 'CANCELLED')) as failed
from (select * from orders where user_id = :user_id order by created_at desc limit 5) as o
     join drafts d on d.id = o.id left join videos v on v.order_id = o.id
group by o.id, o.created_at, d.template, o.video_count, o.state
order by o.created_at desc;

-- name: last_failures
select v.id, v.closed_at, coalesce(v.failure_class, '') as failure_class, v.failure_reason,
       coalesce(a.failure_code, '') as failure_code, coalesce(a.raw_answer, '') as raw_answer
from videos v
     left join lateral (
         select failure_code, raw_answer from attempts
         where video_id = v.id and failure_class is not null order by number desc limit 1
     ) as a on true
where v.user_id = :user_id and v.state = 'FAILED'
order by v.closed_at desc nulls last limit 5;

-- name: last_payments
select charge_id, paid_at, amount, currency, credits, state, debt_credits
from payments where user_id = :user_id order by paid_at desc limit 5;

-- name: payments_of_user
select p.charge_id, p.paid_at, p.amount, p.currency, p.credits, p.state, p.debt_credits
from payments p join users u on u.id = p.user_id
where u.tg_user_id = :tg_user_id;
