-- name: known_keys
-- Also those that are in no setting any more. Open is what still asks for this very key, or for its account.
select k.key_id, k.account, k.blocked_until, k.block_reason,
       (select count(*) from attempts a join videos v on v.id = a.video_id
        where a.key_id = k.key_id
          and ((a.ended_at is null and a.state in ('INTENT', 'SENDING', 'ACCEPTED', 'AMBIGUOUS')
                and coalesce(a.task_state, '') <> 'ABANDONED' and (a.state <> 'INTENT' or v.state = 'OPEN'))
               or (a.task_state = 'SUCCESS' and v.state = 'OPEN' and v.result_media_key is null))
       ) as open_attempts
from kie_keys k order by k.account, k.key_id;

-- name: unblock_key$
update kie_keys set blocked_until = null, block_reason = ''
where key_id = :name and blocked_until > :now returning key_id;

-- name: unblock_account$
update kie_accounts set blocked_until = null, block_reason = ''
where name = :name and blocked_until > :now returning name;

-- name: forget_key$
delete from kie_keys where key_id = :key_id returning key_id;
