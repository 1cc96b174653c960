-- name: SizeChangesAdd :exec
-- Notes that users disappear from their buckets, or appear in them, without a transition. A
-- deletion calls it after its transaction has ended stays, a restoration before.
insert into bucketgen.size_changes (contact_id, bucket_no, members)
select m.contact_id, m.bucket_no, @members::integer
from (select unnest(@contact_ids::bigint[]) as contact_id) w
cross join lateral (
    select k.contact_id, k.bucket_no from bucketgen.memberships k where k.contact_id = w.contact_id and k.left_at is null offset 0
) m;

-- name: SizesTake :one
-- Moves changes into sizes, up to a number, and returns how many there were. Its caller holds the
-- lock of the rollup.
with taken as (
    delete from bucketgen.size_changes c
    using (
        select n.contact_id, n.bucket_no, n.id from bucketgen.size_changes n order by n.contact_id, n.bucket_no, n.id limit @most::integer
    ) f
    where c.contact_id = f.contact_id and c.bucket_no = f.bucket_no and c.id = f.id
    returning c.bucket_no, c.members
), added as (
    insert into bucketgen.sizes as s (bucket_no, members)
    select t.bucket_no, sum(t.members) from taken t group by 1 order by 1
    on conflict (bucket_no) do update set members = s.members + excluded.members
)
select count(*) from taken;

-- name: SizesNow :many
-- Every bucket that was ever defined, with its members, what is deployed of it, and what happened
-- to it since an instant, which is the beginning of an hour. Members are kept: what is not in sizes
-- yet is read from the log and from size_changes. Of what is overdue it counts the oldest. It is
-- one statement, so that all of it is of one moment.
with late as (
    select t.bucket_no, t.kind, t.at
    from bucketgen.transitions t
    where t.id > (select d.up_to from bucketgen.rollup_progress d) and t.kind in ('entered', 'left')
), unsized as (
    select u.bucket_no, sum(u.members) as members
    from (
        select l.bucket_no, case when l.kind = 'entered' then 1 else -1 end as members from late l
        union all
        select c.bucket_no, c.members from bucketgen.size_changes c
    ) u
    group by 1
), flows as (
    select f.bucket_no, sum(f.entered) as entered, sum(f."left") as "left"
    from (
        select h.bucket_no, h.entered, h."left" from bucketgen.rollups h where h.hour >= @since
        union all
        select l.bucket_no, (l.kind = 'entered')::integer, (l.kind = 'left')::integer from late l where l.at >= @since
    ) f
    group by 1
), due as (
    select o.bucket_no, count(*) as users, min(o.due_at) as oldest
    from (select d.bucket_no, d.due_at from bucketgen.due d where d.due_at < @now order by d.due_at limit @most_overdue::integer) o
    group by 1
)
select b.no, b.id, b.name, b.fingerprint, (b.paused_at is not null)::boolean as paused,
    (coalesce(s.members, 0) + coalesce(unsized.members, 0))::bigint as members,
    coalesce(flows.entered, 0)::bigint as entered, coalesce(flows."left", 0)::bigint as "left",
    coalesce(due.users, 0)::bigint as overdue,
    coalesce(p.followed, 0)::bigint as followed, coalesce(p.contacts, -1)::bigint as contacts, (select count(*) from late)::bigint as untallied
from bucketgen.buckets b
left join bucketgen.sizes s on s.bucket_no = b.no
left join unsized on unsized.bucket_no = b.no
left join flows on flows.bucket_no = b.no
left join due on due.bucket_no = b.no
left join bucketgen.deployments f on f.no = b.since_no and f.finished_at is null and f.contacts > 0
left join lateral ( -- the newest deployment that users follow stands for all
    select d.followed, d.contacts from bucketgen.deployments d where f.no is not null and d.finished_at is null order by d.no desc limit 1
) p on true
order by b.id;

-- name: SizesTrend :many
-- By how much the sizes of some buckets changed in each day of UTC, from the beginning of one on.
-- Deleted and erased users are no members from then on.
select s.bucket_no, date_bin('1 day', s.at, '2000-01-01T00:00:00Z')::timestamptz as day, sum(s.members)::bigint as members
from (
    select h.bucket_no, h.hour as at, h.entered - h."left" - h.erased as members
    from (select unnest(@bucket_nos::integer[]) as bucket_no) w
    cross join lateral (
        select * from bucketgen.rollups k where k.bucket_no = w.bucket_no and k.hour >= @since::timestamptz offset 0
    ) h
    union all
    select t.bucket_no, t.at, case when t.kind = 'entered' then 1 else -1 end
    from bucketgen.transitions t
    where t.id > (select d.up_to from bucketgen.rollup_progress d) and t.bucket_no = any (@bucket_nos) and t.kind in ('entered', 'left') and t.at >= @since
    union all
    select m.bucket_no, c.deleted_at, -1
    from bucketgen.contacts c
    cross join lateral (
        select k.bucket_no from bucketgen.memberships k where k.contact_id = c.id and k.left_at is null offset 0
    ) m
    where c.deleted_at >= @since and m.bucket_no = any (@bucket_nos)
) s
group by 1, 2;

-- name: SummaryNow :one
-- What waits. It counts up to a number of rows.
with overdue as (
    select d.due_at from bucketgen.due d
    where d.due_at < @now::timestamptz and (d.bucket_no in (select unnest(@bucket_nos::integer[]))) is true
    order by d.due_at
    limit @most::integer
), waiting as (
    select d.id from bucketgen.deliveries d where d.state = 'waiting' limit @most
), dead as (
    select d.id from bucketgen.deliveries d where d.state = 'dead' limit @most
), heads as (
    select h.next_at
    from bucketgen.subscriptions s
    cross join lateral (
        select * from bucketgen.deliveries d
        where d.subscription_no = s.no and d.state = 'waiting' and not d.behind and d.paused_no is null
        order by d.next_at
        limit 1
    ) h
)
select (select count(*) from overdue)::bigint as overdue, (select min(o.due_at) from overdue o)::timestamptz as due_at,
    (select count(*) from waiting)::bigint as waiting, (select count(*) from dead)::bigint as dead,
    (select min(h.next_at) from heads h)::timestamptz as next_at;
