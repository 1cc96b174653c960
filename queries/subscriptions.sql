-- name: SubscriptionsRegister :one
-- Makes a subscription, or changes the one of that name. What it already has in the outbox stays.
insert into bucketgen.subscriptions (name, bucket_no, kinds, first_only, reasons, tick)
values (@name, sqlc.narg('bucket_no'), @kinds::text[], @first_only, sqlc.narg('reasons')::text[], sqlc.narg('tick'))
on conflict (name) do update set bucket_no = excluded.bucket_no, kinds = excluded.kinds,
    first_only = excluded.first_only, reasons = excluded.reasons, tick = excluded.tick
returning no;

-- name: SubscriptionsNumber :one
select s.no from bucketgen.subscriptions s where s.name = @name;

-- name: SubscriptionsRemove :execrows
with gone as (
    delete from bucketgen.subscriptions s where s.name = @name returning s.no
), undelivered as (
    select k.contact_id, k.subscription_no, k.bucket_no, k.id
    from gone
    join bucketgen.deliveries k on k.subscription_no = gone.no
    order by k.id
    for update of k
), removed as (
    delete from bucketgen.deliveries d
    using undelivered u
    where d.contact_id = u.contact_id and d.subscription_no = u.subscription_no and d.bucket_no = u.bucket_no and d.id = u.id
)
select no from gone;

-- name: SubscriptionsAll :many
select s.no, s.name, s.bucket_no, s.kinds, s.first_only, s.reasons, s.tick from bucketgen.subscriptions s order by s.name;

-- name: SubscriptionsPage :many
-- Subscriptions by name: all, or those to a bucket and to all buckets.
select s.no, s.name, b.id as bucket_id, s.kinds, s.first_only, s.reasons, s.tick
from bucketgen.subscriptions s
left join bucketgen.buckets b on b.no = s.bucket_no
where s.name > @after_name and (@bucket_no::integer = 0 or s.bucket_no is null or s.bucket_no = @bucket_no)
order by s.name
limit @size::integer;
