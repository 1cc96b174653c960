-- name: DeliveriesClaim :many
-- Leases the deliveries that may go out now: of each subscription, user and bucket only the oldest that waits, so that
-- they arrive in order. A lease is no lock: nothing is held while the delivery is made.
with heads as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from bucketgen.deliveries d
    where d.state = 'waiting'
        and d.subscription_no = any (@subscription_nos::integer[])
        and d.next_at <= @now
        and (d.leased_until is null or d.leased_until <= @now)
        and not exists (
            select
            from bucketgen.deliveries e
            where e.contact_id = d.contact_id and e.subscription_no = d.subscription_no and e.bucket_no = d.bucket_no
                and e.id < d.id and e.state = 'waiting'
        )
    order by d.next_at, d.id
    limit @most::integer
    for update skip locked
), leased as (
    update bucketgen.deliveries d
    set leased_until = @until, lease = @lease, attempts = d.attempts + 1
    from heads h
    where d.contact_id = h.contact_id and d.subscription_no = h.subscription_no and d.bucket_no = h.bucket_no and d.id = h.id
    returning d.contact_id, d.subscription_no, d.bucket_no, d.id, d.transition_id, d.attempts, d.replayed
)
select l.contact_id, l.subscription_no, l.bucket_no, l.id, l.attempts, l.replayed, c.user_id, c.email, sqlc.embed(t)
from leased l
join bucketgen.contacts c on c.id = l.contact_id
join bucketgen.transitions t on t.contact_id = l.contact_id and t.id = l.transition_id
order by l.id;

-- name: DeliveriesExtend :exec
-- Keeps leases whose deliveries take longer.
update bucketgen.deliveries d
set leased_until = @until
where d.lease = @lease and d.id = any (@ids::bigint[]) and d.contact_id = any (@contact_ids::bigint[]);

-- name: DeliveriesDone :exec
delete from bucketgen.deliveries d
using (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
        unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id
) as x
where d.contact_id = x.contact_id and d.subscription_no = x.subscription_no and d.bucket_no = x.bucket_no and d.id = x.id
    and d.lease = @lease;

-- name: DeliveriesFail :exec
-- Puts a delivery off, or gives it up.
update bucketgen.deliveries d
set state = x.state, next_at = x.next_at, error = x.error, leased_until = null, lease = null
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
        unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id,
        unnest(@states::text[]) as state, unnest(@next_at::timestamptz[]) as next_at,
        unnest(@errors::text[]) as error
) as x
where d.contact_id = x.contact_id and d.subscription_no = x.subscription_no and d.bucket_no = x.bucket_no and d.id = x.id
    and d.lease = @lease;

-- name: DeliveriesNext :one
-- When the next delivery of those subscriptions may go out, or no row.
select d.next_at
from bucketgen.deliveries d
where d.state = 'waiting' and d.subscription_no = any (@subscription_nos::integer[])
order by d.next_at
limit 1;

-- name: DeliveriesDead :many
-- What was given up, the oldest first.
select d.id, s.name as subscription, c.user_id, c.email, d.attempts, d.error, sqlc.embed(t)
from bucketgen.deliveries d
join bucketgen.subscriptions s on s.no = d.subscription_no
join bucketgen.contacts c on c.id = d.contact_id
join bucketgen.transitions t on t.contact_id = d.contact_id and t.id = d.transition_id
where d.state = 'dead' and d.id > @after_id
order by d.id
limit @size::integer;

-- name: DeliveriesReplay :execrows
-- Lets deliveries that were given up go out again, marked as replayed. They come after what has gone out since.
with revived as (
    delete from bucketgen.deliveries d
    where d.state = 'dead' and (@ids::bigint[] is null or d.id = any (@ids))
    returning d.contact_id, d.subscription_no, d.bucket_no, d.transition_id, d.id
)
insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at, replayed)
select r.contact_id, r.subscription_no, r.bucket_no, r.transition_id, @now, true
from revived r
order by r.id;
