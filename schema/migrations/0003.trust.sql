-- Rights, invariants, forgetting a person. Additive: the release before this one reads and writes the same
-- tables and knows nothing of what is new.

-- The programs log in as members of this role. It reads and writes rows and changes no table; what stands in
-- the ledger it can neither edit nor take out. Who migrates owns the tables.
do $$ begin
    if not exists (select 1 from pg_roles where rolname = 'neurocards_app') then
        create role neurocards_app nologin;
    end if;
exception
    when duplicate_object or unique_violation then null;  -- another database of this server was faster
    when insufficient_privilege then
        raise notice 'role neurocards_app is missing and may not be created here: the owner''s rights stay in use';
end $$;

do $$ begin
    if exists (select 1 from pg_roles where rolname = 'neurocards_app') then
        grant usage on schema public to neurocards_app;
        grant select, insert, update, delete on all tables in schema public to neurocards_app;
        grant usage, select on all sequences in schema public to neurocards_app;
        alter default privileges in schema public grant select, insert, update, delete on tables to neurocards_app;
        alter default privileges in schema public grant usage, select on sequences to neurocards_app;
        revoke update, delete on credit_entries from neurocards_app;
        revoke delete on users, wallets, orders, videos, attempts, payments, admin_actions from neurocards_app;
    end if;
end $$;
do $$ declare bookkeeping text; begin
    if exists (select 1 from pg_roles where rolname = 'neurocards_app') then
        for bookkeeping in select tablename from pg_tables where schemaname = 'public' and tablename like '\_yoyo%' or tablename = 'yoyo_lock' loop
            execute format('revoke insert, update, delete on %I from neurocards_app', bookkeeping);
        end loop;
    end if;
end $$;

-- What the checker has found broken and not yet found mended again.
create table broken_invariants (
    rule text not null,                        -- 'I1' … 'I6'
    subject text not null,                     -- the id of the wallet's user, the video, the entry or the payment
    details text not null default '',
    found_at timestamptz not null,
    seen_at timestamptz not null,
    mended_at timestamptz,
    told_at timestamptz,                       -- the admins have read of it
    mend_told_at timestamptz,
    primary key (rule, subject)
);
create index broken_invariants_open on broken_invariants (rule, seen_at) where mended_at is null;
create index broken_invariants_untold on broken_invariants (found_at) where told_at is null;
create index broken_invariants_mend_untold on broken_invariants (mended_at)
    where mended_at is not null and mend_told_at is null;
create table invariant_checks (
    name text primary key,                     -- 'incremental', 'complete'
    checked_at timestamptz not null,
    rows_deleted bigint not null default 0     -- as PostgreSQL counted them: these tables lose no rows
);
-- How far the incremental check has walked each table. Transactions, not times: a row that is committed late
-- counts as new, whatever its id and its time say.
create table invariant_walks (
    name text primary key,                     -- of the table
    next_page bigint not null,
    since_xid xid8 not null,                   -- rows written by this transaction or later ones are looked at
    begun_xid xid8 not null                    -- the next walk's since_xid
);

-- Somebody who asked to be forgotten. The fingerprint (keyed, of the Telegram id) only keeps welcome credits
-- from being given to the same person again.
alter table users add column forgotten_at timestamptz;
create table forgotten_fingerprints (
    fingerprint text primary key,
    forgotten_at timestamptz not null
);

-- The outbox of forgetting: whose photos, videos and workflow histories are still to be deleted elsewhere.
create table forgotten_people (
    user_id bigint primary key references users,
    tries integer not null default 0,
    next_try_at timestamptz not null
);
create index forgotten_people_due on forgotten_people (next_try_at);

-- Why an entry of the ledger was written, in an administrator's words: beside it, so that they can go.
create table entry_notes (
    cause text primary key,
    user_id bigint not null references users,
    note text not null
);
create index entry_notes_by_user on entry_notes (user_id);

-- One entry of the ledger, once per cause, in one round trip: a user who orders much waits for his own wallet.
-- A volatile function sees, statement by statement, what was committed meanwhile: who has waited for the
-- wallet finds the entry of the one who had it.
create function write_entry(
    of_user bigint, as_kind text, available_change integer, reserved_change integer, of_cause text,
    of_order text, of_video text, of_charge text, moment timestamptz,
    out outcome text, out kind_now text, out available_now integer, out reserved_now integer
) language plpgsql as $$
begin
    -- The person before his wallet, as everybody does it: the entry names him, and whoever forgets him locks him.
    perform 1 from users where id = of_user for key share;
    insert into wallets (user_id) values (of_user) on conflict (user_id) do nothing;
    select available, reserved into available_now, reserved_now from wallets where user_id = of_user for update;
    select kind into kind_now from credit_entries where cause = of_cause;
    if found then
        outcome := 'REPEATED';
        return;
    end if;
    if available_now + available_change < 0 then
        outcome := 'SHORT';
        return;
    end if;
    outcome := 'WRITTEN';
    kind_now := as_kind;
    available_now := available_now + available_change;
    reserved_now := reserved_now + reserved_change;
    insert into credit_entries (user_id, kind, available_delta, reserved_delta, cause, order_id, video_id,
                                charge_id, available_after, reserved_after, created_at)
    values (of_user, as_kind, available_change, reserved_change, of_cause, of_order, of_video,
            of_charge, available_now, reserved_now, moment);
    update wallets set available = available_now, reserved = reserved_now where user_id = of_user;
end $$;
