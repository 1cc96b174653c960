-- +goose Up

-- Events that follow each other within a time, as criteria ask about them. The key says which.
create table bucketgen.sequences (
    no   integer not null generated always as identity primary key,
    key  text collate "C" not null unique
);

-- How far users have come in sequences, one row for each value that chains of events have in common. Instants in arrays
-- are microseconds since 1970; the smallest number is none.
create table bucketgen.progress (
    contact_id   bigint not null,
    sequence_no  integer not null,
    key          text collate "C" not null, -- empty if chains need nothing in common
    seen_at      timestamptz not null, -- the newest event that could take a step
    begins       bigint[] not null, -- by step: of the chain that ends there last
    ends         bigint[] not null,
    answer_at    timestamptz, -- the newest event that answers chains
    outcome_at   timestamptz, -- when the newest chain ended, unless it was answered
    primary key (contact_id, sequence_no, key)
) with (fillfactor = 90);
create index progress_outcome on bucketgen.progress (contact_id, sequence_no, outcome_at) where outcome_at is not null;

-- The events that could take a step. Only those around one that arrives late are ever read.
create table bucketgen.advances (
    contact_id   bigint not null,
    sequence_no  integer not null,
    key          text collate "C" not null,
    occurred_at  timestamptz not null,
    id           bigint not null generated always as identity,
    steps        integer not null, -- a bit for each step that it could take
    primary key (contact_id, sequence_no, key, occurred_at, id)
);
