-- name: video_of_kie_task$
select video_id from attempts where kie_task_id = :kie_task_id;

-- name: order^
select o.id, u.tg_user_id, u.blocked_at is not null as user_blocked, u.forgotten_at is not null as user_forgotten,
       coalesce(w.available, 0) as available, coalesce(w.reserved, 0) as reserved, o.language,
       d.template, d.origin, d.source_order_id, d.aspect_ratio, d.video_seconds,
       o.video_count, o.price_credits, o.state, o.failure_class, o.failure_reason, o.epoch,
       current_epoch() as epoch_now, o.created_at, o.deadline_at, o.workflow_started_at, o.closed_at
from orders o join drafts d on d.id = o.id join users u on u.id = o.user_id
     left join wallets w on w.user_id = o.user_id
where o.id = :order_id;

-- name: videos
select v.id, v.number, v.state, v.price_credits, v.failure_class, v.failure_reason,
       v.script is not null as has_script, v.result_media_key, v.telegram_file_id is not null as is_at_telegram,
       v.sends_refused, v.rating, q.enqueued_at, v.opened_at, v.ready_at, v.delivered_at, v.closed_at,
       v.deadline_at
from videos v left join admission_queue q on q.video_id = v.id
where v.order_id = :order_id order by v.number;

-- name: attempts
select a.id, v.number as video_number, a.number, a.video_model, a.account, a.key_id, a.state, a.task_state,
       a.kie_task_id, a.failure_class, a.failure_reason, a.failure_code, a.raw_answer, a.credits_consumed,
       a.admitted_at, a.sent_at, a.accepted_at, a.ended_at
from attempts a join videos v on v.id = a.video_id
where v.order_id = :order_id order by v.number, a.number;

-- name: entries
select kind, available_delta, reserved_delta, cause, video_id, available_after, reserved_after, created_at
from credit_entries where cause = any(cast(:causes as text[])) order by id;

-- name: messages
select video_number, purpose, step, state, message_id, updated_at
from messages where order_id = :order_id order by updated_at, id;

-- name: deeds
select action, coalesce(details ->> 'by', 'admin ' || admin_tg_id) as by, created_at
from admin_actions where target = :order_id order by id;
