-- name: read_conversation^
select state, data from conversations where key = :key;

-- name: save_conversation!
insert into conversations (key, state, data, updated_at) values (:key, :state, :data, :now)
on conflict (key) do update
set state = excluded.state, data = excluded.data, updated_at = excluded.updated_at;

-- name: save_state!
insert into conversations (key, state, updated_at) values (:key, :state, :now)
on conflict (key) do update set state = excluded.state, updated_at = excluded.updated_at;

-- name: save_data!
insert into conversations (key, data, updated_at) values (:key, :data, :now)
on conflict (key) do update set data = excluded.data, updated_at = excluded.updated_at;
