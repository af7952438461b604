-- name: lock_unopened_videos
select id, user_id, price_credits from videos
where order_id = :order_id and state = 'OPEN' and opened_at is null
order by number for update;

-- name: lock_video^
select v.id, v.order_id, v.user_id, v.number, v.price_credits, v.state, v.deadline_at, v.result_media_key,
       v.failure_class, v.failure_reason
from videos v where v.id = :video_id for update;

-- name: open_video!
update videos set opened_at = coalesce(opened_at, :now) where id = :video_id;

-- name: read_video^
select v.id, v.order_id, v.user_id, v.number, v.price_credits, v.state, v.failure_class, v.failure_reason,
       v.script, v.result_media_key, v.result_width, v.result_height, v.result_seconds, v.telegram_file_id,
       v.sends_refused, v.rating, v.deadline_at, v.ready_at, v.delivered_at, v.opened_at,
       o.video_count, o.language, o.photo_media_key, o.photo_width, o.photo_height,
       u.tg_user_id, d.photo_file_id, d.card_file_id, d.template
from videos v join orders o on o.id = v.order_id join users u on u.id = v.user_id join drafts d on d.id = o.id
where v.id = :video_id;

-- name: close_video!
update videos set state = :state, failure_class = :failure_class, failure_reason = :failure_reason,
                  closed_at = :now
where id = :video_id;

-- name: close_order_of_one!
update orders set state = 'CLOSED', closed_at = :now
where id = :order_id and video_count = 1 and state = 'OPEN';

-- name: leave_queue!
delete from admission_queue where video_id = :video_id;

-- name: begin_delivering!
update videos set state = 'DELIVERING' where id = :video_id and state = 'OPEN';

-- name: keep_result!
update videos set result_media_key = :media_key, result_width = :width, result_height = :height,
                  result_seconds = :seconds, ready_at = coalesce(ready_at, :now)
where id = :video_id;

-- name: keep_file_id!
update videos set telegram_file_id = :file_id, delivered_at = coalesce(delivered_at, :now)
where id = :video_id;

-- name: count_refused_send$
update videos set sends_refused = sends_refused + 1 where id = :video_id returning sends_refused;

-- name: mark_delivered!
update videos set state = 'DELIVERED' where id = :video_id and state = 'WAITING';

-- name: bought_videos
select distinct video_id from bought_attempts where video_id = any(cast(:video_ids as text[]));

-- name: lock_videos_of_order
select id, order_id, user_id, price_credits from videos
where order_id = :order_id order by number for update;

-- name: open_videos_of_order
select id, price_credits, state from videos
where order_id = :order_id and state in ('OPEN', 'DELIVERING') order by number;

-- name: videos_of_order
select id from videos where order_id = :order_id order by number;

-- name: waiting_videos
select v.id from videos v join users u on u.id = v.user_id
where u.tg_user_id = :tg_user_id and v.state = 'WAITING' order by v.closed_at;

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
