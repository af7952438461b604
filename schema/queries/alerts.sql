-- name: was_sent$
select exists (select 1 from alerts where cause = :cause and created_at > :since);

-- name: mark_sent!
insert into alerts (cause, created_at) values (:cause, :now)
on conflict (cause) do update set created_at = excluded.created_at;
