-- +goose Up

-- By what programs are let in. Of a key only the hash is kept: it is long and random, so that nobody finds it by trying.
create table bucketgen.keys (
    no          integer not null generated always as identity primary key,
    name        text not null,
    kind        text not null check (kind in ('write', 'admin')),
    hash        bytea not null unique, -- SHA-256
    rate        integer, -- events a second; null: as many as there is room for
    created_at  timestamptz not null,
    revoked_at  timestamptz
);
