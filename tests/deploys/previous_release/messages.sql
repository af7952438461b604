-- name: insert_sending^
insert into messages (order_id, video_number, purpose, step, state, chat_id, message_id, nonce, updated_at)
values (:order_id, :video_number, :purpose, :step, 'SENDING', :chat_id, :message_id, :nonce, :now)
on conflict (order_id, video_number, purpose, step) do nothing
returning id, state, chat_id, message_id, nonce;

-- name: find_message^
select id, state, chat_id, message_id, nonce from messages
where order_id = :order_id and video_number = :video_number and purpose = :purpose and step = :step;

-- name: restart_sending!
update messages set state = 'SENDING', message_id = :message_id, nonce = :nonce, updated_at = :now
where order_id = :order_id and video_number = :video_number and purpose = :purpose and step = :step;

-- name: finish_message!
update messages set state = :state, message_id = coalesce(:message_id, message_id), updated_at = :now
where order_id = :order_id and video_number = :video_number and purpose = :purpose and step = :step;
