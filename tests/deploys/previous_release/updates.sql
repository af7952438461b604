-- name: claim^
-- A claim that waited for this row while the update was finished elsewhere still sees it as unhandled:
-- it gets nothing here, and hears the truth when it asks again.
with handled as (
    select 1 from handled_updates where update_id = :update_id
), leased as (
    insert into chat_leases (chat_id, holder, until)
    select :chat_id::bigint, :holder::text, :until::timestamptz where not exists (select 1 from handled)
    on conflict (chat_id) do update set holder = excluded.holder, until = excluded.until
    where (chat_leases.until <= :now or chat_leases.holder = excluded.holder)
      and chat_leases.handled_update_id is distinct from :update_id
    returning 1
)
select exists (select 1 from handled) as handled, exists (select 1 from leased) as leased;

-- name: finish!
-- Not waited for on the disk: what a crash of the server forgets here, Telegram has had its answer to.
with freed as (
    update chat_leases set until = :now::timestamptz, handled_update_id = :update_id
    where chat_id = :chat_id and holder = :holder
)
insert into handled_updates (update_id, handled_at)
select :update_id::bigint, :now::timestamptz from set_config('synchronous_commit', 'off', true)
on conflict do nothing;

-- name: free!
update chat_leases set until = :now where chat_id = :chat_id and holder = :holder;

-- name: renew!
update chat_leases set until = :until where chat_id = any(:chat_ids) and holder = :holder;

-- name: forget_handled!
delete from handled_updates where handled_at < :before;

-- name: forget_leases!
delete from chat_leases where until < :before;
