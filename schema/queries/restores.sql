-- name: lock_writers!
-- In the order everybody locks rows in. Reading goes on; nobody writes before the epoch is raised.
lock table drafts, videos, orders in exclusive mode;

-- name: last_epoch^
select epoch, raised_at, restored_to, payments_read_at, timeline from epochs order by epoch desc limit 1;

-- name: server_timeline$
select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int;

-- name: written$
select pg_walfile_name(pg_current_wal_lsn());

-- name: system_id$
select cast(system_identifier as text) from pg_control_system();

-- name: slot_lost$
-- PostgreSQL threw away WAL that it should have kept for it: max_slot_wal_keep_size.
select exists (select 1 from pg_replication_slots where slot_name = :slot and wal_status = 'lost');

-- name: mark_wal$
select pg_logical_emit_message(true, 'neurocards', 'archived up to here');

-- name: stands_at$
-- What the last WAL that was replayed says; null where this server was not restored since it was started.
select pg_last_xact_replay_timestamp();

-- name: insert_epoch!
insert into epochs (epoch, raised_at, restored_to, timeline) values (:epoch, :now, :restored_to, :timeline);

-- name: outdated_orders
select id from orders o
where epoch < :epoch and (state = 'OPEN' or exists (
    select 1 from videos v where v.order_id = o.id and v.state in ('OPEN', 'DELIVERING')))
order by id;

-- name: cancel_broadcasts!
-- How far they had come is not known any more, and nobody is written to twice.
update broadcasts set state = 'CANCELLED', ended_at = :now where state = 'RUNNING';

-- name: payments_unread$
select exists (select 1 from epochs where epoch = current_epoch() and payments_read_at is null);

-- name: mark_payments_read!
update epochs set payments_read_at = :now where payments_read_at is null;
