-- name: read_file_id$
select file_id from shown_files where name = :name;

-- name: keep_file_id!
insert into shown_files (name, file_id) values (:name, :file_id)
on conflict (name) do update set file_id = excluded.file_id;
