-- What does not go on, each with the moment since when.

-- name: unstarted
select id, created_at as since from orders
where workflow_started_at is null and state = 'OPEN' and created_at < :before
order by created_at limit :rows_max;

-- name: past_deadline
select id, deadline_at as since from videos
where state in ('OPEN', 'DELIVERING') and deadline_at < :now
order by deadline_at limit :rows_max;

-- name: near_deadline
select v.id, o.created_at as since from videos v join orders o on o.id = v.order_id
where v.state in ('OPEN', 'DELIVERING') and v.deadline_at >= :now and o.created_at < :tapped_before
order by v.deadline_at limit :rows_max;

-- name: unsent
-- The result is kept, and nobody has it yet.
select id, ready_at as since from videos
where state in ('OPEN', 'DELIVERING') and deadline_at >= :now and ready_at < :ready_before
order by ready_at limit :rows_max;

-- name: waiting_for_account
select q.video_id as id, q.enqueued_at as since
from admission_queue q join videos v on v.id = q.video_id and v.state = 'OPEN'
where q.enqueued_at < :enqueued_before order by q.enqueued_at limit :rows_max;

-- name: held_reservations
-- Reserved credits that no open video accounts for.
select '#' || w.user_id as id, max(e.created_at) as since
from wallets w join credit_entries e on e.user_id = w.user_id and e.kind = 'reserve'
where w.reserved > 0
  and w.reserved <> (select coalesce(sum(v.price_credits), 0) from videos v
                     where v.user_id = w.user_id and v.state in ('OPEN', 'DELIVERING'))
group by w.user_id having max(e.created_at) < :reserved_before
order by 2 limit :rows_max;

-- name: lost_creates
select a.id, a.sent_at as since from attempts a
where a.ended_at is null and a.state in ('SENDING', 'AMBIGUOUS') and a.task_state is null
  and a.sent_at < :sent_before
order by a.sent_at limit :rows_max;

-- name: unclosed_orders
select o.id, max(v.closed_at) as since from orders o join videos v on v.order_id = o.id
where o.state = 'OPEN' group by o.id
having bool_and(v.state not in ('OPEN', 'DELIVERING')) and max(v.closed_at) < :closed_before
order by 2 limit :rows_max;

-- name: unrefunded_payments
select charge_id as id, paid_at as since from payments
where state in ('UNCLEAR', 'REFUND_REFUSED') or (state = 'REFUNDING' and refund_tries >= :tries)
order by paid_at limit :rows_max;

-- name: older_epochs
select id, created_at as since from orders
where state = 'OPEN' and epoch < current_epoch() order by created_at limit :rows_max;

-- name: down_services
select name as id, down_since as since from services where down_since is not null order by down_since;
