-- name: take^
-- Nothing is written by who gets nothing, so that asking again and again does not put off the next token.
with taken as (
    insert into rate_limits (name, tokens, updated_at)
    values (:name, :burst::float8 - 1, :now)
    on conflict (name) do update
    set tokens = least(:burst::float8, rate_limits.tokens + :per_second::float8
                       * greatest(0, extract(epoch from excluded.updated_at - rate_limits.updated_at)::float8)) - 1,
        updated_at = greatest(rate_limits.updated_at, excluded.updated_at)
    where rate_limits.tokens + :per_second::float8
          * greatest(0, extract(epoch from excluded.updated_at - rate_limits.updated_at)::float8) >= 1
    returning 1
)
select exists (select 1 from taken) as allowed,
       (select extract(epoch from :now::timestamptz - updated_at)::float8 from rate_limits where name = :name) as age_seconds,
       (select tokens from rate_limits where name = :name) as tokens;

-- name: forget_limits!
delete from rate_limits where updated_at < :before;
