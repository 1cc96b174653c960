-- +goose Up

-- The user's time, where it is not the database's: the instant up to which a process has decided about the user whose clock
-- differs from the database's by more than a minute. Null: the user's time is not later than the database's.
alter table bucketgen.contacts add column decided_at timestamptz;

-- By how many microseconds the clock of a process is ahead of the database's, as of the last heartbeat.
alter table bucketgen.processes add column ahead_us bigint not null default 0;
