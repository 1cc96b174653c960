-- name: BucketsRegister :many
-- The numbers of buckets, given to those that have none yet.
insert into bucketgen.buckets (id, name)
select unnest(@ids::text[]) as id, unnest(@names::text[])
order by 1
on conflict (id) do update set name = excluded.name
returning no, id;

-- name: BucketsNumbers :many
select b.no, b.id from bucketgen.buckets b where b.id = any (@ids::text[]);

-- name: BucketsAll :many
-- Whatever was ever defined.
select b.no, b.id, b.name, b.fingerprint from bucketgen.buckets b order by b.id;
