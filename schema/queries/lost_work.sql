-- name: watched_videos
-- Open, in time, and begun by a workflow. In any order: where there are more than one look takes, the next
-- looks see the others.
select v.id, v.order_id, v.state, v.ready_at, v.opened_at, o.workflow_started_at,
       exists (select 1 from bought_attempts b where b.video_id = v.id) as bought
from videos v join orders o on o.id = v.order_id
where v.state in ('OPEN', 'DELIVERING') and v.deadline_at > :now
  and o.workflow_started_at < :begun_before and (v.opened_at is null or v.opened_at < :begun_before)
order by random() limit :rows_max;

-- name: unclosed_orders
-- Nothing in them is open, but they are.
select o.id, o.video_count, o.workflow_started_at from orders o
where o.state = 'OPEN' and o.workflow_started_at < :begun_before
  and not exists (select 1 from videos v where v.order_id = o.id and v.state in ('OPEN', 'DELIVERING'))
order by random() limit :rows_max;
