-- name: was_handled$
select exists (select 1 from handled_updates where update_id = :update_id);

-- name: mark_handled!
insert into handled_updates (update_id, handled_at) values (:update_id, :now) on conflict do nothing;

-- name: forget_handled!
delete from handled_updates where handled_at < :before;
