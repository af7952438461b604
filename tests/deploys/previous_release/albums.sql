-- name: collect$
-- Whether the album was answered before this part of it came.
with part as (
    insert into album_pictures (tg_user_id, media_group_id, message_id, picture, received_at)
    values (:tg_user_id, :media_group_id, :message_id, :picture, :now)
    on conflict do nothing
)
select exists (
    select 1 from album_pictures
    where tg_user_id = :tg_user_id and media_group_id = :media_group_id and taken_at is not null
);

-- name: unique_ids
select picture ->> 'unique_id' as unique_id from album_pictures
where tg_user_id = :tg_user_id and media_group_id = :media_group_id;

-- name: reopen!
update album_pictures set taken_at = null
where tg_user_id = :tg_user_id and media_group_id = :media_group_id;

-- name: quiet_albums
select tg_user_id, media_group_id from album_pictures
where tg_user_id in (select tg_user_id from album_pictures where taken_at is null)
group by tg_user_id, media_group_id
having max(received_at) <= :quiet_since and bool_and(taken_at is null)
order by min(received_at) limit :albums_max;

-- name: pictures_of_album
-- None once any of it is taken: what comes after the answer is no second album.
select picture from album_pictures a
where a.tg_user_id = :tg_user_id and a.media_group_id = :media_group_id and not exists (
    select 1 from album_pictures t
    where t.tg_user_id = a.tg_user_id and t.media_group_id = a.media_group_id and t.taken_at is not null
)
order by message_id;

-- name: mark_taken!
update album_pictures set taken_at = :now
where tg_user_id = :tg_user_id and media_group_id = :media_group_id;

-- name: forget_taken!
-- With what came too late to be taken.
delete from album_pictures a
where a.received_at < :before and exists (
    select 1 from album_pictures t
    where t.tg_user_id = a.tg_user_id and t.media_group_id = a.media_group_id and t.taken_at is not null
);
