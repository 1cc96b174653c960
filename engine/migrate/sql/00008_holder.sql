-- +goose Up

-- The engine that knows all of the user without asking, because it was the last to write anything about them; 0: none does.
-- Every writer sees to that, by the same transaction: whoever finds another engine's number here takes it away.
alter table bucketgen.contacts add column holder bigint not null default 0;
