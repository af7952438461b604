-- name: remember!
-- One of each user, the newest; who asks again while he waits keeps his turn. A failed order is told of once.
insert into waiting_drafts (user_id, draft_id, reason, created_at)
values (:user_id, :draft_id, :reason, :now)
on conflict (user_id) do update
set draft_id = excluded.draft_id, reason = excluded.reason,
    created_at = case when waiting_drafts.told_at is null then waiting_drafts.created_at
                      else excluded.created_at end,
    told_at = case when excluded.reason = 'model_rests' and waiting_drafts.draft_id = excluded.draft_id
                   then waiting_drafts.told_at end;

-- name: untold_reasons
select distinct reason from waiting_drafts where told_at is null;

-- name: claim^
with next as (
    select w.user_id, u.tg_user_id from waiting_drafts w join users u on u.id = w.user_id
    where w.told_at is null and w.reason = any(cast(:reasons as text[]))
      and u.tg_user_id is not null and u.blocked_at is null
    order by w.created_at limit 1 for update of w skip locked
)
update waiting_drafts w set told_at = :now from next where w.user_id = next.user_id
returning w.user_id, next.tg_user_id, w.draft_id, w.reason;

-- name: put_back!
update waiting_drafts set told_at = null where user_id = :user_id and draft_id = :draft_id;

-- name: invited_videos$
-- Offered to those who were told lately and have not answered yet: their room is not given away again.
select coalesce(sum(d.video_count), 0)::int from waiting_drafts w join drafts d on d.id = w.draft_id
where w.told_at > :since and d.superseded_at is null
  and not exists (select 1 from orders o where o.id = d.id);
