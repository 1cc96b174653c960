-- +goose Up

-- Stays that have ended, by user, to list who was in a bucket at a time. Whoever was stays in one place in that order when
-- the stay ends, so that a walk through it in pages meets everybody once.
create index memberships_ended on bucketgen.memberships (bucket_no, contact_id, entered_at, left_at) where left_at is not null;

-- Who is deleted, since when.
create index contacts_deleted on bucketgen.contacts (deleted_at) where deleted_at is not null;

-- What happened to each bucket in each hour of UTC in which anything did, added up from the log of transitions.
create table bucketgen.tallies (
    bucket_no  integer not null,
    hour       timestamptz not null, -- its beginning
    entered    bigint not null,
    "left"     bigint not null,
    dwell      numeric not null, -- of the stays that ended, in microseconds
    primary key (bucket_no, hour)
) with (fillfactor = 90);

-- How far the log is added up: one row. Ids of transitions are given before their transactions commit, so a greater one
-- may be there before a smaller one is. What is known to be complete is what was there before a transaction began, once
-- every transaction is over that began before that one.
create table bucketgen.tallied (
    one     boolean not null primary key default true check (one),
    up_to   bigint not null default 0, -- transitions up to this id are added up
    known   bigint not null default 0, -- those up to this one are to be next
    before  xid8 not null default '0'  -- when every transaction with a smaller number is over
);
insert into bucketgen.tallied default values;
