-- name: DeliveriesClaim :many
-- Leases the deliveries that may go out now: of each subscription, user and bucket only the oldest
-- that waits, so that they arrive in order. A lease is not a lock: the row is not locked while the
-- delivery is made. It leases none if the caller does not know the last deployment.
--
-- Of each subscription it reads at most its share, in the order of the index of what may go out.
-- What turns out to be behind an earlier delivery, or of a paused bucket, is marked and leaves that
-- index, so that no later claim reads it; it is returned as not taken. Two rules make the marks
-- exact. First, a delivery is marked as behind only under a lock of the earlier one, and who
-- removes that one has locked it before, and then takes the mark away by a later statement
-- (DeliveriesPromote). Second, it is marked as paused only under a lock of the generation, and what
-- was marked as of an earlier generation is read again. Nothing here waits for a lock.
--
-- A head is locked and leased by its ctid, which saves two index lookups. If another transaction
-- changes the head in between, the ctid is out of date, and the head is left to a later claim.
--
-- Leases go by the clock of the database, unless time is virtual; next_at goes by the clock of the
-- processes.
with asked as (
    select s.no, coalesce(s.share, 100) as share, case when @virtual::boolean then @now::timestamptz else clock_timestamp() end as moment
    from (select unnest(@subscription_nos::integer[]) as no, unnest(@shares::integer[]) as share) s
    where exists (select from bucketgen.generation g where g.no = @generation_no)
), found as (
    select d.place, d.contact_id, d.subscription_no, d.bucket_no, d.id, d.next_at, s.moment, e.id as earlier_id,
        d.bucket_no = any (@paused_nos::integer[]) as paused
    from asked s
    cross join lateral (
        select k.ctid::tid as place, k.contact_id, k.subscription_no, k.bucket_no, k.id, k.next_at
        from bucketgen.deliveries k
        where k.state = 'waiting' and not k.behind and k.paused_no is null
            and k.subscription_no = s.no and k.next_at <= @now
            and (k.leased_until is null or k.leased_until <= s.moment)
        order by k.next_at, k.id
        limit s.share
    ) d
    left join lateral (
        select p.id
        from bucketgen.deliveries p
        where p.contact_id = d.contact_id and p.subscription_no = d.subscription_no and p.bucket_no = d.bucket_no
            and p.id < d.id and p.state = 'waiting'
        order by p.id desc
        limit 1
    ) e on true
), heads as (
    select k.place
    from (
        select * from found where found.earlier_id is null and not found.paused
        order by found.next_at, found.id
        limit @most::integer
    ) f
    cross join lateral (
        select d.ctid::tid as place from bucketgen.deliveries d
        where d.ctid = f.place and d.state = 'waiting'
            and (d.leased_until is null or d.leased_until <= f.moment)
        limit 1
        for update skip locked
    ) k
), leased as (
    update bucketgen.deliveries d
    set leased_until = case when @virtual then @now else clock_timestamp() end + (sqlc.arg(until)::timestamptz - sqlc.arg(now)::timestamptz), lease = @lease,
        attempts = d.attempts + 1, fence = nextval('bucketgen.fences')
    where d.ctid in (
        select h.place from heads h limit 256 -- known to the planner, which a parameter is not
    )
    returning d.contact_id, d.subscription_no, d.bucket_no, d.id, d.transition_id, d.attempts, d.replay, d.fence
), waiting as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from (select * from found where found.earlier_id is not null and not found.paused) f
    cross join lateral (
        select p.id from bucketgen.deliveries p
        where p.contact_id = f.contact_id and p.subscription_no = f.subscription_no and p.bucket_no = f.bucket_no
            and p.id = f.earlier_id and p.state = 'waiting'
        limit 1
        for share skip locked
    ) earlier
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = f.contact_id and k.subscription_no = f.subscription_no and k.bucket_no = f.bucket_no
            and k.id = f.id and k.state = 'waiting' and k.lease is null
        limit 1
        for update skip locked
    ) d
), stopped as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from (select * from found where found.paused) f
    cross join lateral (
        select g.no from bucketgen.generation g where g.no = @generation_no and f.paused limit 1 for share skip locked
    ) same
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = f.contact_id and k.subscription_no = f.subscription_no and k.bucket_no = f.bucket_no
            and k.id = f.id and k.state = 'waiting'
        limit 1
        for update skip locked
    ) d
), resumed as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from asked s
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.subscription_no = s.no and k.paused_no is not null and k.paused_no < @generation_no
        order by k.paused_no
        limit s.share
        for update skip locked
    ) d
), marked as (
    update bucketgen.deliveries d
    set behind = m.behind, paused_no = m.paused_no
    from (select * from (
        select w.contact_id, w.subscription_no, w.bucket_no, w.id, true as behind, null::integer as paused_no from waiting w
        union all
        select p.contact_id, p.subscription_no, p.bucket_no, p.id, false, @generation_no from stopped p
        union all
        select r.contact_id, r.subscription_no, r.bucket_no, r.id, false, null from resumed r
    ) all_of_them limit 256) m -- as above
    where d.contact_id = m.contact_id and d.subscription_no = m.subscription_no and d.bucket_no = m.bucket_no and d.id = m.id
    returning d.contact_id, d.subscription_no, d.bucket_no, d.id, d.transition_id, d.attempts, d.replay, d.fence
)
select l.contact_id, l.subscription_no, l.bucket_no, l.id, l.attempts, l.replay, l.fence, l.taken,
    coalesce(c.user_id, '')::text as user_id, c.email, coalesce(b.id, '')::text as bucket_id, coalesce(b.name, '')::text as bucket_name, sqlc.embed(t)
from (
    select *, true as taken from leased
    union all
    select *, false from marked
) l
left join bucketgen.contacts c on c.id = l.contact_id -- a notice may have none, and has no bucket
left join bucketgen.buckets b on b.no = l.bucket_no
join bucketgen.transitions t on t.contact_id = l.contact_id and t.id = l.transition_id
order by l.id;
-- name: DeliveriesExtend :many
-- Extends leases whose deliveries take longer, and returns the deliveries whose lease it extended.
-- It skips a locked one, which is being completed or was lost to another process, so that it never
-- waits.
with mine as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from (
        select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
            unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id
    ) x
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = x.contact_id and k.subscription_no = x.subscription_no and k.bucket_no = x.bucket_no
            and k.id = x.id and k.lease = @lease
        limit 1
        for update skip locked
    ) d
)
update bucketgen.deliveries d
set leased_until = case when @virtual::boolean then @now::timestamptz else clock_timestamp() end
    + (sqlc.arg(until)::timestamptz - sqlc.arg(now)::timestamptz)
from mine
where d.contact_id = mine.contact_id and d.subscription_no = mine.subscription_no and d.bucket_no = mine.bucket_no
    and d.id = mine.id
returning d.id;

-- name: DeliveriesDone :exec
-- Every statement that waits for several deliveries locks them in the order of ids, so that none
-- waits in a circle: this one and the next go through a sorted list and find each delivery once.
-- To lock all by a CTE first would be to find each twice.
delete from bucketgen.deliveries d
using (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
        unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id
    order by 4
) x
where d.contact_id = x.contact_id and d.subscription_no = x.subscription_no and d.bucket_no = x.bucket_no
    and d.id = x.id and d.lease = @lease;

-- name: DeliveriesRelease :exec
-- Ends the leases of deliveries that were not made: each is postponed (waiting), given up (dead),
-- or returned as if it had not been leased. What waits behind a postponed one is not read before
-- that one is removed. It is apart from DeliveriesDone, which would be slower with this in it.
update bucketgen.deliveries d
set state = case when x.outcome = 'returned' then d.state else x.outcome end,
    next_at = case when x.outcome = 'returned' then d.next_at else x.next_at end,
    error = case when x.outcome = 'returned' then d.error else x.error end,
    attempts = d.attempts - case when x.outcome = 'returned' then 1 else 0 end,
    leased_until = null, lease = null
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
        unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id,
        unnest(@outcomes::text[]) as outcome, unnest(@next_at::timestamptz[]) as next_at, unnest(@errors::text[]) as error
    order by 4
) x
where d.contact_id = x.contact_id and d.subscription_no = x.subscription_no and d.bucket_no = x.bucket_no
    and d.id = x.id and d.lease = @lease;

-- name: DeliveriesPromote :exec
-- Releases what waits behind deliveries that were removed. It is a statement of its own after those
-- that lock and remove them. So it sees all marks that were made before the lock, and none can be
-- made after. Releasing the next one of each key is enough: the process that removes that one
-- releases the one behind it.
with next as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id, d.behind
    from (
        select n.contact_id, n.subscription_no, n.bucket_no, n.id
        from (
            select unnest(@contact_ids::bigint[]) as contact_id, unnest(@subscription_nos::integer[]) as subscription_no,
                unnest(@bucket_nos::integer[]) as bucket_no, unnest(@ids::bigint[]) as id
        ) as x
        cross join lateral (
            select * from bucketgen.deliveries k
            where k.contact_id = x.contact_id and k.subscription_no = x.subscription_no and k.bucket_no = x.bucket_no
                and k.id > x.id and k.state = 'waiting'
            order by k.id
            limit 1
        ) n
        where n.behind
        order by n.id
    ) o
    cross join lateral (
        select * from bucketgen.deliveries k
        where k.contact_id = o.contact_id and k.subscription_no = o.subscription_no and k.bucket_no = o.bucket_no and k.id = o.id
        limit 1
        for update
    ) d
)
update bucketgen.deliveries d
set behind = false
from next
where d.contact_id = next.contact_id and d.subscription_no = next.subscription_no and d.bucket_no = next.bucket_no
    and d.id = next.id;

-- name: DeliveriesDead :many
-- What was given up, the oldest first.
select d.id, s.name as subscription, coalesce(b.id, '')::text as bucket_id, coalesce(b.name, '')::text as bucket_name,
    coalesce(c.user_id, '')::text as user_id, c.email, d.attempts, d.error,
    sqlc.embed(t)
from bucketgen.deliveries d
join bucketgen.subscriptions s on s.no = d.subscription_no
left join bucketgen.buckets b on b.no = d.bucket_no
left join bucketgen.contacts c on c.id = d.contact_id
join bucketgen.transitions t on t.contact_id = d.contact_id and t.id = d.transition_id
where d.state = 'dead' and d.id > @after_id
    and (@subscriptions::text[] is null or s.name = any (@subscriptions))
    and (@bucket_id::text = '' or b.id = @bucket_id)
    and (@user_id::text = '' or c.user_id = @user_id)
    and (@error::text = '' or strpos(d.error, @error) > 0)
order by d.id
limit @size::integer;

-- name: DeliveriesDeadNewest :many
-- As DeliveriesDead, the newest first.
select d.id, s.name as subscription, coalesce(b.id, '')::text as bucket_id, coalesce(b.name, '')::text as bucket_name,
    coalesce(c.user_id, '')::text as user_id, c.email, d.attempts, d.error,
    sqlc.embed(t)
from bucketgen.deliveries d
join bucketgen.subscriptions s on s.no = d.subscription_no
left join bucketgen.buckets b on b.no = d.bucket_no
left join bucketgen.contacts c on c.id = d.contact_id
join bucketgen.transitions t on t.contact_id = d.contact_id and t.id = d.transition_id
where d.state = 'dead' and (@before_id::bigint = 0 or d.id < @before_id)
    and (@subscriptions::text[] is null or s.name = any (@subscriptions))
    and (@bucket_id::text = '' or b.id = @bucket_id)
    and (@user_id::text = '' or c.user_id = @user_id)
    and (@error::text = '' or strpos(d.error, @error) > 0)
order by d.id desc
limit @size::integer;

-- name: DeliveriesDeadIDs :many
-- The ids of what was given up, up to one.
select d.id
from bucketgen.deliveries d
join bucketgen.subscriptions s on s.no = d.subscription_no
left join bucketgen.buckets b on b.no = d.bucket_no
left join bucketgen.contacts c on c.id = d.contact_id
where d.state = 'dead' and d.id > @after_id and (@upto_id::bigint = 0 or d.id <= @upto_id)
    and (@subscriptions::text[] is null or s.name = any (@subscriptions))
    and (@bucket_id::text = '' or b.id = @bucket_id)
    and (@user_id::text = '' or c.user_id = @user_id)
    and (@error::text = '' or strpos(d.error, @error) > 0)
order by d.id
limit @size::integer;

-- name: DeliveriesDiscard :execrows
delete from bucketgen.deliveries d
using (
    select k.contact_id, k.subscription_no, k.bucket_no, k.id
    from bucketgen.deliveries k
    where k.state = 'dead' and k.id = any (@ids::bigint[])
    order by k.id
    for update
) dead
where d.contact_id = dead.contact_id and d.subscription_no = dead.subscription_no and d.bucket_no = dead.bucket_no
    and d.id = dead.id;

-- name: DeliveriesForget :execrows
-- Deletes what was given up long ago. Ids grow with time, so only the first of them are read.
delete from bucketgen.deliveries d
using (
    select k.contact_id, k.subscription_no, k.bucket_no, k.id, k.next_at
    from bucketgen.deliveries k
    where k.state = 'dead'
    order by k.id
    limit @most::integer
    for update skip locked
) first
where d.contact_id = first.contact_id and d.subscription_no = first.subscription_no and d.bucket_no = first.bucket_no
    and d.id = first.id and first.next_at < @before::timestamptz;

-- name: DeliveriesOf :many
-- What waits for a subscription, in the order in which it was put into the outbox.
select d.id, coalesce(b.id, '')::text as bucket_id, coalesce(b.name, '')::text as bucket_name,
    coalesce(c.user_id, '')::text as user_id, c.email, d.attempts, d.next_at, d.leased_until, d.behind,
    (d.paused_no is not null)::boolean as paused, d.replay, d.error, sqlc.embed(t)
from bucketgen.subscriptions s
join bucketgen.deliveries d on d.subscription_no = s.no
left join bucketgen.buckets b on b.no = d.bucket_no
left join bucketgen.contacts c on c.id = d.contact_id
join bucketgen.transitions t on t.contact_id = d.contact_id and t.id = d.transition_id
where s.name = @subscription and d.state = 'waiting' and d.id > @after_id
order by d.id
limit @size::integer;

-- name: DeliveriesReplay :execrows
-- Releases deliveries that were given up, marked as replayed. They come after what has gone out
-- since.
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
insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at, replay)
select r.contact_id, r.subscription_no, r.bucket_no, r.transition_id, @now, true
from revived r
order by r.id;

-- name: DeliveriesHurry :exec
-- Releases postponed deliveries now. A delivery that is behind another was never postponed.
with late as (
    select k.contact_id, k.subscription_no, k.bucket_no, k.id
    from bucketgen.deliveries k
    join bucketgen.subscriptions s on s.no = k.subscription_no
    where s.name = any (@subscriptions::text[]) and k.state = 'waiting' and not k.behind and k.paused_no is null and k.next_at > @now
    order by k.id
    for update of k
)
update bucketgen.deliveries d
set next_at = @now
from late
where d.contact_id = late.contact_id and d.subscription_no = late.subscription_no and d.bucket_no = late.bucket_no
    and d.id = late.id;

-- name: DeliveriesReady :one
-- How many deliveries can be made by now, or are being made: not those that are postponed or
-- paused, nor those behind them. Tests wait until there are none.
select count(*)
from bucketgen.deliveries d
cross join bucketgen.generation g
where d.state = 'waiting' and d.next_at <= @now and d.paused_no is distinct from g.no
    and not exists (
        select from bucketgen.deliveries p
        where p.contact_id = d.contact_id and p.subscription_no = d.subscription_no and p.bucket_no = d.bucket_no
            and p.id < d.id and p.state = 'waiting' and (p.next_at > @now or p.paused_no = g.no)
    );

-- name: DeliveriesBacklog :many
-- The number of waiting deliveries of each subscription. The time that it takes grows with that
-- number, which is usually small.
select s.name, b.id as bucket_id, count(d.id) filter (where d.state = 'waiting') as waiting,
    count(d.id) filter (where d.state = 'dead') as dead,
    min(t.decided_at) filter (where d.state = 'waiting')::timestamptz as oldest
from bucketgen.subscriptions s
left join bucketgen.buckets b on b.no = s.bucket_no
left join bucketgen.deliveries d on d.subscription_no = s.no
left join bucketgen.transitions t on t.contact_id = d.contact_id and t.id = d.transition_id
group by s.no, b.id
order by s.name;
