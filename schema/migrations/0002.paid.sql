-- Payments, limits, choices of format, ratings, administration. Additive: the release before this one
-- reads and writes the same tables and knows nothing of what is new.

alter table users
    add column terms_version integer,          -- which terms were accepted
    add column terms_accepted_at timestamptz;

alter table credit_entries drop constraint credit_entries_kind_check;
alter table credit_entries add constraint credit_entries_kind_check check (
    kind in ('welcome', 'grant', 'reserve', 'capture', 'refund', 'void', 'purchase', 'purchase_refund')
);
alter table credit_entries add column charge_id text;   -- of purchases, and of what takes them back

-- The welcome credits given on one day (UTC), by all bots together.
create table welcome_days (
    day date primary key,
    given integer not null default 0,
    over_at timestamptz                        -- somebody was turned away: admins are told once
);

-- Money that reached us, and the way back. The id is the provider's own.
create table payments (
    charge_id text primary key,
    provider text not null,                    -- 'stars'
    user_id bigint not null references users,
    package_id text not null,
    amount integer not null check (amount > 0),        -- in the smallest unit of `currency`
    currency text not null,
    credits integer not null check (credits >= 0),
    state text not null default 'PAID'
        check (state in ('PAID', 'UNCLEAR', 'REFUNDING', 'REFUNDED', 'REFUND_REFUSED')),
    debt_credits integer not null default 0,   -- a forced refund found these spent
    draft_id text,                             -- what was short of credits when it was paid
    refund_tries integer not null default 0,
    refund_next_try_at timestamptz,            -- the outbox: due calls to the provider
    refund_error text not null default '',
    paid_at timestamptz not null,
    refunded_at timestamptz
);
create index payments_by_user on payments (user_id, paid_at);
create index payments_refunding on payments (refund_next_try_at) where state = 'REFUNDING';

-- What the user chose on the card. '' and 0: as the photo and the video model have it.
alter table drafts
    add column aspect_ratio text not null default '',
    add column video_seconds integer not null default 0,
    add column views jsonb not null default '[]',          -- further photos of the product: file ids
    add column product_message_id bigint,                  -- the user's own messages: he may edit them
    add column wishes_message_id bigint,
    add column own_prompt_message_id bigint,
    add column late_edit_told_at timestamptz;              -- he was told that an edit came too late
create index drafts_by_photo on drafts (user_id, photo_unique_id);
create index orders_open on orders (user_id) where state = 'OPEN';
alter table orders add column view_media_keys text[] not null default '{}';
alter table videos
    add column rating smallint check (rating in (-1, 1)),
    add column rated_at timestamptz;
create index videos_waiting on videos (closed_at) where state = 'WAITING';
create index videos_on_shelf on videos (user_id, closed_at) where state in ('DELIVERED', 'WAITING');

-- Pictures of ours that Telegram has already, so that they are uploaded once.
create table shown_files (
    name text primary key,
    file_id text not null
);

-- Drafts of users who are written to when it goes on: one each.
create table waiting_drafts (
    user_id bigint primary key references users,
    draft_id text not null,
    reason text not null check (reason in ('busy', 'maintenance', 'model_rests')),
    created_at timestamptz not null,
    told_at timestamptz
);
create index waiting_drafts_untold on waiting_drafts (created_at) where told_at is null;
create index waiting_drafts_told on waiting_drafts (told_at) where told_at is not null;

-- What administrators switch, and everything they did.
create table switches (
    name text primary key,
    is_on boolean not null,
    changed_at timestamptz not null
);
create table admin_actions (
    id bigint generated always as identity primary key,
    admin_tg_id bigint not null,
    action text not null,
    target text not null default '',
    details jsonb not null default '{}',
    created_at timestamptz not null
);
create index admin_actions_by_target on admin_actions (target, id);
-- A deed that waits for an administrator's Yes.
create table admin_deeds (
    id text primary key,
    admin_tg_id bigint not null,
    deed jsonb not null,
    asked_at timestamptz not null,
    answer text check (answer in ('yes', 'no'))
);
alter table alerts
    add column suppressed integer not null default 0,
    add column quiet_until timestamptz,                 -- until then the same cause is only counted
    add column claimed_by text not null default '';     -- who sends it now: cut off, it may send it again
alter table kie_accounts
    add column balance_kie_credits double precision,
    add column balance_at timestamptz;

-- The figures of a day are counted from the rows of that day.
create index users_by_day on users (created_at);
create index orders_by_day on orders (created_at);
create index videos_delivered_by_day on videos (delivered_at) where delivered_at is not null;
create index videos_closed_by_day on videos (closed_at) where closed_at is not null;
create index videos_rated_by_day on videos (rated_at) where rated_at is not null;
create index attempts_ended_by_day on attempts (ended_at) where credits_consumed is not null;
create index payments_by_day on payments (paid_at);
create index payments_refunded_by_day on payments (refunded_at) where refunded_at is not null;

-- Limits shared by all processes. Losing them in a crash of the server costs nothing.
create unlogged table rate_limits (
    name text primary key,
    tokens double precision not null,
    updated_at timestamptz not null
);

-- Updates in the making: one chat is handled by one bot at a time, whichever bot an update reached.
create unlogged table chat_leases (
    chat_id bigint primary key,
    holder text not null,
    until timestamptz not null,
    handled_update_id bigint                   -- the last one: who waited for this lease does not repeat it
);

-- What may have been bought at KIE: a video that stands here is not stopped any more.
create view bought_attempts as
    select id, video_id from attempts
    where state in ('SENDING', 'ACCEPTED', 'AMBIGUOUS')
      and (task_state is null or task_state in ('RUNNING', 'SUCCESS'));

-- The queue as admission walks it, place 1 next. Each user's videos in their own order, interleaved: the
-- second of a user ranks as if the first were in flight.
create function queue_places(moment timestamptz, held_since timestamptz)
returns table (video_id text, place bigint) language sql stable as $$
    with held as (
        select s.user_id, count(*) as in_flight from slots s
        where s.state = 'INTENT' or s.sent_at > held_since group by s.user_id
    ), turns as (
        select q.video_id, q.enqueued_at,
               coalesce(h.in_flight, 0)
               + row_number() over (partition by q.user_id order by q.enqueued_at, q.video_id) as turn
        from admission_queue q
        join videos v on v.id = q.video_id and v.state = 'OPEN' and v.deadline_at > moment
        left join held h on h.user_id = q.user_id
    )
    select t.video_id, row_number() over (order by t.turn, t.enqueued_at, t.video_id) from turns t
$$;
