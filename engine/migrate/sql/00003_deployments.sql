-- +goose Up

-- Every change of what the engine does: of definitions (deploy), of whether a bucket is paused (pause, resume). How far
-- users have followed a deployment stands beside it.
create table bucketgen.deployments (
    no           integer not null primary key,
    kind         text not null, -- deploy, pause, resume
    fingerprint  text not null, -- of the definitions that are deployed from then on
    emit         text not null, -- what is announced of what follows: silent, leaves, all
    at           timestamptz not null,
    rate         integer not null, -- users a second that follow at most; 0: as many as there is time for
    contacts     bigint not null default 0, -- how many there were, roughly
    upto_id      bigint not null default 0, -- users up to here are gone through
    cursor_id    bigint not null default 0, -- and up to here somebody is at it
    next_at      timestamptz, -- when the next may follow, by the rate
    followed     bigint not null default 0, -- users
    joined       bigint not null default 0,
    gone         bigint not null default 0, -- memberships that ended
    finished_at  timestamptz -- null: users are still to follow
);

-- The number of the last deployment. Every transaction reads it with its facts.
create table bucketgen.generation (
    no  integer not null
);
insert into bucketgen.generation (no) values (0);

-- What each bucket was defined as, and from which deployment until which.
create table bucketgen.definitions (
    bucket_no    integer not null,
    since_no     integer not null,
    until_no     integer, -- null: it is deployed
    fingerprint  text not null,
    name         text not null,
    words        text[] not null, -- its criteria and its policies, as people read them
    primary key (bucket_no, since_no)
);

alter table bucketgen.buckets
    add column fingerprint text, -- as deployed; null: it is not
    add column since_no integer not null default 0, -- users who have not followed this deployment are to be looked at
    add column paused_at timestamptz;

-- What is kept beside the log, and since which deployment. Of users who have not followed that, it is made from the log.
create table bucketgen.kept (
    name      text collate "C" not null primary key,
    since_no  integer not null
);

-- The last deployment that the user has followed, if it is about anything of theirs, and the last one that a process knew of
-- which has changed the user since, if it was not that: what came later is to be looked at again.
alter table bucketgen.contacts
    add column generation integer not null default 0,
    add column stranger integer;

-- Which programs run, and which definitions they have.
create table bucketgen.processes (
    id           uuid not null primary key,
    host         text not null,
    pid          integer not null,
    fingerprint  text not null,
    started_at   timestamptz not null,
    seen_at      timestamptz not null
);

-- From which ticks count, where that is not the time of entering: users whom a deployment found in a bucket have often
-- matched for long.
alter table bucketgen.memberships add column anchor_at timestamptz;
