-- name: insert_action!
insert into admin_actions (admin_tg_id, action, target, details, created_at)
values (:admin_tg_id, :action, :target, :details, :now);

-- name: insert_deed!
insert into admin_deeds (id, admin_tg_id, deed, asked_at) values (:id, :admin_tg_id, :deed, :now);

-- name: lock_deed^
select deed, asked_at, answer from admin_deeds where id = :id and admin_tg_id = :admin_tg_id for update;

-- name: answer_deed!
update admin_deeds set answer = :answer where id = :id;

-- name: user_id$
select id from users where tg_user_id = :tg_user_id;

-- name: wallet^
select available, reserved from wallets where user_id = :user_id;
