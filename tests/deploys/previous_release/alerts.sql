-- name: ensure_alert!
insert into alerts (cause, created_at) values (:cause, :now) on conflict (cause) do nothing;

-- name: lock_alert^
select quiet_until, suppressed, claimed_by from alerts where cause = :cause for update;

-- name: claim_alert!
update alerts set created_at = :now, quiet_until = :quiet_until, suppressed = 0, claimed_by = :claimed_by
where cause = :cause;

-- name: count_suppressed!
update alerts set suppressed = suppressed + 1, quiet_until = :quiet_until where cause = :cause;

-- name: end_claim!
update alerts set claimed_by = '' where cause = :cause;

-- name: take_suppressed
-- A cause that is just being claimed is left to the one who claims it.
with due as (
    select cause, suppressed from alerts
    where suppressed > 0 and quiet_until <= :now
    order by cause for update skip locked
)
update alerts a set suppressed = 0 from due where a.cause = due.cause
returning a.cause, due.suppressed;
