-- Epochs, broadcasts, chores. Additive: the release before this one reads and writes the same tables and
-- knows nothing of what is new.

-- Whoever holds a table for long makes this fail, and be tried again, rather than everybody wait behind it.
set local lock_timeout = '10s';

-- A restore from a backup raises the epoch; what was ordered before belongs to a world that went on without it.
create table epochs (
    epoch integer primary key,
    raised_at timestamptz not null,
    restored_to timestamptz,                   -- the moment the database stands at; null for the first epoch
    payments_read_at timestamptz,              -- the bot opens once the provider's payments were read again
    timeline integer                           -- PostgreSQL's own: each restore begins a new one
);
insert into epochs (epoch, raised_at, payments_read_at, timeline)
values (0, now(), now(), ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int);
create function current_epoch() returns integer language sql stable
    as 'select max(epoch) from epochs';
alter table orders alter column epoch set default current_epoch();
alter table videos add column resend_epoch integer;   -- in which somebody asked last for it to be sent again

-- One message to many, as a workflow sends it. Its words are here and nowhere else.
create table broadcasts (
    id text primary key,
    text_ru text not null,
    text_en text not null,
    state text not null default 'RUNNING' check (state in ('RUNNING', 'CANCELLED', 'DONE')),
    created_at timestamptz not null,
    ended_at timestamptz,
    users_total bigint not null,
    until_user_id bigint not null,             -- who comes later does not get it
    last_user_id bigint not null default 0,    -- everybody up to here has a row below, or is done with
    epoch integer not null default current_epoch(),   -- an older one is ended: nobody knows who has it by now
    holder text not null default '',           -- which run of the activity may send; an older one may not
    sent_count bigint not null default 0,
    blocked_count bigint not null default 0,
    failed_count bigint not null default 0,
    unknown_count bigint not null default 0    -- sent, and no answer came: not sent again
);

-- Those of a broadcast who are next: SENDING is committed before the call, and found again it is UNKNOWN.
-- Who has it goes with the next stretch; failed and unknown ones stay.
create table broadcast_messages (
    broadcast_id text not null references broadcasts,
    user_id bigint not null references users,
    state text not null default 'DUE'
        check (state in ('DUE', 'SENDING', 'SENT', 'BLOCKED', 'FAILED', 'UNKNOWN')),
    error text not null default '',            -- what Telegram said of a failed one
    primary key (broadcast_id, user_id)
);
-- One at a time: a command that is repeated by mistake writes to nobody twice.
create unique index broadcasts_running on broadcasts (state) where state = 'RUNNING';

-- What is done now and then: when it last came to its end, and how.
create table chores (
    name text primary key,                     -- 'backup', 'restore-test', 'daily-report'
    ended_at timestamptz not null,
    details jsonb not null default '{}'
);

do $$ begin
    if exists (select 1 from pg_roles where rolname = 'neurocards_app') then
        revoke insert, update, delete on epochs from neurocards_app;
        grant update (payments_read_at) on epochs to neurocards_app;
        revoke delete on broadcasts from neurocards_app;
    end if;
end $$;
