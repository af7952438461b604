-- name: take^
-- Nothing is written by who gets nothing, so that asking again and again does not put off the next token.
with taken as (
    insert into rate_limits (name, tokens, updated_at)
    values (:name, :burst::float8 - :tokens::float8, :now)
    on conflict (name) do update
    set tokens = least(:burst::float8, rate_limits.tokens + :per_second::float8
                       * greatest(0, extract(epoch from excluded.updated_at - rate_limits.updated_at)::float8)) - :tokens::float8,
        updated_at = greatest(rate_limits.updated_at, excluded.updated_at)
    where rate_limits.tokens + :per_second::float8
          * greatest(0, extract(epoch from excluded.updated_at - rate_limits.updated_at)::float8) >= :tokens::float8 + :spare::float8
    returning 1
)
select exists (select 1 from taken) as allowed,
       (select extract(epoch from :now::timestamptz - updated_at)::float8 from rate_limits where name = :name) as age_seconds,
       (select tokens from rate_limits where name = :name) as tokens;

-- name: rest!
-- As many tokens are owed as come in until then.
insert into rate_limits (name, tokens, updated_at) values (:name, -:owed::float8, :now)
on conflict (name) do update
set tokens = least(rate_limits.tokens + :per_second::float8
                   * greatest(0, extract(epoch from excluded.updated_at - rate_limits.updated_at)::float8),
                   excluded.tokens),
    updated_at = greatest(rate_limits.updated_at, excluded.updated_at);

-- name: forget_limits!
delete from rate_limits where updated_at < :before;
