-- +goose Up

-- Derivations of all memberships anew, which repair what differs. There is one at a time; whoever dies at it leaves it to
-- others, who go on from the cursor.
create table bucketgen.reconciliations (
    no            integer not null generated always as identity primary key,
    started_at    timestamptz not null,
    users         bigint not null, -- that there were
    upto_id       bigint not null, -- the last of them
    cursor_id     bigint not null default 0, -- users up to here are done
    checked       bigint not null default 0, -- users
    repaired      bigint not null default 0, -- memberships and due instants
    lease         uuid, -- of the process that is at it
    leased_until  timestamptz,
    finished_at   timestamptz
);
create unique index reconciliations_unfinished on bucketgen.reconciliations ((true)) where finished_at is null;
