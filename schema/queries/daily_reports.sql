-- name: accounts
-- Those that a probe has looked at lately, or that made something on that day.
select * from (
    select a.name as account, a.balance_kie_credits as balance,
           coalesce(a.blocked_until > :now, false) as blocked,
           (select count(*) from kie_keys k where k.account = a.name) as keys,
           (select count(*) from kie_keys k where k.account = a.name and k.blocked_until > :now) as keys_blocked,
           (select coalesce(sum(t.credits_consumed), 0) from attempts t
            where t.account = a.name and t.ended_at >= :since and t.ended_at < :until) as spent,
           a.balance_at
    from kie_accounts a
) as known
where balance_at >= :since or spent > 0
order by account;

-- name: oldest_open$
select extract(epoch from :now::timestamptz - min(o.created_at))::float8
from videos v join orders o on o.id = v.order_id
where v.state in ('OPEN', 'DELIVERING');

-- name: chore_age$
select extract(epoch from :now::timestamptz - ended_at)::float8 from chores where name = :name;

-- name: begin$
-- How many administrators were tried is the row's: whose message was on its way is not written to again.
insert into chores (name, ended_at, details)
values ('daily-report', :now, jsonb_build_object('day', :day::text, 'tried', :place::int))
on conflict (name) do update set ended_at = excluded.ended_at, details = excluded.details
where (chores.details ->> 'day', (chores.details ->> 'tried')::int) < (:day::text, :place::int)
returning 1;

-- name: withdraw!
update chores set details = jsonb_build_object('day', :day::text, 'tried', :place::int - 1)
where name = 'daily-report' and details = jsonb_build_object('day', :day::text, 'tried', :place::int);
