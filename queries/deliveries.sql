-- name: DeliveriesClaim :many
-- Leases the deliveries that may go out now: of each subscription, user and bucket only the oldest that waits, so that
-- they arrive in order. A lease is no lock: nothing is held while the delivery is made. None is leased if something was
-- deployed, paused or resumed of which the caller has not heard.
with heads as (
    select h.contact_id, h.subscription_no, h.bucket_no, h.id
    from (select unnest(@subscription_nos::integer[]) as no from bucketgen.generation g where g.no = @generation_no) s
    cross join lateral (
        select d.contact_id, d.subscription_no, d.bucket_no, d.id, d.next_at
        from bucketgen.deliveries d
        left join lateral (
            select e.id
            from bucketgen.deliveries e
            where e.contact_id = d.contact_id and e.subscription_no = d.subscription_no and e.bucket_no = d.bucket_no
                and e.id < d.id and e.state = 'waiting'
            limit 1
        ) earlier on true
        where d.state = 'waiting' and d.subscription_no = s.no and d.next_at <= @now
            and d.bucket_no <> all (@paused_nos::integer[])
            and (d.leased_until is null or d.leased_until <= @now)
            and earlier.id is null
        order by d.next_at, d.id
        limit 100 -- known to the planner, which a parameter is not
        for update of d skip locked
    ) h
    order by h.next_at, h.id
    limit @most::integer
), leased as (
    update bucketgen.deliveries d
    set leased_until = @until, lease = @lease, attempts = d.attempts + 1
    where (d.contact_id, d.subscription_no, d.bucket_no, d.id) in (
        select h.contact_id, h.subscription_no, h.bucket_no, h.id from heads h limit 100
    )
    returning d.contact_id, d.subscription_no, d.bucket_no, d.id, d.transition_id, d.attempts, d.replayed
)
select l.contact_id, l.subscription_no, l.bucket_no, l.id, l.attempts, l.replayed, c.user_id, c.email,
    b.id as bucket_id, b.name as bucket_name, sqlc.embed(t)
from leased l
join bucketgen.contacts c on c.id = l.contact_id
join bucketgen.buckets b on b.no = l.bucket_no
join bucketgen.transitions t on t.contact_id = l.contact_id and t.id = l.transition_id
order by l.id;

-- name: DeliveriesExtend :exec
-- Keeps leases whose deliveries take longer. One that is locked is being settled, or was lost to another process: it is
-- passed over, so that this never waits.
with mine as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@ids::bigint[]) as id) x
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = x.contact_id and k.id = x.id and k.lease = @lease
        limit 1
        for update skip locked
    ) d
)
update bucketgen.deliveries d
set leased_until = @until
from mine
where d.contact_id = mine.contact_id and d.subscription_no = mine.subscription_no and d.bucket_no = mine.bucket_no
    and d.id = mine.id;

-- name: DeliveriesDone :exec
-- Of several deliveries, the one with the smaller id is locked first, here and wherever else anybody waits for one: so
-- nobody waits in a circle.
with mine as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from (
        select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
            unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id
        order by 4
    ) as x
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = x.contact_id and k.subscription_no = x.subscription_no and k.bucket_no = x.bucket_no
            and k.id = x.id and k.lease = @lease
        limit 1
        for update
    ) d
)
delete from bucketgen.deliveries d
using mine
where d.contact_id = mine.contact_id and d.subscription_no = mine.subscription_no and d.bucket_no = mine.bucket_no
    and d.id = mine.id;

-- name: DeliveriesFail :exec
-- Puts deliveries off, or gives them up. Those that wait behind one that is put off are put off with it, so that nobody
-- looks at them in vain.
with mine as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id, x.state, x.next_at, x.error
    from (
        select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
            unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id,
            unnest(@states::text[]) as state, unnest(@next_at::timestamptz[]) as next_at,
            unnest(@errors::text[]) as error
        order by 4
    ) as x
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = x.contact_id and k.subscription_no = x.subscription_no and k.bucket_no = x.bucket_no
            and k.id = x.id and k.lease = @lease
        limit 1
        for update
    ) d
), failed as (
    update bucketgen.deliveries d
    set state = mine.state, next_at = mine.next_at, error = mine.error, leased_until = null, lease = null
    from mine
    where d.contact_id = mine.contact_id and d.subscription_no = mine.subscription_no and d.bucket_no = mine.bucket_no
        and d.id = mine.id
    returning d.contact_id, d.subscription_no, d.bucket_no, d.id, d.state, d.next_at
)
update bucketgen.deliveries d
set next_at = f.next_at
from failed f
where d.contact_id = f.contact_id and d.subscription_no = f.subscription_no and d.bucket_no = f.bucket_no and d.id > f.id
    and d.state = 'waiting' and f.state = 'waiting' and d.next_at < f.next_at;

-- name: DeliveriesReturn :exec
-- Gives back deliveries that were leased and not made, as if they had not been leased.
with mine as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from (
        select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
            unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id
        order by 4
    ) as x
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = x.contact_id and k.subscription_no = x.subscription_no and k.bucket_no = x.bucket_no
            and k.id = x.id and k.lease = @lease
        limit 1
        for update
    ) d
)
update bucketgen.deliveries d
set leased_until = null, lease = null, attempts = d.attempts - 1
from mine
where d.contact_id = mine.contact_id and d.subscription_no = mine.subscription_no and d.bucket_no = mine.bucket_no
    and d.id = mine.id;

-- name: DeliveriesDead :many
-- What was given up, the oldest first.
select d.id, s.name as subscription, b.id as bucket_id, b.name as bucket_name, c.user_id, c.email, d.attempts, d.error,
    sqlc.embed(t)
from bucketgen.deliveries d
join bucketgen.subscriptions s on s.no = d.subscription_no
join bucketgen.buckets b on b.no = d.bucket_no
join bucketgen.contacts c on c.id = d.contact_id
join bucketgen.transitions t on t.contact_id = d.contact_id and t.id = d.transition_id
where d.state = 'dead' and d.id > @after_id
    and (@subscriptions::text[] is null or s.name = any (@subscriptions))
order by d.id
limit @size::integer;

-- name: DeliveriesReplay :execrows
-- Lets deliveries that were given up go out again, marked as replayed. They come after what has gone out since.
with dead as (
    select k.contact_id, k.subscription_no, k.bucket_no, k.id
    from bucketgen.deliveries k
    where k.state = 'dead' and (@ids::bigint[] is null or k.id = any (@ids))
    order by k.id
    for update
), revived as (
    delete from bucketgen.deliveries d
    using dead
    where d.contact_id = dead.contact_id and d.subscription_no = dead.subscription_no and d.bucket_no = dead.bucket_no
        and d.id = dead.id
    returning d.contact_id, d.subscription_no, d.bucket_no, d.transition_id, d.id
)
insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at, replayed)
select r.contact_id, r.subscription_no, r.bucket_no, r.transition_id, @now, true
from revived r
order by r.id;

-- name: DeliveriesHurry :exec
-- Lets what was put off go out now.
with late as (
    select k.contact_id, k.subscription_no, k.bucket_no, k.id
    from bucketgen.deliveries k
    join bucketgen.subscriptions s on s.no = k.subscription_no
    where s.name = any (@subscriptions::text[]) and k.state = 'waiting' and k.next_at > @now
    order by k.id
    for update of k
)
update bucketgen.deliveries d
set next_at = @now
from late
where d.contact_id = late.contact_id and d.subscription_no = late.subscription_no and d.bucket_no = late.bucket_no
    and d.id = late.id;

-- name: DeliveriesBacklog :many
-- What waits for each subscription. The time that it takes grows with what waits, which is little where all is well.
select s.name, b.id as bucket_id, count(d.id) filter (where d.state = 'waiting') as waiting,
    count(d.id) filter (where d.state = 'dead') as dead,
    min(t.decided_at) filter (where d.state = 'waiting')::timestamptz as oldest
from bucketgen.subscriptions s
left join bucketgen.buckets b on b.no = s.bucket_no
left join bucketgen.deliveries d on d.subscription_no = s.no
left join bucketgen.transitions t on t.contact_id = d.contact_id and t.id = d.transition_id
group by s.no, b.id
order by s.name;
