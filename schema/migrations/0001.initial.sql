-- Money, orders, attempts and messages. Times are written by the application, which is handed its clock.

create table users (
    id bigint generated always as identity primary key,
    tg_user_id bigint unique,              -- null once the person is forgotten; the ledger stays whole
    language text check (language in ('ru', 'en')),   -- the user's choice
    tg_language text,                      -- what Telegram says
    blocked_at timestamptz,                -- the user blocked the bot
    created_at timestamptz not null
);

create table wallets (
    user_id bigint primary key references users,
    available integer not null default 0 check (available >= 0),
    reserved integer not null default 0 check (reserved >= 0)
);

create table credit_entries (
    id bigint generated always as identity primary key,
    user_id bigint not null references users,
    kind text not null check (kind in ('welcome', 'grant', 'reserve', 'capture', 'refund', 'void')),
    available_delta integer not null,
    reserved_delta integer not null,
    cause text not null unique,            -- makes each thing happen once
    order_id text,
    video_id text,
    note text not null default '',
    available_after integer not null,
    reserved_after integer not null,
    created_at timestamptz not null
);
create index credit_entries_by_user on credit_entries (user_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'credit_entries is append-only';
end $$;
create trigger credit_entries_append_only before update or delete on credit_entries
    for each row execute function refuse_change();

-- A card that can buy. The order bought with it has the same id.
create table drafts (
    id text primary key,
    user_id bigint not null references users,
    origin text not null check (origin in ('dialog', 'retry', 'more')),
    source_order_id text,
    template text not null check (template in ('ugc', 'ad', 'own')),
    product_text text not null default '',
    wishes text not null default '',
    own_prompt text not null default '',
    photo_file_id text not null,           -- what the user sent: a photo, or a document
    photo_unique_id text not null,
    card_file_id text not null default '', -- the same picture as Telegram's photo, once it was shown as one
    video_count integer not null check (video_count between 1 and 5),
    price_credits integer not null check (price_credits >= 0),   -- of one video
    language text not null check (language in ('ru', 'en')),
    card_chat_id bigint,
    card_message_id bigint,                -- the confirm card in the chat, once it was sent
    superseded_at timestamptz,             -- another card took its place: its Generate no longer buys
    created_at timestamptz not null
);
create index drafts_by_user on drafts (user_id, created_at);

create table orders (
    id text primary key references drafts,
    user_id bigint not null references users,
    video_count integer not null,
    price_credits integer not null,        -- of the whole order
    language text not null,
    state text not null default 'OPEN' check (state in ('OPEN', 'CLOSED')),
    failure_class text,                    -- of an order that ended before its videos were started
    failure_reason text not null default 'none',
    photo_media_key text,
    photo_width integer,
    photo_height integer,
    epoch integer not null default 0,
    created_at timestamptz not null,       -- the tap
    deadline_at timestamptz not null,
    workflow_started_at timestamptz,
    closed_at timestamptz
);
create index orders_to_start on orders (created_at) where workflow_started_at is null and state = 'OPEN';
create index orders_by_user on orders (user_id, created_at);

create table videos (
    id text primary key,
    order_id text not null references orders,
    user_id bigint not null references users,
    number integer not null,
    price_credits integer not null,
    state text not null default 'OPEN'
        check (state in ('OPEN', 'DELIVERING', 'DELIVERED', 'WAITING', 'FAILED', 'CANCELLED')),
    opened_at timestamptz,                 -- its workflow was started: only that one settles it now
    failure_class text,
    failure_reason text not null default 'none',
    script text,                           -- what GPT wrote, or the user's own prompt
    result_media_key text,
    result_width integer,
    result_height integer,
    result_seconds double precision,
    telegram_file_id text,
    sends_refused integer not null default 0,
    deadline_at timestamptz not null,
    ready_at timestamptz,                  -- the result is kept
    delivered_at timestamptz,
    closed_at timestamptz,
    unique (order_id, number)
);
create index videos_open on videos (deadline_at) where state in ('OPEN', 'DELIVERING');
create index videos_by_user on videos (user_id, state);

-- One create call at KIE.
create table attempts (
    id text primary key,
    video_id text not null references videos,
    user_id bigint not null references users,
    number integer not null,
    video_model text not null,
    account text not null,
    key_id text not null,
    state text not null
        check (state in ('INTENT', 'SENDING', 'ACCEPTED', 'REJECTED', 'NOT_SENT', 'AMBIGUOUS')),
    kie_task_id text unique,
    prompt text,                           -- as sent: an adopted KIE task must show the same
    task_state text check (task_state in ('RUNNING', 'SUCCESS', 'FAIL', 'ABANDONED')),
    result_urls text[] not null default '{}',
    failure_class text,
    failure_reason text not null default 'none',
    failure_code text not null default '',
    raw_answer text not null default '',   -- the provider's answer, for the admin alert
    credits_consumed double precision,     -- KIE's
    admitted_at timestamptz not null,
    sent_at timestamptz,
    accepted_at timestamptz,
    ended_at timestamptz,                  -- of the KIE task, or of the refusal
    unique (video_id, number),
    check (state <> 'ACCEPTED' or (kie_task_id is not null and task_state is not null))
);
create index attempts_in_flight on attempts (account) where ended_at is null;
create index attempts_recent on attempts (account, admitted_at);
create index attempts_sent on attempts (account, sent_at) where sent_at is not null;
-- Beside or after an attempt that may have bought something there is no other one.
create unique index attempts_standing on attempts (video_id)
    where state not in ('REJECTED', 'NOT_SENT') and coalesce(task_state, '') <> 'FAIL';

-- What is in flight at an account: counted from rows, so that no slot leaks.
create view slots as
    select a.account, a.user_id, a.video_id, a.state, a.sent_at
    from attempts a join videos v on v.id = a.video_id
    where a.ended_at is null and a.state in ('INTENT', 'SENDING', 'ACCEPTED', 'AMBIGUOUS')
      and (a.state <> 'INTENT' or v.state = 'OPEN');

-- Blocks only: which accounts and keys there are, each process knows from its settings.
create table kie_accounts (
    name text primary key,
    blocked_until timestamptz,
    block_reason text not null default ''
);
create table kie_keys (
    key_id text primary key,
    account text not null,
    blocked_until timestamptz,
    block_reason text not null default '',
    last_turn bigint not null default 0    -- the keys of an account take turns
);
create sequence kie_key_turns;
create table video_model_marks (
    slug text primary key,
    unavailable_until timestamptz not null,
    reason text not null default ''
);

-- Videos that wait for an account.
create table admission_queue (
    video_id text primary key references videos,
    user_id bigint not null,
    video_models text[] not null,          -- acceptable, in order of preference
    excluded_accounts text[] not null default '{}',
    avoided_accounts text[] not null default '{}',
    enqueued_at timestamptz not null
);

-- Telegram messages that must not be doubled: SENDING is committed before the call.
create table messages (
    id bigint generated always as identity primary key,
    order_id text not null references orders,
    video_number integer not null default 0,   -- 0: the order's own
    purpose text not null,
    step integer not null default 0,
    state text not null check (state in ('SENDING', 'SENT', 'REFUSED', 'UNKNOWN')),
    chat_id bigint not null,
    message_id bigint,
    nonce text not null default '',
    updated_at timestamptz not null,
    unique (order_id, video_number, purpose, step)
);

-- Outages: ten calls in a row that reached nobody mark a service as down.
create table services (
    name text primary key,
    unreachable_in_row integer not null default 0,
    down_since timestamptz,
    next_probe_at timestamptz
);

create table alerts (
    id bigint generated always as identity primary key,
    cause text not null unique,
    created_at timestamptz not null
);

-- The bot's own memory.
create table conversations (
    key text primary key,
    state text,
    data jsonb not null default '{}',
    updated_at timestamptz not null
);
create table handled_updates (
    update_id bigint primary key,
    handled_at timestamptz not null
);
create table album_pictures (
    tg_user_id bigint not null,
    media_group_id text not null,
    message_id bigint not null,
    picture jsonb not null,                -- what the message held, as the bot read it
    received_at timestamptz not null,
    taken_at timestamptz,                  -- the album was used: later parts of it are ignored
    primary key (tg_user_id, media_group_id, message_id)
);
create index album_pictures_waiting on album_pictures (received_at) where taken_at is null;
