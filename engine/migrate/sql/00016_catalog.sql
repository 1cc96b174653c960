-- +goose Up

-- How many event names were created that no definition declares, hour by hour: engine.Config.NewEventNames bounds those of a day. Rows
-- older than that are removed by the next creation. Number 0 counts for all engines, whose creations take turns by its lock. A
-- caller's own transaction may last, so it has a row under its own number and takes no lock of others.
create table bucketgen.event_name_counts (
    hour     timestamptz not null,
    writer   bigint not null, -- 0: the engines; else the transaction
    created  integer not null,
    primary key (hour, writer)
);

-- What arrives: event names, fields of their payloads, and properties of users, each with the types of its values. Engines add to it
-- every few seconds. The number of rows is bounded by engine.Config.CatalogRows, but for what definitions declare.
create table bucketgen.catalog (
    kind        text not null, -- event, field or property
    event       text collate "C" not null, -- of an event or field; else empty
    name        text collate "C" not null, -- of a field or property; else empty
    type        text not null, -- of the values of a field or property; else empty
    declared    boolean not null, -- by the definitions of the engine that counted last; such rows stay
    count       bigint not null, -- of a sampled row: an estimate
    sampled     boolean not null,
    first_seen  timestamptz not null,
    last_seen   timestamptz not null,
    primary key (kind, event, name, type)
);
