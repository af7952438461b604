-- name: find_person^
-- An order whose workflow was lost is over when its videos are closed and its time has run out.
select u.id, u.created_at, coalesce(w.available, 0) as available,
       (select count(*) from orders o
        where o.user_id = u.id and o.state = 'OPEN'
          and (o.deadline_at > :now or exists (select 1 from videos v where v.order_id = o.id
                                               and v.state in ('OPEN', 'DELIVERING')))) as open_orders,
       (select count(*) from payments p where p.user_id = u.id and p.state = 'REFUNDING') as refunds,
       (select count(*) from videos v
        where v.user_id = u.id and v.state in ('DELIVERED', 'WAITING') and v.closed_at > :since) as videos
from users u left join wallets w on w.user_id = u.id
where u.tg_user_id = :tg_user_id;

-- name: lock_deeds$
-- Before all others, as a deed that is answered holds its row while it moves credits.
select count(*) from (
    select 1 from admin_deeds
    where admin_tg_id = :tg_user_id or (deed ->> 'tg_user_id')::bigint = :tg_user_id
    order by id for update
) as locked;

-- name: lock_drafts$
select count(*) from (select 1 from drafts where user_id = :user_id order by id for update) as locked;

-- name: lock_videos$
select count(*) from (select 1 from videos where user_id = :user_id order by order_id, number for update) as locked;

-- name: lock_orders$
select count(*) from (select 1 from orders where user_id = :user_id order by id for update) as locked;

-- name: lock_payments$
select count(*) from (select 1 from payments where user_id = :user_id order by charge_id for update) as locked;

-- name: lock_user$
select id from users where id = :user_id for update;

-- name: lock_wallet$
select available from wallets where user_id = :user_id for update;

-- name: erase_drafts!
update drafts set product_text = '', wishes = '', own_prompt = '', photo_file_id = '', photo_unique_id = '',
                  card_file_id = '', views = '[]', card_chat_id = null, card_message_id = null,
                  product_message_id = null, wishes_message_id = null, own_prompt_message_id = null,
                  superseded_at = coalesce(superseded_at, :now)
where user_id = :user_id;

-- name: erase_orders!
update orders set photo_media_key = null, view_media_keys = '{}', photo_width = null, photo_height = null
where user_id = :user_id;

-- name: erase_videos!
update videos set script = null, telegram_file_id = null, result_media_key = null where user_id = :user_id;

-- name: erase_attempts!
update attempts set prompt = null, raw_answer = '', result_urls = '{}' where user_id = :user_id;

-- name: erase_messages!
update messages m set chat_id = 0, message_id = null, nonce = ''
from orders o where o.id = m.order_id and o.user_id = :user_id;

-- name: erase_payments!
update payments set refund_error = '' where user_id = :user_id;

-- name: delete_waiting_draft!
delete from waiting_drafts where user_id = :user_id;

-- name: delete_notes!
delete from entry_notes where user_id = :user_id;

-- name: erase_user!
-- What was done is kept, and by which number it was done to whom.
update users set tg_user_id = null, language = null, tg_language = null, blocked_at = null,
                 terms_version = null, terms_accepted_at = null, forgotten_at = :now
where id = :user_id;

-- name: erase_actions!
update admin_actions set target = 'user #' || :user_id::bigint, details = details - 'reason'
where target = :tg_user_id::bigint::text;

-- name: erase_actions_of!
-- Somebody who was an administrator once.
update admin_actions set admin_tg_id = -(:user_id::bigint) where admin_tg_id = :tg_user_id;

-- name: erase_deeds!
-- One that was not answered yet is answered with No: there is nobody left to do it to.
update admin_deeds set deed = deed - 'reason' || '{"tg_user_id": 0}', answer = coalesce(answer, 'no')
where (deed ->> 'tg_user_id')::bigint = :tg_user_id;

-- name: erase_deeds_of!
update admin_deeds set admin_tg_id = -(:user_id::bigint) where admin_tg_id = :tg_user_id;

-- name: delete_conversations!
-- chat:<bot>:<chat>:<user>:<destiny>
delete from conversations where split_part(key, ':', 3) = :tg_user_id::bigint::text;

-- name: delete_albums!
delete from album_pictures where tg_user_id = :tg_user_id;

-- name: delete_limits!
delete from rate_limits where name like '% ' || :tg_user_id::bigint;

-- name: delete_lease!
delete from chat_leases where chat_id = :tg_user_id;

-- name: delete_strangers_conversations!
-- What a last update of somebody who is forgotten left behind.
delete from conversations
where updated_at < :before and key ~ '^chat:[0-9]+:[0-9]+:'
  and not exists (select 1 from users u where u.tg_user_id::text = split_part(key, ':', 3));

-- name: delete_strangers_albums!
delete from album_pictures a
where a.received_at < :before and not exists (select 1 from users u where u.tg_user_id = a.tg_user_id);

-- name: delete_strangers_limits!
-- A bucket that nobody touched for a while is full: it may go as well.
delete from rate_limits
where updated_at < :before and name ~ ' [0-9]+$'
  and not exists (select 1 from users u where u.tg_user_id::text = substring(name from '[0-9]+$'));

-- name: delete_strangers_leases!
delete from chat_leases l
where l.until < :before and l.chat_id > 0
  and not exists (select 1 from users u where u.tg_user_id = l.chat_id);

-- name: remember_fingerprint!
insert into forgotten_fingerprints (fingerprint, forgotten_at) values (:fingerprint, :now)
on conflict (fingerprint) do update set forgotten_at = excluded.forgotten_at;

-- name: is_gone$
select exists (select 1 from forgotten_fingerprints where fingerprint = :fingerprint)
   and not exists (select 1 from users where tg_user_id = :tg_user_id);

-- name: put_into_outbox!
insert into forgotten_people (user_id, next_try_at) values (:user_id, :due)
on conflict (user_id) do nothing;

-- name: lease_person^
update forgotten_people set next_try_at = :leased_until, tries = tries + 1
where user_id = (
    select user_id from forgotten_people where next_try_at <= :now
    order by next_try_at limit 1 for update skip locked
)
returning user_id, tries;

-- name: orders_elsewhere
-- Older ones have left media storage and Temporal by themselves, but for videos that waited for their user.
select id, video_count from orders o
where user_id = :user_id
  and (created_at > :since or exists (select 1 from videos v where v.order_id = o.id and v.state = 'WAITING'))
order by id;

-- name: postpone_person!
update forgotten_people set next_try_at = :next_try_at where user_id = :user_id;

-- name: finish_person!
delete from forgotten_people where user_id = :user_id;
