-- name: insert_draft!
insert into drafts (id, user_id, origin, source_order_id, template, product_text, wishes, own_prompt,
                    photo_file_id, photo_unique_id, card_file_id, video_count, price_credits, language,
                    aspect_ratio, video_seconds, views, product_message_id, wishes_message_id,
                    own_prompt_message_id, created_at)
values (:id, :user_id, :origin, :source_order_id, :template, :product_text, :wishes, :own_prompt,
        :photo_file_id, :photo_unique_id, :card_file_id, :video_count, :price_credits, :language,
        :aspect_ratio, :video_seconds, :views, :product_message_id, :wishes_message_id,
        :own_prompt_message_id, :now);

-- name: read_draft^
select d.id, d.origin, d.source_order_id, d.template, d.product_text, d.wishes, d.own_prompt,
       d.photo_file_id, d.photo_unique_id, d.card_file_id, d.video_count, d.price_credits, d.language,
       d.aspect_ratio, d.video_seconds, d.views, d.card_message_id, d.superseded_at is not null as superseded,
       d.product_message_id, d.wishes_message_id, d.own_prompt_message_id,
       exists (select 1 from orders o where o.id = d.id) as ordered
from drafts d join users u on u.id = d.user_id
where d.id = :draft_id and u.tg_user_id = :tg_user_id;

-- name: set_card!
update drafts set card_chat_id = :chat_id, card_message_id = :message_id, card_file_id = :card_file_id
where id = :draft_id;

-- name: supersede_draft!
update drafts d set superseded_at = :now
from users u
where d.id = :draft_id and u.id = d.user_id and u.tg_user_id = :tg_user_id and d.superseded_at is null
  and not exists (select 1 from orders o where o.id = d.id);

-- name: lock_draft^
-- The lock comes first: a Generate at the same moment has committed its order by then, or waits for us.
select d.id, d.user_id, d.superseded_at is not null as superseded
from drafts d join users u on u.id = d.user_id
where d.id = :draft_id and u.tg_user_id = :tg_user_id
for update of d;

-- name: order_exists$
select exists (select 1 from orders where id = :draft_id);

-- name: draft_exists$
select exists (select 1 from drafts where id = :draft_id);

-- name: lock_drafts_of_message
-- Those whose text the message holds, where it reads otherwise now.
select d.id
from drafts d join users u on u.id = d.user_id
where u.tg_user_id = :tg_user_id and d.superseded_at is null
  and (d.product_message_id = :message_id and d.product_text <> :words
       or d.wishes_message_id = :message_id and d.wishes <> :words
       or d.own_prompt_message_id = :message_id and d.own_prompt <> :words)
order by d.id
for update of d;

-- name: edit_drafts
update drafts d
set product_text = case when d.product_message_id = :message_id then :words else d.product_text end,
    wishes = case when d.wishes_message_id = :message_id then :words else d.wishes end,
    own_prompt = case when d.own_prompt_message_id = :message_id then :words else d.own_prompt end
where d.id = any(:draft_ids) and d.superseded_at is null
  and not exists (select 1 from orders o where o.id = d.id)
returning d.id;

-- name: drafts_of_message
select d.id, d.late_edit_told_at is not null as told,
       exists (select 1 from orders o where o.id = d.id) as ordered
from drafts d join users u on u.id = d.user_id
where u.tg_user_id = :tg_user_id and d.superseded_at is null
  and (d.product_message_id = :message_id and d.product_text <> :words
       or d.wishes_message_id = :message_id and d.wishes <> :words
       or d.own_prompt_message_id = :message_id and d.own_prompt <> :words)
order by d.created_at, d.id;

-- name: mark_late_edit_told!
update drafts set late_edit_told_at = :now where id = any(:draft_ids);

-- name: last_order_of_photo$
select o.id
from drafts d join orders o on o.id = d.id join users u on u.id = d.user_id
where u.tg_user_id = :tg_user_id and d.photo_unique_id = :photo_unique_id
order by o.created_at desc limit 1;
