-- name: insert_draft!
insert into drafts (id, user_id, origin, source_order_id, template, product_text, wishes, own_prompt,
                    photo_file_id, photo_unique_id, card_file_id, video_count, price_credits, language,
                    aspect_ratio, video_seconds, views, created_at)
values (:id, :user_id, :origin, :source_order_id, :template, :product_text, :wishes, :own_prompt,
        :photo_file_id, :photo_unique_id, :card_file_id, :video_count, :price_credits, :language,
        :aspect_ratio, :video_seconds, :views, :now);

-- name: read_draft^
select d.id, d.origin, d.source_order_id, d.template, d.product_text, d.wishes, d.own_prompt,
       d.photo_file_id, d.photo_unique_id, d.card_file_id, d.video_count, d.price_credits, d.language,
       d.aspect_ratio, d.video_seconds, d.views, d.card_message_id, d.superseded_at is not null as superseded,
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
