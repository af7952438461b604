-- name: chore_ended!
insert into chores (name, ended_at, details) values (:name, :at, :details)
on conflict (name) do update set ended_at = excluded.ended_at, details = excluded.details;

-- name: last_chore^
select ended_at, details from chores where name = :name;
