-- +goose Up

-- Where transitions are posted to, by whichever engines run. What is to be posted waits in the outbox, for the subscription
-- webhook:<no>, or for one of webhook:<no>:<bucket> for each of the endpoint's buckets.
create table bucketgen.endpoints (
    no               integer not null generated always as identity primary key,
    name             text not null unique,
    url              text not null,
    buckets          text[] not null, -- their ids; empty: all
    kinds            text[] not null,
    created_at       timestamptz not null,
    disabled_at      timestamptz,
    disabled_reason  text
);

-- What webhooks are signed with: by every secret that is still good, so that a receiver may change from one to the next at
-- any time. They are not hashed, because who signs needs them.
create table bucketgen.endpoint_secrets (
    endpoint_no  integer not null,
    id           bigint not null generated always as identity,
    secret       text not null,
    created_at   timestamptz not null,
    ends_at      timestamptz, -- null: there is none that follows it
    primary key (endpoint_no, id)
);
