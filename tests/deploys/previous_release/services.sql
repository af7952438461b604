-- name: make_service!
insert into services (name) values (:name) on conflict do nothing;

-- name: lock_service^
select unreachable_in_row, down_since, next_probe_at from services where name = :name for update;

-- name: read_service^
select unreachable_in_row, down_since, next_probe_at from services where name = :name;

-- name: write_service!
update services set unreachable_in_row = :in_row, down_since = :down_since, next_probe_at = :next_probe_at
where name = :name;

-- name: take_probe$
update services set next_probe_at = :next_probe_at
where name = :name and down_since is not null and next_probe_at <= :now
returning name;

-- name: read_services
select name, unreachable_in_row, down_since, next_probe_at from services order by name;
