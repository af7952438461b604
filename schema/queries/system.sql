-- What the gauges of the whole system show.

-- name: open_videos
-- A video waits for its photo and script, for a KIE account, for KIE, or is being sent. Each stands in one of them.
select case when v.state = 'DELIVERING' then 'delivering'
            when v.result_media_key is not null then 'delivering'
            when exists (select 1 from admission_queue q where q.video_id = v.id) then 'queued'
            when exists (select 1 from attempts a where a.video_id = v.id) then 'making'
            when v.opened_at is not null then 'queued'
            else 'writing' end as stage, count(*) as videos
from videos v where v.state in ('OPEN', 'DELIVERING')
group by 1;

-- name: facts^
select (select count(*) from admission_queue) as queued,
       (select extract(epoch from cast(:now as timestamptz) - min(enqueued_at))::float8 from admission_queue) as queue_seconds,
       (select extract(epoch from cast(:now as timestamptz) - min(o.created_at))::float8
        from videos v join orders o on o.id = v.order_id where v.state in ('OPEN', 'DELIVERING')) as reservation_seconds,
       (select count(*) from orders where workflow_started_at is null and state = 'OPEN') as unstarted,
       (select count(*) from attempts
        where state = 'AMBIGUOUS' and task_state is null and ended_at is null) as ambiguous;

-- name: services_down
select name, down_since is not null as is_down from services order by name;

-- name: broken_by_rule
select rule, count(*) as subjects from broken_invariants where mended_at is null group by rule;

-- name: invariants_checked_at$
select max(checked_at) from invariant_checks;

-- name: chores
select name, ended_at from chores;
