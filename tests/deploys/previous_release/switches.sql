-- name: is_on$
select is_on from switches where name = :name;

-- name: set_switch$
insert into switches (name, is_on, changed_at) values (:name, :is_on, :now)
on conflict (name) do update set is_on = excluded.is_on, changed_at = excluded.changed_at
where switches.is_on <> excluded.is_on
returning name;
