-- +goose Up

-- Everybody whom events are about. Every other table names them by id, first in every key, so that all that is known
-- of a user lies together and can be distributed by it. The row is the only lock that anybody waits for: whoever
-- writes about a user takes it first.
create table bucketgen.contacts (
    id          bigint not null generated always as identity primary key,
    user_id     text collate "C" not null unique, -- bytewise: locks are taken in this order, which Go shares
    email       text,
    properties  jsonb not null default '{}',
    changes     jsonb not null default '{}', -- of declared properties: {"plan": {"was": "free", "at": <microseconds since 1970>}}
    version     bigint not null default 0, -- grows with every change of the properties: whoever remembers them compares it
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    deleted_at  timestamptz
) with (fillfactor = 90);

-- Further names of a contact: an email address, an anonymous id, an id in another system.
create table bucketgen.identities (
    kind        text not null,
    value       text collate "C" not null,
    contact_id  bigint not null,
    primary key (kind, value)
);
create index identities_contact on bucketgen.identities (contact_id);

-- Names are stored once; the tables that grow hold their numbers. Number 0 is no name.
create table bucketgen.event_names (
    no    integer not null generated always as identity primary key,
    name  text collate "C" not null unique
);

create table bucketgen.buckets (
    no          integer not null generated always as identity primary key,
    id          text collate "C" not null unique,
    name        text not null,
    created_at  timestamptz not null default now()
);

-- The log: one row per ingest. Its key is also the index in which the newest occurrences of an event stand together,
-- and holds the time, so that the table can be partitioned by it.
create table bucketgen.events (
    contact_id   bigint not null,
    event_no     integer not null,
    occurred_at  timestamptz not null,
    id           bigint not null generated always as identity,
    received_at  timestamptz not null,
    kind         text not null,
    properties   jsonb,
    traits       jsonb,
    primary key (contact_id, event_no, occurred_at, id)
);

-- What criteria ask about an event: all of its occurrences, or those that pass a filter. The key says which.
create table bucketgen.signals (
    no   integer not null generated always as identity primary key,
    key  text collate "C" not null unique
);

-- Occurrences of signals that are not simply those of an event.
create table bucketgen.occurrences (
    contact_id   bigint not null,
    signal_no    integer not null,
    occurred_at  timestamptz not null,
    id           bigint not null generated always as identity,
    value        text, -- of the payload property that is kept, in JSON
    primary key (contact_id, signal_no, occurred_at, id)
);

-- What is known of all occurrences of a signal, however long ago: it stays when old parts of the log go.
create table bucketgen.totals (
    contact_id   bigint not null,
    signal_no    integer not null,
    count        bigint not null,
    first_at     timestamptz not null,
    last_at      timestamptz not null,
    first_value  text, -- of the payload property that is kept, in JSON
    last_value   text,
    primary key (contact_id, signal_no)
) with (fillfactor = 90);

-- The newest occurrence of each group of a signal whose occurrences are told apart: by a value, or by the day.
create table bucketgen.groups (
    contact_id   bigint not null,
    signal_no    integer not null,
    name         text collate "C" not null,
    occurred_at  timestamptz not null,
    primary key (contact_id, signal_no, name)
) with (fillfactor = 90);
create index groups_newest on bucketgen.groups (contact_id, signal_no, occurred_at);

-- Sums of the payload property of a signal that is kept, over a window: of all occurrences after the cutoff. Whatever is
-- not later has left the window, and is read no more.
create table bucketgen.sums (
    contact_id    bigint not null,
    signal_no     integer not null,
    time_window   text collate "C" not null,
    total         numeric not null,
    count         bigint not null,
    cutoff        timestamptz, -- null: nothing has left the window
    primary key (contact_id, signal_no, time_window)
) with (fillfactor = 90);

-- Idempotency keys that were used, for as long as a repetition is to be recognised. They are not part of the log, so
-- that old parts of that can go by themselves.
create table bucketgen.idempotency_keys (
    contact_id  bigint not null,
    origin      text not null default '', -- who chose the key; keys of different origins never meet
    key         text collate "C" not null,
    seen_at     timestamptz not null,
    primary key (contact_id, origin, key)
);
create index idempotency_keys_seen on bucketgen.idempotency_keys using brin (seen_at);

-- Stays of users in buckets, one row each, for ever. At most one of a user and bucket is active.
create table bucketgen.memberships (
    contact_id  bigint not null,
    bucket_no   integer not null,
    epoch       integer not null,
    id          bigint not null generated always as identity,
    entered_at  timestamptz not null,
    left_at     timestamptz,
    ticked_at   timestamptz, -- dwell ticks up to here are done
    blocked     boolean not null default false, -- left by maxDwell, and the criteria has held ever since
    source      text not null,
    reason      text,
    changed_by  xid8 not null default pg_current_xact_id(), -- lets a transaction tell the rows that it changed
    primary key (contact_id, bucket_no, epoch)
) with (fillfactor = 90);
create unique index memberships_active on bucketgen.memberships (contact_id, bucket_no) where left_at is null;
create index memberships_blocked on bucketgen.memberships (contact_id) where blocked;
create index memberships_members on bucketgen.memberships (bucket_no, contact_id) where left_at is null;

-- When the clock has to look at a user and bucket again, members or not. A row may be too early, never too late.
create table bucketgen.due (
    contact_id  bigint not null,
    bucket_no   integer not null,
    due_at      timestamptz not null,
    primary key (contact_id, bucket_no)
) with (fillfactor = 90);
create index due_at on bucketgen.due (due_at);

-- Everything that happened to memberships. The key is the idempotency key of the transition, so none can be there twice.
create table bucketgen.transitions (
    contact_id     bigint not null,
    bucket_no      integer not null,
    epoch          integer not null,
    kind           text not null, -- entered, left, dwell
    label          text not null default '', -- of a tick
    ordinal        bigint not null default 0, -- of a tick
    id             bigint not null generated always as identity,
    membership_id  bigint not null,
    at             timestamptz not null, -- when it became true
    decided_at     timestamptz not null, -- when the system noticed
    source         text not null,
    reason         text,
    suppressed     boolean not null default false, -- by the entry policy: it happened, but was not announced
    primary key (contact_id, bucket_no, epoch, kind, label, ordinal)
);
create index transitions_id on bucketgen.transitions (id);

-- What each connection has committed last. Whoever loses one at COMMIT finds out here what became of it. The number of
-- the transaction does not say: after a crash PostgreSQL may give it to another.
create table bucketgen.writers (
    token   uuid not null primary key, -- of the connection
    serial  bigint not null,
    at      timestamptz not null
) with (fillfactor = 50);

-- Who wants to be told about transitions: a handler, a webhook endpoint, a Hatchet binding.
create table bucketgen.subscriptions (
    no          integer not null generated always as identity primary key,
    name        text not null unique,
    bucket_no   integer, -- null: every bucket
    kinds       text[] not null,
    first_only  boolean not null default false, -- only the first stay of a user
    reasons     text[], -- of leaves; null: all
    label       text, -- of ticks; null: all
    created_at  timestamptz not null default now()
);

-- The outbox: what is still to be delivered, in the order of ids for each subscription, user and bucket.
create table bucketgen.deliveries (
    contact_id       bigint not null,
    subscription_no  integer not null,
    bucket_no        integer not null,
    id               bigint not null generated always as identity,
    transition_id    bigint not null,
    state            text not null default 'waiting', -- or dead: given up until somebody replays it
    attempts         integer not null default 0,
    next_at          timestamptz not null,
    leased_until     timestamptz, -- a process is at it until then
    lease            uuid, -- which lease that is, so that a process that lost it cannot settle the delivery
    error            text, -- of the last attempt
    replayed         boolean not null default false,
    primary key (contact_id, subscription_no, bucket_no, id)
) with (fillfactor = 90);
create index deliveries_next on bucketgen.deliveries (subscription_no, next_at, id) where state = 'waiting';
