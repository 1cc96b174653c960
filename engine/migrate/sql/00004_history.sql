-- +goose Up

-- Stays that have ended, by user, to list who was in a bucket at a time. Whoever was stays in one place in that order when
-- the stay ends, so that a walk through it in pages meets everybody once.
create index memberships_ended on bucketgen.memberships (bucket_no, contact_id, entered_at, left_at) where left_at is not null;
