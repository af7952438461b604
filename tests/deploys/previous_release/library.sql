-- name: open_videos
select o.id as order_id, o.created_at, d.template, d.product_text, d.own_prompt,
       v.id as video_id, v.number, v.state, v.script is not null as written,
       v.result_media_key is not null as made,
       exists (select 1 from admission_queue q where q.video_id = v.id) as queued,
       exists (select 1 from bought_attempts b where b.video_id = v.id) as bought
from orders o join drafts d on d.id = o.id join videos v on v.order_id = o.id
where o.id in (
    select e.order_id from videos e join users u on u.id = e.user_id
    where u.tg_user_id = :tg_user_id and e.state in ('OPEN', 'DELIVERING')
)
order by o.created_at, o.id, v.number;

-- name: shelf_count$
select count(*) from videos v join users u on u.id = v.user_id
where u.tg_user_id = :tg_user_id and v.state in ('DELIVERED', 'WAITING') and v.closed_at > :since;

-- name: shelf
select v.id, v.closed_at, d.template, d.product_text, d.own_prompt
from videos v join users u on u.id = v.user_id join drafts d on d.id = v.order_id
where u.tg_user_id = :tg_user_id and v.state in ('DELIVERED', 'WAITING') and v.closed_at > :since
order by v.closed_at desc, v.id limit :limit offset :offset;

-- name: rate$
-- The first time of a rating counts; the same tap again changes nothing.
update videos v
set rating = :rating, rated_at = case when v.rating is distinct from :rating then :now else v.rated_at end
from users u
where v.id = :video_id and u.id = v.user_id and u.tg_user_id = :tg_user_id
  and v.state in ('DELIVERING', 'DELIVERED', 'WAITING')
returning v.id;

-- name: placeholders
select video_number, message_id from messages
where order_id = :order_id and purpose = 'placeholder' and state = 'SENT' and message_id is not null
  and video_number = any(cast(:numbers as integer[]));
