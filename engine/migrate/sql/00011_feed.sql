-- +goose Up

-- The transaction that logged a transition; null: one that logged it before this column was there. Ids are given before
-- transactions commit. Who reads the log as it grows remembers which transactions were still under way, and asks again for what those
-- have logged.
alter table bucketgen.transitions add column made_by xid8;
alter table bucketgen.transitions alter column made_by set default pg_current_xact_id(); -- of rows to come: no other is written
create index transitions_made on bucketgen.transitions (made_by, id) where made_by is not null;

-- Users whose buckets are others than before without a transition, because they were deleted or restored. Rows are of use
-- for a moment only, to who remembers what users are in.
create table bucketgen.hidings (
    made_by  xid8 not null default pg_current_xact_id(),
    user_id  text collate "C" not null,
    at       timestamptz not null,
    primary key (made_by, user_id)
);
