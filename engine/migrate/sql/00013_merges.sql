-- +goose Up

-- Since when the user is another, into whom they were merged. What is left of them is what they were in before, and their name,
-- which identities says whose it is now. They are deleted, too, so that nobody looks at them.
alter table bucketgen.contacts add column merged_at timestamptz;

-- By which names users are known: their own, and those that they had before they were merged.
create view bucketgen.names as
select c.user_id as name, c.id as contact_id from bucketgen.contacts c where c.merged_at is null
union all
select i.value, i.contact_id from bucketgen.identities i where i.kind = 'user';
