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
-- All buckets that were ever defined.
select b.* from bucketgen.buckets b order by b.id;

-- name: BucketsOf :many
-- The buckets that a user was ever in, including those that are no longer defined.
select b.*
from bucketgen.buckets b
where exists (select from bucketgen.memberships m where m.contact_id = @contact_id and m.bucket_no = b.no)
order by b.id;
