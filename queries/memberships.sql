-- name: MembershipsCurrent :many
-- The stays that matter to what happens to a user: active ones, and those that keep the clock from
-- letting the user join again. (Offset 0 keeps the planner from joining whole tables where it
-- believes them to be small.)
select w.user_id::text as user_id, m.bucket_no, m.entry_count, m.entered_at, m.left_at, m.anchor_at, m.ticked_at, m.blocked
from (select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select * from bucketgen.memberships a where a.contact_id = c.id and a.left_at is null
    union all
    select * from bucketgen.memberships b where b.contact_id = c.id and b.blocked
    offset 0
) m;

-- name: MembershipsPrior :many
-- The latest stay of each pair of user and bucket, if there is one: its number is the prior count.
select w.user_id::text as user_id, m.bucket_no, m.entry_count, m.entered_at, m.left_at, m.anchor_at, m.ticked_at, m.blocked
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@bucket_nos::integer[]) as bucket_no
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select p.bucket_no, p.entry_count, p.entered_at, p.left_at, p.anchor_at, p.ticked_at, p.blocked
    from bucketgen.memberships p
    where p.contact_id = c.id and p.bucket_no = w.bucket_no
    order by p.entry_count desc
    limit 1
) m;

-- name: MembershipsAll :many
-- All stays of users, the latest of each bucket first, up to a number.
select w.contact_id::bigint as contact_id, m.bucket_no, m.entry_count, m.entered_at, m.left_at, m.anchor_at, m.ticked_at, m.blocked
from (select unnest(@contact_ids::bigint[]) as contact_id) as w
cross join lateral (
    select a.bucket_no, a.entry_count, a.entered_at, a.left_at, a.anchor_at, a.ticked_at, a.blocked
    from bucketgen.memberships a
    where a.contact_id = w.contact_id
    order by a.bucket_no desc, a.entry_count desc
    limit @most::integer
) m;

-- name: MembershipsLeave :exec
-- Compare and swap: it closes only stays that are still active. (The condition is written so that
-- no index serves it, because the planner would read all active stays where it believes them to be
-- few.)
update bucketgen.memberships m
set left_at = l.left_at, reason = l.reason, ticked_at = l.ticked_at, blocked = l.blocked,
    changed_by = pg_current_xact_id()
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@bucket_nos::integer[]) as bucket_no,
        unnest(@entry_counts::integer[]) as entry_count, unnest(@left_at::timestamptz[]) as left_at,
        unnest(@reasons::text[]) as reason, unnest(@ticked_at::timestamptz[]) as ticked_at,
        unnest(@blocked::boolean[]) as blocked
) as l
where m.contact_id = l.contact_id and m.bucket_no = l.bucket_no and m.entry_count = l.entry_count
    and coalesce(m.left_at, 'infinity') = 'infinity';

-- name: MembershipsPass :exec
-- Stays that began and ended within one transaction.
insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, left_at, anchor_at, ticked_at, blocked, source, reason)
select unnest(@contact_ids::bigint[]), unnest(@bucket_nos::integer[]),
    unnest(@entry_counts::integer[]), unnest(@entered_at::timestamptz[]),
    unnest(@left_at::timestamptz[]), unnest(@anchor_at::timestamptz[]), unnest(@ticked_at::timestamptz[]),
    unnest(@blocked::boolean[]), unnest(@sources::text[]),
    unnest(@reasons::text[]);

-- name: MembershipsJoin :exec
-- An insert that finds an active stay has lost the race and changes nothing.
insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, anchor_at, ticked_at, source)
select unnest(@contact_ids::bigint[]), unnest(@bucket_nos::integer[]),
    unnest(@entry_counts::integer[]), unnest(@entered_at::timestamptz[]),
    unnest(@anchor_at::timestamptz[]), unnest(@ticked_at::timestamptz[]), unnest(@sources::text[])
on conflict (contact_id, bucket_no) where left_at is null do nothing;

-- name: MembershipsAmend :exec
-- Notes that stays ticked, or are no longer blocked.
update bucketgen.memberships m
set ticked_at = a.ticked_at, blocked = a.blocked, changed_by = pg_current_xact_id()
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@bucket_nos::integer[]) as bucket_no,
        unnest(@entry_counts::integer[]) as entry_count, unnest(@ticked_at::timestamptz[]) as ticked_at,
        unnest(@blocked::boolean[]) as blocked
) as a
where m.contact_id = a.contact_id and m.bucket_no = a.bucket_no and m.entry_count = a.entry_count;

-- name: MembershipsHas :one
select exists (
    select
    from bucketgen.names n
    join bucketgen.contacts c on c.id = n.contact_id
    join bucketgen.memberships m on m.contact_id = c.id
    where n.name = @user_id and c.deleted_at is null and m.bucket_no = @bucket_no and m.left_at is null
);

-- name: MembershipsCount :one
select count(*)
from bucketgen.memberships m
join bucketgen.contacts c on c.id = m.contact_id
where m.bucket_no = @bucket_no and m.left_at is null and c.deleted_at is null;

-- name: MembershipsPage :many
-- Members of a bucket in the order of their contact ids: all, or those of a source.
select m.id, m.contact_id, c.user_id, c.email, m.entry_count, m.entered_at, m.source, m.entered_as
from bucketgen.memberships m
join bucketgen.contacts c on c.id = m.contact_id
where m.bucket_no = @bucket_no and m.left_at is null and c.deleted_at is null and m.contact_id > @after_contact_id
    and (@source::text = '' or m.source = @source)
order by m.contact_id
limit @size::integer;

-- name: MembershipsCounts :many
-- How many users each bucket has.
select m.bucket_no, count(*) as members
from bucketgen.memberships m
join bucketgen.contacts c on c.id = m.contact_id
where m.left_at is null and c.deleted_at is null
group by m.bucket_no;

-- name: MembershipsStay :one
-- What does not change about a stay, and how it ended if it did.
select m.id, m.source, m.reason, m.entered_as
from bucketgen.contacts c
join bucketgen.memberships m on m.contact_id = c.id
where c.user_id = @user_id and m.bucket_no = @bucket_no and m.entry_count = @entry_count;

-- name: MembershipsHadAt :one
-- Stays follow each other, so only the last that had begun by then can have been under way.
select exists (
    select
    from bucketgen.names n
    join bucketgen.contacts c on c.id = n.contact_id
    cross join lateral (
        select m.left_at
        from bucketgen.memberships m
        where m.contact_id = c.id and m.bucket_no = @bucket_no and m.entered_at <= @at
        order by m.entry_count desc
        limit 1
    ) s
    where n.name = @user_id and coalesce(c.deleted_at, 'infinity') > @at and coalesce(s.left_at, 'infinity') > @at
);

-- name: MembershipsPageAt :many
-- The members of a bucket at a time, in the order of contact ids. Stays that last and stays that
-- have ended are in two indexes. It reads as many of each as could be on the page. (Offset 0 keeps
-- the planner from reading all contacts beside them.)
select s.id, s.contact_id, s.user_id, s.email, s.entry_count, s.entered_at, s.left_at, s.source, s.entered_as
from (
    (
        select m.id, m.contact_id, c.user_id, c.email, m.entry_count, m.entered_at, m.left_at, m.source, m.entered_as
        from bucketgen.memberships m
        cross join lateral (
            select k.user_id, k.email from bucketgen.contacts k
            where k.id = m.contact_id and coalesce(k.deleted_at, 'infinity') > @at
            offset 0
        ) c
        where m.bucket_no = @bucket_no and m.left_at is null and m.entered_at <= @at and m.contact_id > @after_contact_id
        order by m.contact_id
        limit @size::integer
    )
    union all
    (
        select m.id, m.contact_id, c.user_id, c.email, m.entry_count, m.entered_at, m.left_at, m.source, m.entered_as
        from bucketgen.memberships m
        cross join lateral (
            select k.user_id, k.email from bucketgen.contacts k
            where k.id = m.contact_id and coalesce(k.deleted_at, 'infinity') > @at
            offset 0
        ) c
        where m.bucket_no = @bucket_no and m.left_at is not null and m.entered_at <= @at and m.left_at > @at and m.contact_id > @after_contact_id
        order by m.contact_id
        limit @size::integer
    )
) s
order by s.contact_id
limit @size::integer;

-- name: MembershipsTimers :many
-- Those of the given stays that are active and have a due instant.
select m.id, m.bucket_no, c.user_id, c.email, d.due_at
from (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@bucket_nos::integer[]) as bucket_no) as a
cross join lateral (
    select * from bucketgen.memberships k
    where k.contact_id = a.contact_id and k.bucket_no = a.bucket_no and k.left_at is null
    limit 1
) m
join bucketgen.due d on d.contact_id = a.contact_id and d.bucket_no = a.bucket_no
join bucketgen.contacts c on c.id = a.contact_id and c.deleted_at is null;

-- name: MembershipsTimer :one
-- The active stay of a user in a bucket, and its due instant: null if there is none.
select m.id, c.user_id, d.due_at
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
join bucketgen.memberships m on m.contact_id = c.id and m.bucket_no = @bucket_no and m.left_at is null
left join bucketgen.due d on d.contact_id = c.id and d.bucket_no = @bucket_no
where n.name = @user_id and c.deleted_at is null;

-- name: MembershipsOf :many
-- The active stays of a user. A user who is in no bucket has a row without a stay, an unknown one
-- has none.
select c.user_id, c.email, c.deleted_at, m.bucket_no, m.id, m.entry_count, m.entered_at, m.source, m.entered_as
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
left join bucketgen.memberships m on m.contact_id = c.id and m.left_at is null
where n.name = @user_id;

-- name: MembershipsLatest :one
-- The latest stay of a user in a bucket, if there ever was one.
select c.deleted_at, m.id, m.entry_count, m.entered_at, m.left_at, m.source, m.reason, m.entered_as
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
left join bucketgen.memberships m on m.contact_id = c.id and m.bucket_no = @bucket_no
where n.name = @user_id
order by m.entry_count desc nulls last
limit 1;

-- name: MembershipsOfEach :many
-- The buckets that each of some users is in, and their canonical name. An unknown user has no row.
-- A user who is in no bucket has one with the bucket number 0. (Offset 0 as above.)
select w.name::text as name, c.user_id, coalesce(m.bucket_no, 0)::integer as bucket_no
from (select unnest(@names::text[]) as name) as w
cross join lateral (
    select k.id, k.user_id, k.deleted_at
    from bucketgen.names n
    join bucketgen.contacts k on k.id = n.contact_id
    where n.name = w.name
    limit 1
) c
left join lateral (
    select a.bucket_no from bucketgen.memberships a where a.contact_id = c.id and a.left_at is null and c.deleted_at is null offset 0
) m on true;

-- name: MembershipsNewest :many
-- Members of a bucket, those who entered last first, before a place in that order.
select m.id, m.contact_id, c.user_id, c.email, m.entry_count, m.entered_at, m.source, m.entered_as
from bucketgen.memberships m
join bucketgen.contacts c on c.id = m.contact_id
where m.bucket_no = @bucket_no and m.left_at is null and c.deleted_at is null and m.entered_at >= @from_at
    and (m.entered_at, m.contact_id) < (@before_at::timestamptz, @before_contact_id::bigint)
    and (@source::text = '' or m.source = @source)
order by m.entered_at desc, m.contact_id desc
limit @size::integer;

-- name: MembershipsSome :many
-- The members of a bucket who entered within a time, in the order of their contact ids. It reads
-- all of them by the index of that time, so MembershipsPage is for those of all times.
select m.id, m.contact_id, c.user_id, c.email, m.entry_count, m.entered_at, m.source, m.entered_as
from bucketgen.memberships m
join bucketgen.contacts c on c.id = m.contact_id
where m.bucket_no = @bucket_no and m.left_at is null and c.deleted_at is null and m.contact_id > @after_contact_id
    and m.entered_at >= @from_at and m.entered_at < @to_at and (@source::text = '' or m.source = @source)
order by m.contact_id
limit @size::integer;

-- name: MembershipsFind :many
-- The members of a bucket with a name or an e-mail address.
select m.id, m.contact_id, c.user_id, c.email, m.entry_count, m.entered_at, m.source, m.entered_as
from (
    select n.contact_id from bucketgen.names n where n.name = @text::text
    union
    select k.id from bucketgen.contacts k where lower(k.email) collate "C" = lower(@text)
) f
join bucketgen.contacts c on c.id = f.contact_id
join bucketgen.memberships m on m.contact_id = c.id
where m.bucket_no = @bucket_no and m.left_at is null and c.deleted_at is null
order by m.contact_id
limit @size::integer;

-- name: MembershipsOfNames :many
-- Which of some names are those of users, and who of them is in a bucket.
select w.name::text as name, c.user_id, (c.deleted_at is not null)::boolean as deleted, (m.id is not null)::boolean as member
from unnest(@names::text[]) as w (name)
join bucketgen.names n on n.name = w.name
join bucketgen.contacts c on c.id = n.contact_id
left join bucketgen.memberships m on m.contact_id = c.id and m.bucket_no = @bucket_no and m.left_at is null;
