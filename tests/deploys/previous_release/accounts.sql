-- name: make_accounts!
insert into kie_accounts (name)
select name from unnest(cast(:names as text[])) as name order by name
on conflict do nothing;

-- name: make_keys!
insert into kie_keys (key_id, account)
select key_id, account from unnest(cast(:key_ids as text[]), cast(:accounts as text[])) as k (key_id, account)
order by key_id
on conflict (key_id) do update set account = excluded.account where kie_keys.account <> excluded.account;

-- name: lock_accounts
select name, blocked_until, block_reason from kie_accounts
where name = any(cast(:names as text[])) order by name for update;

-- name: read_accounts
select name, blocked_until, block_reason, balance_kie_credits, balance_at from kie_accounts
where name = any(cast(:names as text[])) order by name;

-- name: read_keys
select key_id, account, blocked_until, block_reason from kie_keys
where key_id = any(cast(:key_ids as text[])) order by last_turn, key_id;

-- name: resting_models
select slug from video_model_marks where unavailable_until > :now;

-- name: read_marks
select slug, unavailable_until, reason from video_model_marks where unavailable_until > :now order by slug;

-- name: account_counts
select name as account,
       (select count(*) from slots s
        where s.account = name and (s.state = 'INTENT' or s.sent_at > :held_since)) as in_flight,
       (select count(*) from attempts a
        where a.account = name and (a.admitted_at > :window_since or a.sent_at > :window_since)
       ) as creates_in_window
from unnest(cast(:names as text[])) as name;

-- name: block_account!
-- A longer block is never shortened by a later failure.
insert into kie_accounts (name, blocked_until, block_reason) values (:name, :until, :reason)
on conflict (name) do update set blocked_until = excluded.blocked_until, block_reason = excluded.block_reason
where kie_accounts.blocked_until is null or kie_accounts.blocked_until < excluded.blocked_until;

-- name: block_key!
insert into kie_keys (key_id, account, blocked_until, block_reason) values (:key_id, :account, :until, :reason)
on conflict (key_id) do update set blocked_until = excluded.blocked_until, block_reason = excluded.block_reason
where kie_keys.blocked_until is null or kie_keys.blocked_until < excluded.blocked_until;

-- name: mark_model!
insert into video_model_marks (slug, unavailable_until, reason) values (:slug, :until, :reason)
on conflict (slug) do update set unavailable_until = excluded.unavailable_until, reason = excluded.reason
where video_model_marks.unavailable_until < excluded.unavailable_until;

-- name: read_block^
select blocked_until as until from kie_accounts where name = :name;

-- name: read_key_block^
select blocked_until as until from kie_keys where key_id = :name;

-- name: read_mark^
select unavailable_until as until from video_model_marks where slug = :name;

-- name: keep_balance!
update kie_accounts set balance_kie_credits = :kie_credits, balance_at = :now where name = :name;

-- name: lift_block_because$
update kie_accounts set blocked_until = null, block_reason = ''
where name = :name and blocked_until > :now and block_reason like :reasons returning name;

-- name: lift_key_block_because$
update kie_keys set blocked_until = null, block_reason = ''
where key_id = :key_id and blocked_until > :now and block_reason = :reason returning key_id;

-- name: spent
select account, sum(credits_consumed) as kie_credits from attempts
where credits_consumed is not null and ended_at > :since group by account;

-- name: lift_mark$
delete from video_model_marks where slug = :slug returning slug;
