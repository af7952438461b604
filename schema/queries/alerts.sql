-- name: was_sent$
select exists (select 1 from alerts where cause = :cause);

-- name: mark_sent!
insert into alerts (cause, created_at) values (:cause, :now) on conflict (cause) do nothing;
