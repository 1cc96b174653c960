-- +goose Up

-- A server key does what a write key does, and may merge known users: its holder is the customer's own server.
alter table bucketgen.keys drop constraint keys_kind_check;
alter table bucketgen.keys add constraint keys_kind_check check (kind in ('write', 'server', 'read', 'admin'));
