-- Locks: broadcasts, then broadcast_messages, then users.

-- name: reachable
select language, tg_language, count(*) as users from users
where tg_user_id is not null and blocked_at is null
group by language, tg_language;

-- name: running$
select id from broadcasts where state = 'RUNNING';

-- name: start!
insert into broadcasts (id, text_ru, text_en, created_at, users_total, until_user_id)
select :id, :text_ru, :text_en, :now, count(*) filter (where tg_user_id is not null and blocked_at is null),
       coalesce(max(id), 0)
from users;

-- name: find^
select * from broadcasts where id = :id;

-- name: latest
select * from broadcasts order by created_at desc limit :count;

-- name: lock^
select state, last_user_id, until_user_id, epoch < current_epoch() as is_old
from broadcasts where id = :id for update;

-- name: hold!
update broadcasts set holder = :holder where id = :id;

-- name: give_up_sendings!
-- Whoever was sending them is not the holder any more: if he is alive, his answer still counts.
with lost as (
    update broadcast_messages set state = 'UNKNOWN' where broadcast_id = :id and state = 'SENDING'
    returning 1
)
update broadcasts set unknown_count = unknown_count + (select count(*) from lost) where id = :id;

-- name: clear_away!
-- Who has it, and who cannot be reached any more.
delete from broadcast_messages m using users u
where m.broadcast_id = :id and u.id = m.user_id
  and (m.state in ('SENT', 'BLOCKED')
       or (m.state = 'DUE' and (u.tg_user_id is null or u.blocked_at is not null)));

-- name: claim_next$
with next as (
    select id from users
    where id > :after and id <= :until and tg_user_id is not null and blocked_at is null
    order by id limit :count
), claimed as (
    insert into broadcast_messages (broadcast_id, user_id) select :id, id from next returning user_id
)
update broadcasts set last_user_id = coalesce((select max(user_id) from claimed), :until)
where id = :id
returning (select count(*) from claimed);

-- name: due
select user_id from broadcast_messages where broadcast_id = :id and state = 'DUE' order by user_id limit :count;

-- name: end!
update broadcasts set state = 'DONE', ended_at = :now where id = :id;

-- name: cancel$
with cancelled as (
    update broadcasts set state = 'CANCELLED', ended_at = :now where id = :id and state = 'RUNNING'
    returning id
), dropped as (
    delete from broadcast_messages m using cancelled c where m.broadcast_id = c.id and m.state = 'DUE'
)
select count(*) from cancelled;

-- name: begin_sending^
-- Only for the holder, and only once.
with mine as (
    select id from broadcasts where id = :id and state = 'RUNNING' and holder = :holder for update
)
update broadcast_messages m set state = 'SENDING'
from mine, users u
where m.broadcast_id = mine.id and m.user_id = :user_id and m.state = 'DUE'
  and u.id = m.user_id and u.tg_user_id is not null
returning u.tg_user_id, u.language, u.tg_language;

-- name: is_held$
select exists (select 1 from broadcasts where id = :id and state = 'RUNNING' and holder = :holder);

-- name: put_back!
-- It surely was not sent. One that is not to be sent any more is dropped.
with b as (select id, state from broadcasts where id = :id for update), back as (
    update broadcast_messages m set state = 'DUE' from b
    where m.broadcast_id = b.id and m.user_id = :user_id and m.state = 'SENDING' and b.state = 'RUNNING'
)
delete from broadcast_messages m using b
where m.broadcast_id = b.id and m.user_id = :user_id and m.state = 'SENDING' and b.state <> 'RUNNING';

-- name: finish_sending$
-- Also of one that was counted as unknown meanwhile.
with b as (select id from broadcasts where id = :id for update), told as (
    update broadcast_messages m set state = :outcome, error = :error from b
    where m.broadcast_id = b.id and m.user_id = :user_id and m.state in ('SENDING', 'UNKNOWN')
    returning old.state = 'UNKNOWN' as was_unknown
)
update broadcasts
set sent_count = sent_count + (:outcome = 'SENT')::int,
    blocked_count = blocked_count + (:outcome = 'BLOCKED')::int,
    failed_count = failed_count + (:outcome = 'FAILED')::int,
    unknown_count = unknown_count + (:outcome = 'UNKNOWN')::int - told.was_unknown::int
from told where broadcasts.id = :id
returning told.was_unknown;

-- name: mark_blocked!
update users set blocked_at = coalesce(blocked_at, :now) where id = :user_id and tg_user_id is not null;
