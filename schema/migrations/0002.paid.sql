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
    given integer not null default 0
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
    add column own_prompt_message_id bigint;
create index drafts_by_photo on drafts (user_id, photo_unique_id);
alter table orders add column view_media_keys text[] not null default '{}';
alter table videos
    add column rating smallint check (rating in (-1, 1)),
    add column rated_at timestamptz;
create index videos_delivered on videos (user_id, closed_at) where telegram_file_id is not null;

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
alter table alerts add column suppressed integer not null default 0;
alter table kie_accounts
    add column balance_kie_credits double precision,
    add column balance_at timestamptz;

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
    until timestamptz not null
);
