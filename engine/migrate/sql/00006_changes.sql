-- +goose Up

-- Properties of users that some definition declares.
create table bucketgen.properties (
    no    integer not null generated always as identity primary key,
    name  text collate "C" not null unique
);

-- The last change of each declared property of a user: what it was before, and since when it is what it is. It stands beside
-- the contact, so that a property that changes does not write those of all others again.
create table bucketgen.changes (
    contact_id   bigint not null,
    property_no  integer not null,
    was          jsonb, -- null: there was none
    changed_at   timestamptz not null,
    primary key (contact_id, property_no)
) with (fillfactor = 90);

insert into bucketgen.properties (name)
select distinct k.name
from bucketgen.contacts c
cross join lateral jsonb_object_keys(c.changes) as k (name)
order by k.name;

insert into bucketgen.changes (contact_id, property_no, was, changed_at)
select c.id, p.no, nullif(e.value -> 'was', 'null'),
    timestamptz '1970-01-01 00:00:00+00' + (e.value ->> 'at')::bigint * interval '1 microsecond'
from bucketgen.contacts c
cross join lateral jsonb_each(c.changes) as e (name, value)
join bucketgen.properties p on p.name = e.name;

alter table bucketgen.contacts drop column changes;
