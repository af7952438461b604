-- name: lock_draft^
select d.id, d.user_id, u.tg_user_id, d.video_count, d.price_credits, d.language, d.superseded_at,
       coalesce(d.card_message_id, 0) as card_message_id
from drafts d join users u on u.id = d.user_id
where d.id = :draft_id
for update of d;

-- name: order_exists$
select exists (select 1 from orders where id = :order_id);

-- name: orders_against_limits^
-- The newest order that has to be a day old before the next one is taken, if there are as many.
select (select count(*) from orders where user_id = :user_id and state = 'OPEN') as open_orders,
       (select created_at from orders where user_id = :user_id and created_at > :since
        order by created_at desc offset :others_today limit 1) as in_the_way_since;

-- name: insert_order!
insert into orders (id, user_id, video_count, price_credits, language, created_at, deadline_at)
values (:id, :user_id, :video_count, :price_credits, :language, :now, :deadline_at);

-- name: insert_videos!
insert into videos (id, order_id, user_id, number, price_credits, deadline_at)
select id, :order_id, :user_id, number, :price_credits, :deadline_at
from unnest(:video_ids::text[]) with ordinality as given (id, number);

-- name: insert_card_placeholder!
insert into messages (order_id, video_number, purpose, state, chat_id, message_id, updated_at)
values (:order_id, 1, 'placeholder', 'SENT', :chat_id, :message_id, :now)
on conflict do nothing;

-- name: lock_order^
select id, user_id, video_count, price_credits, state from orders where id = :order_id for update;

-- name: owner$
select u.tg_user_id from orders o join users u on u.id = o.user_id where o.id = :order_id;

-- name: read_order^
select o.id, o.user_id, u.tg_user_id, u.blocked_at, o.video_count, o.price_credits, o.language, o.state,
       o.failure_class, o.failure_reason, o.photo_media_key, o.photo_width, o.photo_height, o.created_at,
       o.deadline_at, d.template, d.product_text, d.wishes, d.own_prompt, d.photo_file_id, d.photo_unique_id,
       d.card_file_id, d.price_credits as video_price_credits, d.aspect_ratio, d.video_seconds, d.views,
       o.view_media_keys
from orders o join drafts d on d.id = o.id join users u on u.id = o.user_id
where o.id = :order_id;

-- name: unstarted
select id from orders
where workflow_started_at is null and state = 'OPEN' and created_at < :before
order by created_at limit 100;

-- name: mark_started!
update orders set workflow_started_at = coalesce(workflow_started_at, :now) where id = :order_id;

-- name: keep_photo!
update orders set photo_media_key = :media_key, photo_width = :width, photo_height = :height
where id = :order_id;

-- name: keep_views!
update orders set view_media_keys = :media_keys where id = :order_id;

-- name: close_order!
update orders set state = 'CLOSED', closed_at = :now,
                  failure_class = coalesce(failure_class, :failure_class),
                  failure_reason = case when failure_class is null then :failure_reason else failure_reason end
where id = :order_id and state = 'OPEN';

-- name: cancelled_videos^
select coalesce(array_agg(id order by number), '{}') as ids, coalesce(sum(price_credits), 0)::int as credits
from videos where order_id = :order_id and state = 'CANCELLED';

-- name: progress
select state, count(*) as videos from videos where order_id = :order_id group by state;

-- name: set_script!
update videos set script = :script where id = :video_id and script is null;

-- name: scripts
select number, script from videos where order_id = :order_id order by number;

-- name: failed_videos
select failure_class, failure_reason, price_credits from videos
where order_id = :order_id and state = 'FAILED' order by number;

-- name: refunded_credits$
select coalesce(sum(price_credits), 0)::int from videos
where order_id = :order_id and state in ('FAILED', 'CANCELLED');
