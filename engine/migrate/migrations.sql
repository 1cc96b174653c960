-- What is there before the first migration: the schema, and the table in which the migration
-- library notes those that it applied. It makes that itself; this file is for sqlc, which has to
-- know both.
create schema bucketgen;

create table bucketgen.migrations (
    id          integer not null primary key,
    version_id  bigint not null,
    is_applied  boolean not null,
    tstamp      timestamp not null
);
