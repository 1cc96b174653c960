-- name: TransitionsInsert :exec
-- Logs transitions and puts them into the outbox, once per subscription. A transition counts only
-- if this transaction changed its stay.
with made as (
    insert into bucketgen.transitions (
        contact_id, bucket_no, entry_count, kind, tick, dwell_count, membership_id, at, decided_at, source, reason, suppressed, life,
        name_kind, entered_as
    )
    select m.contact_id, m.bucket_no, m.entry_count, t.kind, t.tick, t.dwell_count, m.id, t.at, t.decided_at, t.source,
        nullif(t.reason, ''), t.suppressed, t.life, nullif(t.name_kind, ''), m.entered_as
    from (
        select unnest(@contact_ids::bigint[]) as contact_id, unnest(@bucket_nos::integer[]) as bucket_no,
            unnest(@entry_counts::integer[]) as entry_count, unnest(@kinds::text[]) as kind,
            unnest(@ticks::text[]) as tick, unnest(@dwell_counts::bigint[]) as dwell_count,
            unnest(@ats::timestamptz[]) as at, unnest(@decided_at::timestamptz[]) as decided_at,
            unnest(@sources::text[]) as source, unnest(@reasons::text[]) as reason,
            unnest(@suppressed::boolean[]) as suppressed, unnest(@lives::integer[]) as life,
            unnest(@name_kinds::text[]) as name_kind, generate_subscripts(@contact_ids, 1) as place
    ) as t
    cross join lateral ( -- one index lookup for each, whatever the planner estimates
        select * from bucketgen.memberships s
        where s.contact_id = t.contact_id and s.bucket_no = t.bucket_no and s.entry_count = t.entry_count
            and s.changed_by = pg_current_xact_id()
        limit 1
    ) m
    order by t.place
    returning contact_id, bucket_no, entry_count, kind, tick, id, decided_at, reason, suppressed
)
insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at)
select made.contact_id, s.no, made.bucket_no, made.id, made.decided_at
from made
join bucketgen.subscriptions s
    on (s.bucket_no is null or s.bucket_no = made.bucket_no)
    and made.kind = any (s.kinds)
    and (made.entry_count = 1 or not s.first_only)
    and (s.reasons is null or made.kind <> 'left' or made.reason = any (s.reasons))
    and (s.tick is null or made.kind <> 'dwell' or made.tick = s.tick)
where not made.suppressed
order by made.id;

-- name: TransitionsOf :many
-- The transitions of a user, in the order of decision. Those from before a merge have the name that
-- the user had then.
select sqlc.embed(t), k.user_id, c.email
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
join bucketgen.contacts k on k.id = any (array_append(array(
    select o.id
    from bucketgen.identities i
    join bucketgen.contacts o on o.user_id = i.name
    where i.contact_id = c.id and not i.shared
), c.id))
join bucketgen.transitions t on t.contact_id = k.id
where n.name = @user_id and c.deleted_at is null and t.id > @after_id
order by t.id
limit @size::integer;

-- name: TransitionsByTime :many
-- The transitions of all users since one of them, by the time at which they became true.
select sqlc.embed(t), c.user_id, c.email
from bucketgen.transitions t
join bucketgen.contacts c on c.id = t.contact_id
where t.id > @after_id
order by t.at, t.id;

-- name: TransitionsLast :one
select coalesce(max(t.id), 0)::bigint from bucketgen.transitions t;

-- name: TransitionsTally :many
-- How many users entered and left each bucket since a transition.
select t.bucket_no, count(*) filter (where t.kind = 'entered') as entered, count(*) filter (where t.kind = 'left') as "left"
from bucketgen.transitions t
where t.id > @after_id
group by t.bucket_no;

-- name: TransitionsLogged :many
-- The transitions of some users in some buckets, user by user, in the order of decision.
select t.contact_id, b.id as bucket_id, t.kind, t.at, t.source, t.reason
from bucketgen.transitions t
join bucketgen.buckets b on b.no = t.bucket_no
where t.contact_id > @after_id and t.contact_id <= @last_id and b.id = any (@bucket_ids::text[])
    and t.kind in ('entered', 'left') and t.at <= @until
order by t.contact_id, t.id;

-- name: TransitionsSnapshot :one
-- A snapshot of the log: the transactions in progress, the greatest number of one that has logged
-- something, and the greatest id. A transaction number that the server has not given yet is from
-- another database server, of which this is a copy, and says nothing.
select s.beyond,
    array(select r.xid from pg_snapshot_xip(s.snapshot) as r (xid) order by r.xid)::xid8[] as running,
    coalesce((
        select t.made_by from bucketgen.transitions t where t.made_by < s.beyond order by t.made_by desc limit 1
    ), '0')::xid8 as logged,
    coalesce((
        select h.made_by from bucketgen.hidings h where h.made_by < s.beyond order by h.made_by desc limit 1
    ), '0')::xid8 as hidden,
    coalesce((select max(t.id) from bucketgen.transitions t), 0)::bigint as last_id
from (
    select n.snapshot, pg_snapshot_xmax(n.snapshot) as beyond from (select pg_current_snapshot() as snapshot) n
) s;

-- name: TransitionsBetween :many
-- The transitions that are visible in a snapshot and were not in an earlier one, in the order of
-- ids.
--
-- Transactions that were in progress at the earlier snapshot are found by their numbers. Later ones
-- have ids greater than all that were visible, and are found by id. (Coalesce hides the numbers
-- from the planner, so that it does that.) A third kind had a number greater than that of any
-- transaction that had ended, so that the earlier snapshot does not name it, and got ids before
-- others that were visible. Those are found by number, once, since their ids come first.
--
-- Conditions on numbers are written so that only the index of numbers serves them: asked for
-- equal numbers in the order of ids, or a range of ids, PostgreSQL reads all ids where one
-- transaction has made most rows, or where it does not know the range.
--
-- Notices of merges are in it on demand, those of erasures never.
select c.user_id, c.email, coalesce(b.id, '')::text as bucket_id, coalesce(b.name, '')::text as bucket_name, t.id, t.bucket_no, t.entry_count, t.kind, t.tick, t.dwell_count,
    t.membership_id, t.at, t.decided_at, t.source, t.reason, t.suppressed, t.life, t.name_kind, t.entered_as, t.notice
from (
    (
        select l.id
        from unnest(@late::xid8[]) as r (xid)
        cross join lateral (
            select k.id
            from bucketgen.transitions k
            where (k.made_by, k.id) > (r.xid, @after_id::bigint) and k.made_by <= r.xid -- see above
                and (@bucket_nos::integer[] is null or k.bucket_no = any (@bucket_nos)) and k.contact_id > 0 and (k.bucket_no > 0 or @notices::boolean) and (@all_of_them::boolean or not k.suppressed)
            order by k.made_by, k.id
            limit @size::integer
        ) l
    )
    union all
    (
        select k.id
        from bucketgen.transitions k
        where k.id > @after_id and k.id > @seen_id and k.id <= @last_id
            and coalesce(k.made_by, '0') >= @from_xid and coalesce(k.made_by, '0') < @before_xid
            and not k.made_by = any (@early::xid8[]) and not k.made_by = any (@running::xid8[])
            and (@bucket_nos::integer[] is null or k.bucket_no = any (@bucket_nos)) and k.contact_id > 0 and (k.bucket_no > 0 or @notices::boolean) and (@all_of_them::boolean or not k.suppressed)
        order by k.id
        limit @size::integer
    )
    union all
    (
        select k.id
        from bucketgen.transitions k
        where @after_id < @seen_id and k.made_by >= @from_xid and k.made_by < @before_xid and k.id + 0 > @after_id and k.id + 0 <= @seen_id
            and not k.made_by = any (@early::xid8[]) and not k.made_by = any (@running::xid8[])
            and (@bucket_nos::integer[] is null or k.bucket_no = any (@bucket_nos)) and k.contact_id > 0 and (k.bucket_no > 0 or @notices::boolean) and (@all_of_them::boolean or not k.suppressed)
        order by k.id + 0
        limit @size::integer
    )
    order by 1
    limit @size::integer
) f
cross join lateral (select * from bucketgen.transitions m where m.id = f.id limit 1) t
cross join lateral (select p.user_id, p.email from bucketgen.contacts p where p.id = t.contact_id limit 1) c
left join bucketgen.buckets b on b.no = t.bucket_no
order by f.id;

-- name: TransitionsDisown :execrows
-- Forgets which transactions have logged what, if that was on another database server, of which
-- this is a copy.
update bucketgen.transitions t set made_by = null where t.made_by >= pg_snapshot_xmax(pg_current_snapshot());

-- name: TransitionsNotify :exec
-- Notifies readers of the log. It need not be durable: a reader that misses it polls.
select set_config('synchronous_commit', 'off', true), pg_notify(@channel::text, '');

-- name: TransitionsBackward :many
-- What happened to a bucket, the newest first, before a place in that order. Deleted users are left
-- out; users who were merged have the name that they had.
select sqlc.embed(t), c.user_id, c.email
from bucketgen.transitions t
join bucketgen.contacts c on c.id = t.contact_id
where t.bucket_no = @bucket_no and t.at >= @from_at and (t.at, t.id) < (@before_at::timestamptz, @before_id::bigint)
    and (@kind::text = '' or t.kind = @kind) and (@source::text = '' or t.source = @source) and (@reason::text = '' or t.reason = @reason)
    and (c.deleted_at is null or c.merged_at is not null)
order by t.at desc, t.id desc
limit @size::integer;

-- name: TransitionsForward :many
-- As TransitionsBackward, the oldest first, after a place in that order.
select sqlc.embed(t), c.user_id, c.email
from bucketgen.transitions t
join bucketgen.contacts c on c.id = t.contact_id
where t.bucket_no = @bucket_no and t.at < @to_at and (t.at, t.id) > (@after_at::timestamptz, @after_id::bigint)
    and (@kind::text = '' or t.kind = @kind) and (@source::text = '' or t.source = @source) and (@reason::text = '' or t.reason = @reason)
    and (c.deleted_at is null or c.merged_at is not null)
order by t.at, t.id
limit @size::integer;

-- name: TransitionsOfUser :many
-- As TransitionsOf, in either order, by filters, and of all buckets that were ever defined. It
-- reads all transitions of the user.
select sqlc.embed(t), k.user_id, c.email, b.id as bucket_id, b.name as bucket_name
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
join bucketgen.contacts k on k.id = any (array_append(array(
    select o.id
    from bucketgen.identities i
    join bucketgen.contacts o on o.user_id = i.name
    where i.contact_id = c.id and not i.shared
), c.id))
join bucketgen.transitions t on t.contact_id = k.id
join bucketgen.buckets b on b.no = t.bucket_no
where n.name = @user_id and c.deleted_at is null and t.id > @after_id and t.id < @before_id
    and (@bucket_no::integer = 0 or t.bucket_no = @bucket_no) and t.at >= @from_at and t.at < @to_at
    and (t.at, t.id) < (@before_at::timestamptz, @before_at_id::bigint)
order by case when @by_time::boolean then t.at end desc, case when @newest::boolean then -t.id else t.id end
limit @size::integer;

-- name: TransitionsBySource :many
-- How many users entered and left a bucket, by hour and source. It reads the transitions of that
-- time.
select date_bin('1 hour', t.at, '2000-01-01T00:00:00Z')::timestamptz as hour, t.source,
    count(*) filter (where t.kind = 'entered') as entered, count(*) filter (where t.kind = 'left') as "left"
from bucketgen.transitions t
where t.bucket_no = @bucket_no and t.at >= @from_at and t.at < @to_at and t.kind in ('entered', 'left')
group by 1, 2
order by 1, 2;
