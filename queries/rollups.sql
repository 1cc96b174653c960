-- name: RollupProgressTake :one
-- How far the log is rolled up, locked. A second engine finds no row. What is next is complete if
-- all transactions that may have a part in it are over. A transaction number that the server has
-- not given yet is from another database server, of which this is a copy, and says nothing.
select t.up_to, t.known,
    t.before <= pg_snapshot_xmin(pg_current_snapshot()) as complete,
    t.before >= pg_snapshot_xmax(pg_current_snapshot()) as strange
from bucketgen.rollup_progress t
for update skip locked;

-- name: RollupProgressKnow :exec
-- Sets what is rolled up next. The id must have been read before this transaction got its number.
update bucketgen.rollup_progress t
set known = greatest(t.known, @known), before = pg_current_xact_id();

-- name: RollupProgressAdvance :exec
update bucketgen.rollup_progress t
set up_to = @up_to;

-- name: RollupProgressBehind :one
-- How many transitions are not added up yet, roughly.
select (coalesce((select max(t.id) from bucketgen.transitions t), 0) - d.up_to)::bigint
from bucketgen.rollup_progress d;

-- name: RollupsAdd :exec
-- Adds transitions to the hours in which they happened, and to the sizes of their buckets.
with added as (
    select t.bucket_no, date_bin('1 hour', t.at, '2000-01-01T00:00:00Z') as hour, count(*) filter (where t.kind = 'entered') as entered,
        count(*) filter (where t.kind = 'left') as "left", coalesce(sum(extract(epoch from t.at - m.entered_at) * 1000000), 0) as dwell
    from bucketgen.transitions t
    left join lateral ( -- one index lookup for each, whatever the planner estimates
        select e.entered_at from bucketgen.memberships e
        where t.kind = 'left' and e.contact_id = t.contact_id and e.bucket_no = t.bucket_no and e.entry_count = t.entry_count
        limit 1
    ) m on true
    where t.id > @after_id and t.id <= @up_to and t.kind in ('entered', 'left')
    group by 1, 2
), sized as (
    insert into bucketgen.sizes as s (bucket_no, members)
    select a.bucket_no, sum(a.entered) - sum(a."left") from added a group by 1 order by 1
    on conflict (bucket_no) do update set members = s.members + excluded.members
)
insert into bucketgen.rollups as h (bucket_no, hour, entered, "left", dwell)
select a.bucket_no, a.hour, a.entered, a."left", a.dwell from added a
order by 1, 2
on conflict (bucket_no, hour) do update
set entered = h.entered + excluded.entered, "left" = h."left" + excluded."left", dwell = h.dwell + excluded.dwell;

-- name: RollupsOf :many
-- The transitions of a bucket, counted in steps of time. All that was before one of the steps
-- counts in that one. What is not rolled up yet is read from the log. Users who were deleted or
-- erased are no members, without having left. It is one statement, so that all of it is of one
-- moment.
select greatest(date_bin(@step::interval, s.at, '2000-01-01T00:00:00Z'), @before::timestamptz)::timestamptz as at,
    sum(s.entered)::bigint as entered, sum(s."left")::bigint as "left", sum(s.vanished)::bigint as vanished,
    trunc(sum(s.dwell))::text as dwell
from (
    select h.hour as at, h.entered, h."left", h.dwell, h.erased as vanished
    from bucketgen.rollups h
    where h.bucket_no = @bucket_no and h.hour < @until
    union all
    select t.at, (t.kind = 'entered')::integer, (t.kind = 'left')::integer,
        coalesce(extract(epoch from t.at - m.entered_at) * 1000000, 0), 0
    from bucketgen.transitions t
    left join lateral (
        select e.entered_at from bucketgen.memberships e
        where t.kind = 'left' and e.contact_id = t.contact_id and e.bucket_no = t.bucket_no and e.entry_count = t.entry_count
        limit 1
    ) m on true
    where t.id > (select d.up_to from bucketgen.rollup_progress d) and t.bucket_no = @bucket_no and t.kind in ('entered', 'left') and t.at < @until
    union all
    select c.deleted_at, 0, 0, 0, 1
    from bucketgen.contacts c
    cross join lateral (
        select from bucketgen.memberships m
        where m.contact_id = c.id and m.bucket_no = @bucket_no and m.left_at is null
        limit 1
    ) m
    where c.deleted_at < @until
) s
group by 1
order by 1;
