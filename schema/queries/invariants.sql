-- Each check looks at one stretch of a table's pages and at rows by id; `since` leaves out what older
-- transactions wrote, and 2 (frozen) leaves out nothing. One statement is one snapshot: what is committed
-- together is seen together.

-- name: pages$
select pg_relation_size(cast(cast(:name as text) as regclass)) / current_setting('block_size')::int;

-- name: oldest_running$
select pg_snapshot_xmin(pg_current_snapshot());

-- name: rows_deleted$
select coalesce(sum(n_tup_del), 0)::bigint from pg_stat_user_tables
where schemaname = current_schema()
  and relname in ('credit_entries', 'wallets', 'orders', 'videos', 'attempts', 'payments');

-- name: without_jit$
-- The planner takes a third of each stretch for new: it would compile for longer than the statement runs.
select set_config('jit', 'off', true);

-- name: check_wallets^
with asked as materialized (
    select user_id, available, reserved from wallets
    where ctid >= :first and ctid < :before and age(xmin) <= age(cast(:since as xid))
    union all
    select user_id, available, reserved from wallets
    where user_id = any(cast(cast(:ids as text[]) as bigint[]))
), broken as (
    select 'I1' as rule, cast(a.user_id as text) as subject,
           format('wallet %s+%s, entries %s+%s, last entry %s+%s', a.available, a.reserved,
                  s.available, s.reserved, last.available_after, last.reserved_after) as details
    from asked a
    cross join lateral (
        select coalesce(sum(e.available_delta), 0) as available, coalesce(sum(e.reserved_delta), 0) as reserved
        from credit_entries e where e.user_id = a.user_id
    ) s
    left join lateral (
        select e.available_after, e.reserved_after from credit_entries e
        where e.user_id = a.user_id order by e.id desc limit 1
    ) last on true
    where a.available <> s.available or a.reserved <> s.reserved or a.available < 0 or a.reserved < 0
       or a.available <> coalesce(last.available_after, 0) or a.reserved <> coalesce(last.reserved_after, 0)
)
select (select count(*) from asked) as checked, coalesce((select jsonb_agg(to_jsonb(b)) from broken b), '[]') as broken;

-- name: check_entries^
-- What the ledger itself must say: one cause for each thing that may happen once, and a wallet.
with asked as materialized (
    select * from credit_entries where ctid >= :first and ctid < :before and age(xmin) <= age(cast(:since as xid))
    union all
    select * from credit_entries where cause = any(cast(:ids as text[]))
), broken as (
    select 'I1' as rule, a.cause as subject, 'an entry without a wallet' as details
    from asked a where not exists (select 1 from wallets w where w.user_id = a.user_id)
    union all
    select case when a.kind like 'purchase%' then 'I5' else 'I2' end, a.cause,
           format('%s of %s%s%s under a foreign cause', a.kind, a.order_id, a.video_id, a.charge_id)
    from asked a
    where a.cause is distinct from case
        when a.kind in ('reserve', 'void') then 'reserve:' || a.order_id
        when a.kind in ('capture', 'refund') then 'settle:' || a.video_id
        when a.kind = 'purchase' then 'purchase:' || a.charge_id
        when a.kind = 'purchase_refund' then 'purchase_refund:' || a.charge_id
        else a.cause
    end
    union all
    select 'I2', a.cause, format('%s of a video that is not there', a.kind)
    from asked a
    where a.kind in ('capture', 'refund') and not exists (select 1 from videos v where v.id = a.video_id)
    union all
    select 'I5', a.cause, format('%s of a payment that is not there', a.kind)
    from asked a
    where a.kind like 'purchase%' and not exists (select 1 from payments p where p.charge_id = a.charge_id)
)
select (select count(*) from asked) as checked, coalesce((select jsonb_agg(to_jsonb(b)) from broken b), '[]') as broken;

-- name: touched_by_entries^
-- Whose wallets, videos and payments the entries written since then speak of.
with asked as materialized (
    select user_id, order_id, video_id, charge_id from credit_entries
    where ctid >= :first and ctid < :before and age(xmin) <= age(cast(:since as xid))
)
select coalesce((select array_agg(distinct cast(user_id as text)) from asked), '{}') as users,
       coalesce((select array_agg(distinct charge_id) from asked where charge_id is not null), '{}') as payments,
       coalesce((select array_agg(v.id) from videos v
                 where v.id in (select video_id from asked) or v.order_id in (select order_id from asked)),
                '{}') as videos;

-- name: check_videos^
with asked as materialized (
    select id, order_id, price_credits, state from videos
    where ctid >= :first and ctid < :before and age(xmin) <= age(cast(:since as xid))
    union all
    select id, order_id, price_credits, state from videos where id = any(cast(:ids as text[]))
), known as (
    select a.id, a.state, a.price_credits, coalesce(r.kind, 'nothing') as reserved, coalesce(s.kind, 'nothing') as settled,
           a.state not in ('OPEN', 'DELIVERING') as closed, a.state in ('DELIVERED', 'WAITING') as captured,
           s.available_delta, s.reserved_delta
    from asked a
    left join lateral (
        select e.kind from credit_entries e where e.cause = 'reserve:' || a.order_id limit 1
    ) r on true
    left join lateral (
        select e.kind, e.available_delta, e.reserved_delta from credit_entries e
        where e.cause = 'settle:' || a.id limit 1
    ) s on true
), judged as (
    select k.*, case
        when closed and reserved = 'reserve' and settled = 'nothing' then 'I2'
        when not closed and settled <> 'nothing' then 'I2'
        when settled <> 'nothing' and reserved <> 'reserve' then 'I2'
        when captured and settled <> 'capture' then 'I3'
        when closed and not captured and settled not in ('refund', 'nothing') then 'I3'
        when settled = 'capture' and (available_delta, reserved_delta) <> (0, -price_credits) then 'I3'
        when settled = 'refund' and (available_delta, reserved_delta) <> (price_credits, -price_credits) then 'I3'
    end as rule
    from known k
), broken as (
    select rule, id as subject,
           format('%s at %s; order: %s, settlement: %s %s%s', state, price_credits, reserved, settled,
                  available_delta, reserved_delta) as details
    from judged where rule is not null
)
select (select count(*) from asked) as checked, coalesce((select jsonb_agg(to_jsonb(b)) from broken b), '[]') as broken;

-- name: check_attempts^
-- Of all attempts of a video where one of them was written. What refused or failed bought nothing.
with asked as materialized (
    select video_id from attempts
    where ctid >= :first and ctid < :before and age(xmin) <= age(cast(:since as xid))
    union
    select unnest(cast(:ids as text[]))
), known as materialized (
    select a.id, a.video_id, a.number, a.state, a.kie_task_id, a.sent_at,
           a.state not in ('REJECTED', 'NOT_SENT') and coalesce(a.task_state, '') <> 'FAIL' as stands
    from asked cross join lateral (select * from attempts t where t.video_id = asked.video_id) a
), broken as (
    select 'I4' as rule, later.video_id as subject, format('%s was sent beside %s', later.id, earlier.id) as details
    from known later join known earlier on earlier.video_id = later.video_id and earlier.number < later.number
    where earlier.stands and later.sent_at is not null
    union all
    select 'I4', video_id, format('%s is %s and has a KIE task', id, state)
    from known where kie_task_id is not null and state <> 'ACCEPTED'
)
select (select count(*) from asked) as checked,
       coalesce((select jsonb_agg(to_jsonb(b)) from (select distinct on (rule, subject) * from broken) b), '[]') as broken;

-- name: check_payments^
with asked as materialized (
    select charge_id, user_id, credits, state, debt_credits from payments
    where ctid >= :first and ctid < :before and age(xmin) <= age(cast(:since as xid))
    union all
    select charge_id, user_id, credits, state, debt_credits from payments
    where charge_id = any(cast(:ids as text[]))
), known as (
    select a.*, p.available_delta as given, r.available_delta as taken,
           coalesce(p.user_id, a.user_id) <> a.user_id or coalesce(r.user_id, a.user_id) <> a.user_id as foreign_user,
           case when a.credits > 0 then a.credits end as to_give,
           case when a.credits > 0 and a.state not in ('PAID', 'UNCLEAR') then a.debt_credits - a.credits end as to_take
    from asked a
    left join lateral (
        select e.user_id, e.available_delta from credit_entries e
        where e.cause = 'purchase:' || a.charge_id and e.kind = 'purchase' limit 1
    ) p on true
    left join lateral (
        select e.user_id, e.available_delta from credit_entries e
        where e.cause = 'purchase_refund:' || a.charge_id and e.kind = 'purchase_refund' limit 1
    ) r on true
), broken as (
    select 'I5' as rule, charge_id as subject,
           format('%s of %s credits; given %s, taken %s', state, credits, coalesce(given, 0), coalesce(taken, 0)) as details
    from known
    where given is distinct from to_give or taken is distinct from to_take or foreign_user
)
select (select count(*) from asked) as checked, coalesce((select jsonb_agg(to_jsonb(b)) from broken b), '[]') as broken;

-- name: check_open_videos^
-- Housekeeping has had its time.
with asked as materialized (
    select id, state, deadline_at from videos where state in ('OPEN', 'DELIVERING')
), broken as (
    select 'I6' as rule, id as subject, format('%s past its deadline', state) as details
    from asked
    where (state = 'OPEN' and deadline_at < :open_before) or (state = 'DELIVERING' and deadline_at < :delivering_before)
)
select (select count(*) from asked) as checked, coalesce((select jsonb_agg(to_jsonb(b)) from broken b), '[]') as broken;

-- name: keep_broken!
-- What was mended and breaks again is news.
insert into broken_invariants as known (rule, subject, details, found_at, seen_at)
select rule, subject, details, :now, :now
from unnest(cast(:rules as text[]), cast(:subjects as text[]), cast(:details as text[])) as b (rule, subject, details)
on conflict (rule, subject) do update
set details = excluded.details, seen_at = excluded.seen_at, mended_at = null,
    found_at = case when known.mended_at is null then known.found_at else excluded.found_at end,
    told_at = case when known.mended_at is null then known.told_at end,
    mend_told_at = null;

-- name: known_broken
-- Those that were not looked at for the longest time.
select rule, subject from broken_invariants where mended_at is null order by seen_at limit :rows_max;

-- name: mark_mended!
update broken_invariants set mended_at = :now, seen_at = :now
from unnest(cast(:rules as text[]), cast(:subjects as text[])) as b (rule, subject)
where broken_invariants.rule = b.rule and broken_invariants.subject = b.subject and mended_at is null;

-- name: broken_now
-- So many of each rule, and how many there are of it.
select rule, subject, details, broken from (
    select rule, subject, details, count(*) over (partition by rule) as broken,
           row_number() over (partition by rule order by found_at desc, subject) as place
    from broken_invariants where mended_at is null
) b
where place <= :ids_max order by rule, place;

-- name: untold_broken
select rule, subject, broken from (
    select rule, subject, count(*) over (partition by rule) as broken,
           row_number() over (partition by rule order by found_at, subject) as place
    from broken_invariants where told_at is null and mended_at is null and found_at <= :through
) b
where place <= :ids_max order by rule, place;

-- name: untold_mended
select rule, subject, broken from (
    select rule, subject, count(*) over (partition by rule) as broken,
           row_number() over (partition by rule order by mended_at, subject) as place
    from broken_invariants where mend_told_at is null and mended_at <= :through
) b
where place <= :ids_max order by rule, place;

-- name: untold$
select exists (select 1 from broken_invariants where told_at is null)
    or exists (select 1 from broken_invariants where mended_at is not null and mend_told_at is null);

-- name: broken_count$
select count(*) from broken_invariants where mended_at is null;

-- name: last_told$
select max(told_at) from broken_invariants;

-- name: mark_told!
update broken_invariants set told_at = :now where told_at is null and found_at <= :through;

-- name: mark_mend_told!
update broken_invariants set mend_told_at = :now
where mended_at is not null and mend_told_at is null and mended_at <= :through;

-- name: read_walk^
select next_page, since_xid, begun_xid from invariant_walks where name = :name;

-- name: keep_walk!
insert into invariant_walks (name, next_page, since_xid, begun_xid)
values (:name, :next_page, :since_xid, :begun_xid)
on conflict (name) do update
set next_page = excluded.next_page, since_xid = excluded.since_xid, begun_xid = excluded.begun_xid;

-- name: read_check^
select checked_at, rows_deleted from invariant_checks where name = :name;

-- name: keep_check!
insert into invariant_checks (name, checked_at, rows_deleted) values (:name, :now, :rows_deleted)
on conflict (name) do update set checked_at = excluded.checked_at, rows_deleted = excluded.rows_deleted;
