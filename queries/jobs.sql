-- name: JobsBegin :one
-- Begins a job, unless an equal one is unfinished, which is returned, or too many are: then there
-- is no row.
with equal as (
    select j.no from bucketgen.jobs j
    where j.finished_at is null and not j.cancelled and j.kind = @kind and j.params = @params
        and j.fingerprint is not distinct from sqlc.narg('fingerprint')
    order by j.no
    limit 1
), begun as (
    insert into bucketgen.jobs (kind, params, fingerprint, by_name, created_at)
    select @kind, @params, sqlc.narg('fingerprint'), @by_name, @now
    where not exists (select from equal) and (select count(*) from bucketgen.jobs j where j.finished_at is null) < @most::bigint
    returning no
)
select e.no from equal e union all select b.no from begun b;

-- name: JobsGet :one
select j.no, j.kind, j.params, j.by_name, j.state, j.created_at, j.started_at, j.finished_at, j.attempts, j.cancelled, j.done, j.total,
    j.error, j.result
from bucketgen.jobs j
where j.no = @no;

-- name: JobsList :many
-- The last jobs without their results, the newest first.
select j.no, j.kind, j.params, j.by_name, j.state, j.created_at, j.started_at, j.finished_at, j.attempts, j.cancelled, j.done, j.total, j.error
from bucketgen.jobs j
where (@before_no::bigint = 0 or j.no < @before_no)
order by j.no desc
limit @size::integer;

-- name: JobsClaim :one
-- Takes the oldest job that no living process works on. Rows that another process takes at the
-- moment are passed over.
update bucketgen.jobs j
set state = 'running', lease = @lease, leased_until = @until, started_at = @now, attempts = j.attempts + 1, done = 0, total = 0
where j.no = (
    select k.no from bucketgen.jobs k
    where k.finished_at is null and (k.fingerprint is null or k.fingerprint = @fingerprint::text)
        and (k.leased_until is null or k.leased_until <= @now)
    order by k.no
    limit 1
    for update skip locked
)
returning j.no, j.kind, j.params, j.by_name, j.attempts, j.cancelled;

-- name: JobsRenew :one
-- Keeps a job and reports how far it is. There is no row if another process has it.
update bucketgen.jobs j
set leased_until = @until, done = @done, total = @total
where j.no = @no and j.lease = @lease and j.finished_at is null
returning j.cancelled;

-- name: JobsRelease :exec
-- Gives a job back: because the process stops, which is no attempt, or to try it again.
update bucketgen.jobs j
set state = 'waiting', lease = null, leased_until = null, attempts = j.attempts - @refund::integer, started_at = null, done = 0, total = 0
where j.no = @no and j.lease = @lease and j.finished_at is null;

-- name: JobsFinish :execrows
update bucketgen.jobs j
set state = @state, finished_at = @now, lease = null, leased_until = null, error = sqlc.narg('error'), result = sqlc.narg('result'),
    done = @done, total = @total
where j.no = @no and j.lease = @lease and j.finished_at is null;

-- name: JobsCancel :execrows
-- Cancels a job: at once if no process works on it.
update bucketgen.jobs j
set cancelled = true,
    state = case when j.lease is null then 'cancelled' else j.state end,
    finished_at = case when j.lease is null then @now::timestamptz end
where j.no = @no and j.finished_at is null;

-- name: JobsForget :exec
with old as (
    delete from bucketgen.jobs j where j.finished_at <= @before returning j.no
)
delete from bucketgen.job_users u using old where u.job_no = old.no;

-- name: JobUsersAdd :exec
insert into bucketgen.job_users (job_no, list, bucket_id, place, user_id)
select @job_no, @list, @bucket_id, u.place, u.user_id
from unnest(@user_ids::text[]) with ordinality as u (user_id, place);

-- name: JobUsersPage :many
select u.place, u.user_id
from bucketgen.job_users u
where u.job_no = @job_no and u.list = @list and u.bucket_id = @bucket_id and u.place > @after_place::integer
order by u.place
limit @size::integer;

-- name: StaysLengths :one
-- The lengths of the stays in a bucket that ended in a time, in microseconds, with the median and
-- the length that nine of ten do not exceed. Stays of deleted users count: they have ended.
select count(*)::bigint as ended, coalesce(avg(l.length), 0)::float8 as mean,
    coalesce(percentile_disc(0.5) within group (order by l.length), 0)::bigint as median,
    coalesce(percentile_disc(0.9) within group (order by l.length), 0)::bigint as p90
from (
    select (extract(epoch from m.left_at - m.entered_at) * 1000000)::bigint as length
    from bucketgen.memberships m
    where m.bucket_no = @bucket_no and m.left_at >= @since and m.left_at < @until
) l;

-- name: StaysHistogram :many
-- How many of those stays are shorter than each bound, and not shorter than the one before.
select width_bucket(l.length, @bounds::bigint[])::integer as place, count(*)::bigint as stays
from (
    select (extract(epoch from m.left_at - m.entered_at) * 1000000)::bigint as length
    from bucketgen.memberships m
    where m.bucket_no = @bucket_no and m.left_at >= @since and m.left_at < @until
) l
group by 1
order by 1;

-- name: StaysOverlap :many
-- How many members of a bucket are in each of the other buckets that have most of them. With a
-- sample, of a part of the users: consecutive ids spread evenly over the remainders.
with mine as (
    select m.contact_id
    from bucketgen.memberships m
    join bucketgen.contacts c on c.id = m.contact_id
    where m.bucket_no = @bucket_no and m.left_at is null and c.deleted_at is null
        and mod(mod(m.contact_id, 1000003) * 2654435761, 10000) < @per_myriad::bigint
)
select b.id, count(*)::bigint as both
from mine
join bucketgen.memberships o on o.contact_id = mine.contact_id
join bucketgen.buckets b on b.no = o.bucket_no
where o.left_at is null and o.bucket_no <> @bucket_no
group by b.id
order by 2 desc, b.id
limit @size::integer;

-- name: StaysSizes :many
-- The members of some buckets, counted in the same sample.
select b.id, count(*)::bigint as members
from bucketgen.memberships m
join bucketgen.buckets b on b.no = m.bucket_no
join bucketgen.contacts c on c.id = m.contact_id
where b.id = any(@bucket_ids::text[]) and m.left_at is null and c.deleted_at is null
    and mod(mod(m.contact_id, 1000003) * 2654435761, 10000) < @per_myriad::bigint
group by b.id;

-- name: StaysSets :many
-- How many users are in exactly which of some buckets: a bit for each of them.
select s.mask::bigint as mask, count(*)::bigint as users
from (
    select bit_or(1::bigint << (array_position(@bucket_ids::text[], b.id) - 1)) as mask
    from bucketgen.memberships m
    join bucketgen.buckets b on b.no = m.bucket_no
    join bucketgen.contacts c on c.id = m.contact_id
    where b.id = any(@bucket_ids::text[]) and m.left_at is null and c.deleted_at is null
        and mod(mod(m.contact_id, 1000003) * 2654435761, 10000) < @per_myriad::bigint
    group by m.contact_id
) s
group by s.mask
order by 2 desc, 1;

-- name: StaysLeftFor :many
-- Of the stays in a bucket that ended in a time: how many of their users entered another bucket
-- within a span afterwards. The bucket without an id stands for all that ended.
with ended as (
    select m.contact_id, m.left_at as at
    from bucketgen.memberships m
    where m.bucket_no = @bucket_no and m.left_at >= @since and m.left_at < @until
)
select ''::text as id, count(*)::bigint as stays from ended
union all
(select b.id, count(distinct (e.contact_id, e.at))::bigint
from ended e
join bucketgen.memberships o on o.contact_id = e.contact_id and o.bucket_no <> @bucket_no
    and o.entered_at >= e.at and o.entered_at <= e.at + make_interval(secs => @within::float8)
join bucketgen.buckets b on b.no = o.bucket_no
group by b.id
order by 2 desc, 1
limit @size::integer);

-- name: StaysCameFrom :many
-- As StaysLeftFor: of the stays that began, the buckets that their users left within a span before.
with begun as (
    select m.contact_id, m.entered_at as at
    from bucketgen.memberships m
    where m.bucket_no = @bucket_no and m.entered_at >= @since and m.entered_at < @until
)
select ''::text as id, count(*)::bigint as stays from begun
union all
(select b.id, count(distinct (e.contact_id, e.at))::bigint
from begun e
join bucketgen.memberships o on o.contact_id = e.contact_id and o.bucket_no <> @bucket_no
    and o.left_at <= e.at and o.left_at >= e.at - make_interval(secs => @within::float8)
join bucketgen.buckets b on b.no = o.bucket_no
group by b.id
order by 2 desc, 1
limit @size::integer);
