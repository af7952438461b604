-- name: lock_video^
select v.id, v.user_id, v.state, v.script, o.photo_width, o.photo_height, o.photo_media_key,
       d.aspect_ratio, d.video_seconds
from videos v join orders o on o.id = v.order_id join drafts d on d.id = o.id
where v.id = :video_id for update of v;

-- name: lock_waiting_videos
-- Never waits: whoever holds such a row may be waiting for the accounts that are locked here.
select id, user_id from videos
where id = any(cast(:video_ids as text[])) and state = 'OPEN'
for update skip locked;

-- name: attempts_of
select * from attempts where video_id = :video_id order by number;

-- name: read_attempt^
select * from attempts where id = :attempt_id;

-- name: lock_attempt^
select * from attempts where id = :attempt_id for update;

-- name: last_number$
select coalesce(max(number), 0) from attempts where video_id = :video_id;

-- name: take_key$
-- The keys of an account take turns.
update kie_keys set last_turn = nextval('kie_key_turns')
where key_id = (
    select key_id from kie_keys
    where account = :account and key_id = any(cast(:key_ids as text[]))
      and (blocked_until is null or blocked_until <= :now)
    order by last_turn, key_id limit 1
)
returning key_id;

-- name: insert_attempt^
insert into attempts (id, video_id, user_id, number, video_model, account, key_id, state, admitted_at)
values (:attempt_id, :video_id, :user_id, :number, :video_model, :account, :key_id, 'INTENT', :now)
returning *;

-- name: write_attempt!
update attempts set state = :state, task_state = :task_state, kie_task_id = :kie_task_id, prompt = :prompt,
                    result_urls = :result_urls, failure_class = :failure_class,
                    failure_reason = :failure_reason, failure_code = :failure_code, raw_answer = :raw_answer,
                    credits_consumed = :credits_consumed, sent_at = :sent_at, accepted_at = :accepted_at,
                    ended_at = :ended_at
where id = :attempt_id;

-- name: recently_sent
select sent_at from attempts where account = :account and sent_at > :window_since;

-- name: enqueue!
-- A video keeps the place it once took.
insert into admission_queue (video_id, user_id, video_models, excluded_accounts, avoided_accounts, enqueued_at)
values (:video_id, :user_id, :video_models, :excluded_accounts, :avoided_accounts, :now)
on conflict (video_id) do update
set video_models = excluded.video_models, excluded_accounts = excluded.excluded_accounts,
    avoided_accounts = excluded.avoided_accounts;

-- name: leave_queue!
delete from admission_queue where video_id = :video_id;

-- name: forget_closed!
delete from admission_queue q using videos v where v.id = q.video_id and v.state <> 'OPEN';

-- name: queue_in_order
select q.video_id, q.video_models, q.excluded_accounts, q.avoided_accounts
from queue_places(:now, :held_since) p join admission_queue q on q.video_id = p.video_id
order by p.place limit :rows_max;

-- name: places
select video_id, place from queue_places(:now, :held_since)
where video_id = any(cast(:video_ids as text[]));

-- name: outlook^
select (select count(*) from admission_queue) as waiting,
       (select count(*) from slots where state = 'INTENT' or sent_at > :held_since) as in_flight;
