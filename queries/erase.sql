-- An erasure deletes all rows of a person: of the contact, and of those that were merged into it.
-- It runs under the locks of their contacts.

-- name: EraseFind :many
-- The contacts of the person whom an id names: their own, those of users merged into it, and those
-- that were anonymous, had any of the ids and have expired, see resolve.Ended. The contact of a
-- shared id only holds the name, and is kept. A user who was merged into it by an id that was
-- detached is found by the merge.
with recursive found as (
    select n.contact_id as id from bucketgen.names n where n.name = @name
), lost as (
    select m.from_id as id from found f join bucketgen.merges m on m.contact_id = f.id where m.kind <> 'promotion'
    union
    select m.from_id from lost l join bucketgen.merges m on m.contact_id = l.id where m.kind <> 'promotion'
), ids as (
    select @name::text as name
    union
    select c.user_id from found f join bucketgen.contacts c on c.id = f.id
    union
    select i.name from found f join bucketgen.identities i on i.contact_id = f.id where not i.shared
)
select c.id, c.user_id, (c.merged_at is null)::boolean as survives, false as kept
from found f
join bucketgen.contacts c on c.id = f.id
union
select k.id, k.user_id, false, i.shared and i.kind = 'anonymous'
from found f
join bucketgen.identities i on i.contact_id = f.id
join bucketgen.contacts k on k.user_id = i.name
union
select k.id, k.user_id, false, false
from lost l
join bucketgen.contacts k on k.id = l.id
where not exists (select from bucketgen.identities i where i.name = k.user_id)
union
select k.id, k.user_id, false, false
from ids n
cross join unnest(array['', chr(1) || 'shared' || chr(1)]) as p (prefix)
join bucketgen.contacts k on k.user_id > p.prefix || n.name || chr(1) and k.user_id < p.prefix || n.name || chr(2)
order by user_id;

-- name: EraseLock :exec
-- Takes the locks of the contacts in the order in which every writer takes them.
select c.id from bucketgen.contacts c where c.id = any (@ids::bigint[]) order by c.user_id for update;

-- name: EraseNames :many
-- The names of all ids of the person, but for those that are shared with others.
select c.user_id as name from bucketgen.contacts c where c.id = any (@ids::bigint[])
union
select i.name from bucketgen.identities i where i.contact_id = any (@ids) and not (i.shared and i.kind = 'anonymous')
order by name;

-- name: EraseShared :exec
-- Keeps shared ids, which others have used, and leaves nothing of the person with them: neither
-- whose they were, nor what their contacts were before a merge.
with moved as (
    update bucketgen.identities i set contact_id = k.id
    from bucketgen.contacts k
    where i.contact_id = any (@ids::bigint[]) and i.shared and i.kind = 'anonymous' and k.user_id = i.name
)
update bucketgen.contacts k set email = null, properties = '{}', version = k.version + 1, cache_owner = 0, repeats = null
where k.id = any (@kept::bigint[]);

-- name: EraseClaim :exec
-- Makes a contact of an id that is unknown, so that a transaction that makes one at the same time
-- waits for this one, which suppresses the id, and then sees that.
insert into bucketgen.contacts (user_id, created_at, updated_at, written_at)
values (@user_id, @now, @now, '-infinity')
on conflict (user_id) do nothing;

-- name: EraseLogged :one
-- How long the log of the person is, up to a number.
select count(*)::bigint from (select from bucketgen.events e where e.contact_id = any (@ids::bigint[]) limit @most::integer) l;

-- name: EraseRollup :one
-- Takes the lock of the rollup, which takes no lock of a user, and returns how far it has come. It
-- is a statement of its own, so that the next one sees what the previous holder committed.
select t.up_to from bucketgen.rollup_progress t for update;

-- name: EraseTallies :exec
-- Adds the transitions to the rollup that it has not counted, so that sizes of the past stay as
-- they were. An active stay leaves the size at the present time, without having left, or did so
-- when the user was deleted.
with uncounted as (
    select t.bucket_no, date_bin('1 hour', t.at, '2000-01-01T00:00:00Z') as hour, (t.kind = 'entered')::integer as entered,
        (t.kind = 'left')::integer as "left", coalesce(extract(epoch from t.at - m.entered_at) * 1000000, 0) as dwell
    from bucketgen.transitions t
    left join bucketgen.memberships m
        on t.kind = 'left' and m.contact_id = t.contact_id and m.bucket_no = t.bucket_no and m.entry_count = t.entry_count
    where t.contact_id = any (@ids::bigint[]) and t.id > @up_to and t.kind in ('entered', 'left')
), active as (
    select m.bucket_no, date_bin('1 hour', coalesce(c.deleted_at, @now::timestamptz), '2000-01-01T00:00:00Z') as hour, c.deleted_at is null as counted
    from bucketgen.memberships m
    join bucketgen.contacts c on c.id = m.contact_id
    where m.contact_id = any (@ids) and m.left_at is null
), changed as (
    delete from bucketgen.size_changes s where s.contact_id = any (@ids) returning s.bucket_no, s.members
), sized as (
    insert into bucketgen.sizes as s (bucket_no, members)
    select c.bucket_no, sum(c.members)
    from (
        select u.bucket_no, u.entered - u."left" as members from uncounted u
        union all
        select a.bucket_no, -1 from active a where a.counted
        union all
        select d.bucket_no, d.members from changed d
    ) c
    group by 1
    order by 1
    on conflict (bucket_no) do update set members = s.members + excluded.members
)
insert into bucketgen.rollups as h (bucket_no, hour, entered, "left", dwell, erased)
select c.bucket_no, c.hour, sum(c.entered), sum(c."left"), sum(c.dwell), sum(c.erased)
from (
    select u.bucket_no, u.hour, u.entered, u."left", u.dwell, 0 as erased from uncounted u
    union all
    select a.bucket_no, a.hour, 0, 0, 0, 1 from active a
) c
group by 1, 2
order by 1, 2
on conflict (bucket_no, hour) do update
set entered = h.entered + excluded.entered, "left" = h."left" + excluded."left", dwell = h.dwell + excluded.dwell,
    erased = h.erased + excluded.erased;

-- name: EraseDeliveries :execrows
-- Deletes deliveries in every state, in the order of ids, in which dispatchers lock them.
delete from bucketgen.deliveries d
using (
    select k.contact_id, k.subscription_no, k.bucket_no, k.id
    from bucketgen.deliveries k
    where k.contact_id = any (@ids::bigint[])
    order by k.id
    for update
) k
where d.contact_id = k.contact_id and d.subscription_no = k.subscription_no and d.bucket_no = k.bucket_no and d.id = k.id;

-- name: EraseStays :one
-- Deletes the stays and all that is about them, the properties and the names, and returns the
-- number of rows. Readers that cache the names learn of it from hidings.
with changes as (
    delete from bucketgen.changes t where t.contact_id = any (@ids::bigint[]) returning 1
), due as (
    delete from bucketgen.due t where t.contact_id = any (@ids) returning 1
), memberships as (
    delete from bucketgen.memberships t where t.contact_id = any (@ids) returning 1
), transitions as (
    delete from bucketgen.transitions t where t.contact_id = any (@ids) returning 1
), sums as (
    delete from bucketgen.sums t where t.contact_id = any (@ids) returning 1
), totals as (
    delete from bucketgen.totals t where t.contact_id = any (@ids) returning 1
), progress as (
    delete from bucketgen.progress t where t.contact_id = any (@ids) returning 1
), identities as (
    delete from bucketgen.identities t where t.contact_id = any (@ids) and not (t.shared and t.kind = 'anonymous') returning 1
), merges as (
    delete from bucketgen.merges t where t.contact_id = any (@ids) returning 1
), hidden as (
    insert into bucketgen.hidings (user_id, at, erased)
    select n.name, @now, true from (select unnest(@names::text[]) as name) n
    on conflict do nothing
)
select ((select count(*) from changes) + (select count(*) from due) + (select count(*) from memberships) + (select count(*) from transitions)
    + (select count(*) from sums) + (select count(*) from totals) + (select count(*) from progress) + (select count(*) from identities)
    + (select count(*) from merges))::bigint;

-- name: NoticesErased :exec
-- Puts a notice that names all ids of the person into the outbox, if a subscription asks for it.
with asked as (
    select s.no from bucketgen.subscriptions s where s.bucket_no is null and 'erased' = any (s.kinds)
), made as (
    insert into bucketgen.transitions (
        contact_id, bucket_no, entry_count, kind, dwell_count, membership_id, at, decided_at, source, notice
    )
    select 0 - sqlc.arg(no)::bigint, 0, 0, 'erased', @no, @no, @now::timestamptz, @now, 'manual', jsonb_build_object('names', @names::text[])
    where exists (select from asked)
    returning contact_id, bucket_no, id, decided_at
)
insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at)
select made.contact_id, asked.no, made.bucket_no, made.id, made.decided_at
from made
cross join asked;

-- name: NoticesForget :exec
-- Deletes notices of erasures that were delivered, or are old.
with old as (
    select t.contact_id
    from bucketgen.transitions t
    where t.contact_id < 0 and (t.at < @before::timestamptz or not exists (select from bucketgen.deliveries d where d.contact_id = t.contact_id))
    limit 1000
), undelivered as (
    delete from bucketgen.deliveries d
    using (
        select k.contact_id, k.subscription_no, k.bucket_no, k.id
        from bucketgen.deliveries k
        where k.contact_id in (select old.contact_id from old)
        order by k.id
        for update
    ) k
    where d.contact_id = k.contact_id and d.subscription_no = k.subscription_no and d.bucket_no = k.bucket_no and d.id = k.id
)
delete from bucketgen.transitions t using old where t.contact_id = old.contact_id;

-- name: EraseLog :one
-- Deletes up to a number of rows of each table that holds rows by event, and returns how many there
-- were of the log and of the others, and whether there may be more.
with events as (
    delete from bucketgen.events t
    using (select k.contact_id, k.event_no, k.occurred_at, k.id from bucketgen.events k where k.contact_id = any (@ids::bigint[]) limit @most::integer) k
    where t.contact_id = k.contact_id and t.event_no = k.event_no and t.occurred_at = k.occurred_at and t.id = k.id
    returning 1
), keys as (
    delete from bucketgen.idempotency_keys t
    using (select k.contact_id, k.origin, k.key from bucketgen.idempotency_keys k where k.contact_id = any (@ids) limit @most) k
    where t.contact_id = k.contact_id and t.origin = k.origin and t.key = k.key
    returning 1
), occurrences as (
    delete from bucketgen.occurrences t
    using (select k.contact_id, k.signal_no, k.occurred_at, k.id from bucketgen.occurrences k where k.contact_id = any (@ids) limit @most) k
    where t.contact_id = k.contact_id and t.signal_no = k.signal_no and t.occurred_at = k.occurred_at and t.id = k.id
    returning 1
), groups as (
    delete from bucketgen.groups t
    using (select k.contact_id, k.signal_no, k.name from bucketgen.groups k where k.contact_id = any (@ids) limit @most) k
    where t.contact_id = k.contact_id and t.signal_no = k.signal_no and t.name = k.name
    returning 1
), advances as (
    delete from bucketgen.advances t
    using (select k.contact_id, k.sequence_no, k.key, k.occurred_at, k.id from bucketgen.advances k where k.contact_id = any (@ids) limit @most) k
    where t.contact_id = k.contact_id and t.sequence_no = k.sequence_no and t.key = k.key and t.occurred_at = k.occurred_at and t.id = k.id
    returning 1
)
select (select count(*) from events)::bigint as events,
    ((select count(*) from keys) + (select count(*) from occurrences) + (select count(*) from groups) + (select count(*) from advances))::bigint as others,
    (greatest((select count(*) from events), (select count(*) from keys), (select count(*) from occurrences), (select count(*) from groups),
        (select count(*) from advances)) >= @most::integer)::boolean as more;

-- name: EraseElsewhere :one
-- Removes the names of the person from what people have asked for and done, and returns the number
-- of rows.
with listed as (
    delete from bucketgen.job_users u where u.user_id = any (@names::text[]) returning 1
), audited as (
    update bucketgen.audit a
    set user_id = case when a.user_id = any (@names) then '' else a.user_id end,
        detail = case when exists (select from unnest(@names) as w (name) where right(a.detail, length(w.name) + 1) = ' ' || w.name) then '' else a.detail end
    where a.user_id = any (@names) and a.user_id <> ''
        or a.action in ('mergeUser', 'try') and exists (select from unnest(@names) as w (name) where right(a.detail, length(w.name) + 1) = ' ' || w.name)
    returning 1
)
select ((select count(*) from listed) + (select count(*) from audited))::bigint;

-- name: EraseResults :many
-- The results of jobs that name the person, in a list of a few users.
select j.no, j.params, j.result
from bucketgen.jobs j
where exists (
    select from unnest(@names::text[]) as w (name) where strpos(j.result::text, to_json(w.name)::text) > 0
);

-- name: EraseResult :exec
update bucketgen.jobs j set result = @result where j.no = @no;

-- name: EraseContacts :execrows
delete from bucketgen.contacts c where c.id = any (@ids::bigint[]);

-- name: EraseHide :exec
-- Leaves of a contact only what EraseLog deletes later. No user can have a name of more than 255
-- bytes, so none finds it. A writer that knows the contact by its id finds that it was merged away.
update bucketgen.contacts c
set user_id = lpad(c.id::text, 300), email = null, properties = '{}', version = c.version + 1, cache_owner = 0, repeats = null,
    deleted_at = coalesce(c.deleted_at, @now::timestamptz), merged_at = @now
where c.id = @id;

-- name: ErasuresInsert :one
insert into bucketgen.erasures (at, by_name, ticket, suppressed, events, row_count, job_no, contact_id, finished_at)
values (@at, @by_name, @ticket, @suppressed, @events, @row_count, sqlc.narg('job_no'), sqlc.narg('contact_id'), sqlc.narg('finished_at'))
returning no;

-- name: ErasuresNext :one
-- The oldest erasure that is not finished and that no other process works on, locked.
select e.no, e.contact_id::bigint as contact_id
from bucketgen.erasures e
where e.contact_id is not null
order by e.no
limit 1
for update skip locked;

-- name: ErasuresAdvance :exec
update bucketgen.erasures e
set events = e.events + @events, row_count = e.row_count + @row_count, contact_id = sqlc.narg('contact_id'), finished_at = sqlc.narg('finished_at')
where e.no = @no;

-- name: ErasuresPage :many
-- Erasures, the newest first.
select e.no, e.at, e.by_name, e.ticket, e.suppressed, e.events, e.row_count, e.finished_at
from bucketgen.erasures e
where @before_no::bigint = 0 or e.no < @before_no
order by e.no desc
limit @size::integer;

-- name: ErasuresForget :exec
delete from bucketgen.erasures e where e.finished_at < @before;

-- name: ErasuresOfJob :one
-- What a job has erased so far.
select count(*)::bigint as erased, coalesce(sum(e.events), 0)::bigint as events, coalesce(sum(e.row_count), 0)::bigint as row_count
from bucketgen.erasures e
where e.job_no = @job_no::bigint;

-- name: EraseJob :one
-- The unfinished job that has a token, and how many ids it still has to erase.
select j.no, j.by_name,
    (select count(*) from bucketgen.job_users u where u.job_no = j.no and u.list = 'erase' and u.bucket_id = '')::bigint as remaining
from bucketgen.jobs j
where j.kind = 'erase' and j.finished_at is null and j.params ->> 'token' = @token::text;

-- name: EraseJobNext :many
-- Some of the ids that a job still has to erase.
select u.place, u.user_id
from bucketgen.job_users u
where u.job_no = @job_no and u.list = 'erase' and u.bucket_id = ''
order by u.place
limit @size::integer;

-- name: EraseJobDone :exec
delete from bucketgen.job_users u where u.job_no = @job_no and u.list = 'erase' and u.bucket_id = '' and u.place = @place;
