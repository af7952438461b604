-- name: server^
select current_setting('server_version') as version, current_database() as name, clock_timestamp() as clock,
       current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int as connections_max,
       (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
       pg_database_size(current_database()) as bytes, pg_is_in_recovery() as is_standby;

-- name: instance^
select (select cast(system_identifier as text) from pg_control_system()) as system_id,
       current_database() as database;

-- name: set_up_at$
select min(applied_at_utc) at time zone 'utc' from _yoyo_migration;

-- name: applied
select migration_id as name from _yoyo_migration order by migration_id;

-- name: unread_epoch$
-- Restored, and the provider's payments were not read again yet.
select epoch from epochs where epoch = current_epoch() and payments_read_at is null;

-- name: chores
select name, ended_at from chores order by name;
