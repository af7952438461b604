-- name: collect!
insert into album_pictures (tg_user_id, media_group_id, message_id, picture, received_at)
values (:tg_user_id, :media_group_id, :message_id, :picture, :now)
on conflict do nothing;

-- name: find_quiet^
select tg_user_id, media_group_id from album_pictures
where tg_user_id in (select tg_user_id from album_pictures where taken_at is null)
group by tg_user_id, media_group_id
having max(received_at) <= :quiet_since and bool_and(taken_at is null)
order by min(received_at) limit 1;

-- name: lock_album
select message_id, picture from album_pictures
where tg_user_id = :tg_user_id and media_group_id = :media_group_id and taken_at is null
order by message_id for update skip locked;

-- name: mark_taken!
update album_pictures set taken_at = :now
where tg_user_id = :tg_user_id and media_group_id = :media_group_id;

-- name: forget_taken!
delete from album_pictures where taken_at < :before;
