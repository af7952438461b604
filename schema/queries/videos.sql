-- name: lock_unopened_videos
select id, user_id, price_credits from videos
where order_id = :order_id and state = 'OPEN' and opened_at is null
order by number for update;

-- name: lock_video^
select v.id, v.order_id, v.user_id, v.number, v.price_credits, v.state, v.deadline_at, v.result_media_key,
       v.failure_class, v.failure_reason, o.epoch < current_epoch() as outdated
from videos v join orders o on o.id = v.order_id where v.id = :video_id for update of v;

-- name: open_video!
update videos set opened_at = coalesce(opened_at, :now) where id = :video_id;

-- name: read_video^
select v.id, v.order_id, v.user_id, v.number, v.price_credits, v.state, v.failure_class, v.failure_reason,
       v.script, v.result_media_key, v.result_width, v.result_height, v.result_seconds, v.telegram_file_id,
       v.sends_refused, v.rating, v.deadline_at, v.ready_at, v.delivered_at, v.opened_at,
       o.video_count, o.language, o.photo_media_key, o.photo_width, o.photo_height,
       u.tg_user_id, d.photo_file_id, d.card_file_id, d.template,
       greatest(o.epoch, v.resend_epoch) = current_epoch() as may_be_resent
from videos v join orders o on o.id = v.order_id join users u on u.id = v.user_id join drafts d on d.id = o.id
where v.id = :video_id;

-- name: close_video^
-- How long it took, and which video model it came to last.
update videos v set state = :state, failure_class = :failure_class, failure_reason = :failure_reason,
                    closed_at = :now
from orders o
where v.id = :video_id and o.id = v.order_id
returning extract(epoch from v.closed_at - o.created_at)::float8 as seconds,
          (select a.video_model from attempts a where a.video_id = v.id order by a.number desc limit 1)
              as video_model;

-- name: close_order_of_one$
update orders set state = 'CLOSED', closed_at = :now
where id = :order_id and video_count = 1 and state = 'OPEN'
returning id;

-- name: leave_queue!
delete from admission_queue where video_id = :video_id;

-- name: begin_delivering!
update videos set state = 'DELIVERING' where id = :video_id and state = 'OPEN';

-- name: keep_result!
update videos set result_media_key = :media_key, result_width = :width, result_height = :height,
                  result_seconds = :seconds, ready_at = coalesce(ready_at, :now)
where id = :video_id;

-- name: keep_file_id$
-- Seconds since KIE's task had ended, of the first delivery; null where the video had waited for its user.
update videos v set telegram_file_id = :file_id, delivered_at = coalesce(v.delivered_at, :now)
from (select id, state, delivered_at from videos where id = :video_id for update) as before
where v.id = before.id
returning case when before.delivered_at is null and before.state = 'DELIVERING' then (
    select extract(epoch from v.delivered_at - max(a.ended_at))::float8 from attempts a
    where a.video_id = v.id and a.task_state = 'SUCCESS') end;

-- name: count_refused_send$
update videos set sends_refused = sends_refused + 1 where id = :video_id returning sends_refused;

-- name: ask_resend!
update videos set resend_epoch = current_epoch() where id = :video_id;

-- name: mark_delivered!
update videos set state = 'DELIVERED' where id = :video_id and state = 'WAITING';

-- name: bought_videos
select distinct video_id from bought_attempts where video_id = any(cast(:video_ids as text[]));

-- name: lock_videos_of_order
select id, order_id, user_id, price_credits, state from videos
where order_id = :order_id order by number for update;

-- name: open_videos_of_order
select id, price_credits, state from videos
where order_id = :order_id and state in ('OPEN', 'DELIVERING') order by number;

-- name: videos_of_order
select id from videos where order_id = :order_id order by number;

-- name: waiting_videos
select v.id from videos v join users u on u.id = v.user_id
where u.tg_user_id = :tg_user_id and v.state = 'WAITING' order by v.closed_at;

-- name: waiting_for_somebody_back
-- Of this epoch: what waited when the database was restored may have arrived since, and somebody has to ask for it.
select v.id from videos v join users u on u.id = v.user_id join orders o on o.id = v.order_id
where v.state = 'WAITING' and v.closed_at > :closed_since and u.tg_user_id is not null and u.blocked_at is null
  and o.epoch = current_epoch()
  and not exists (
      select 1 from messages m
      where m.order_id = v.order_id and m.video_number = v.number and m.purpose = 'delivery' and m.step > 0)
order by v.closed_at limit 100;

-- name: waiting_media
select result_media_key as media_key from videos where state = 'WAITING' and result_media_key is not null;

-- name: delivered_file$
select v.telegram_file_id from videos v join users u on u.id = v.user_id
where v.id = :video_id and u.tg_user_id = :tg_user_id and v.state in ('DELIVERED', 'WAITING');

-- name: overdue_videos
select id from videos
where (state = 'OPEN' and deadline_at < :open_before)
   or (state = 'DELIVERING' and deadline_at < :delivering_before)
order by deadline_at limit 100;

-- name: untold_videos
-- Settled a moment ago, and nobody has begun to say so, or Telegram did not take it.
-- What a restore has settled is owed at once, and until it is said: the programs may have stood still for long.
select v.id from videos v join orders o on o.id = v.order_id join users u on u.id = v.user_id
     left join epochs e on e.raised_at = v.closed_at and e.epoch > o.epoch
where v.closed_at >= :restored_since and (v.closed_at between :since and :until or e.epoch is not null)
  and u.tg_user_id is not null
  and case v.state
      when 'DELIVERED' then
          (e.epoch is not null or exists (select 1 from messages m where m.order_id = v.order_id and m.video_number = v.number
                  and m.purpose = 'delivery' and m.step = 0 and m.state <> 'REFUSED'))
          and not exists (select 1 from messages m where m.order_id = v.order_id and m.video_number = v.number
                          and m.purpose = 'ready')
      when 'FAILED' then
          -- One of several that a restore has settled is told by the closing card.
          (o.video_count = 1 or e.epoch is null)
          and not exists (select 1 from messages m where m.order_id = v.order_id and m.purpose = 'failure'
                          and m.video_number in (0, v.number)
                          and (m.state <> 'REFUSED' or o.video_count > 1 or u.blocked_at is not null
                               or e.epoch is not null))
      else false end
order by v.closed_at limit 100;
