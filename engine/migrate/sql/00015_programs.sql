-- +goose Up

-- The oldest program that these tables admit, by the migration that it was written for. A program that is older does not start.
-- A migration that older programs cannot live with raises it:
--   update bucketgen.programs set oldest = 15;
create table bucketgen.programs (
    one     boolean not null primary key default true check (one),
    oldest  bigint not null
);
insert into bucketgen.programs (oldest) values (15);
