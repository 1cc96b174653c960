-- +goose Up

-- A read key sees everything and changes nothing.
alter table bucketgen.keys drop constraint keys_kind_check;
alter table bucketgen.keys add constraint keys_kind_check check (kind in ('write', 'read', 'admin'));
