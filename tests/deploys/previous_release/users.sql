-- name: find_user^
select u.id, u.tg_user_id, u.language, u.tg_language, u.blocked_at is not null as blocked,
       coalesce(u.terms_version, 0) as terms_version,
       exists (select 1 from credit_entries e where e.cause = 'welcome:' || u.id) as welcomed
from users u where u.tg_user_id = :tg_user_id;

-- name: register_user!
insert into users (tg_user_id, tg_language, created_at) values (:tg_user_id, :tg_language, :now)
on conflict (tg_user_id) do update set tg_language = excluded.tg_language;

-- name: choose_language!
update users set language = :language where tg_user_id = :tg_user_id;

-- name: mark_blocked!
update users set blocked_at = coalesce(blocked_at, :now) where tg_user_id = :tg_user_id;

-- name: mark_unblocked!
update users set blocked_at = null where tg_user_id = :tg_user_id and blocked_at is not null;

-- name: accept_terms!
update users set terms_version = :version, terms_accepted_at = :now
where id = :user_id and coalesce(terms_version, 0) < :version;

-- name: take_welcome^
insert into welcome_days as w (day, given) values (:day, 1)
on conflict (day) do update set given = w.given + 1 where w.given < :per_day
returning given;

-- name: give_welcome_back!
update welcome_days set given = given - 1 where day = :day;

-- name: mark_welcome_over^
update welcome_days set over_at = :now where day = :day and over_at is null
returning day;
