-- name: ContactsCreate :many
-- Rows are inserted in the order in which they are locked everywhere, so that two transactions that
-- create the same users wait for each other in one direction only. A time that the database's clock
-- does not share is kept. A user whose hash is suppressed is not created. SuppressionsOf checks it
-- once more, since this statement may have waited for the erasure.
insert into bucketgen.contacts (user_id, created_at, updated_at, written_at, generation, decided_at, life)
select u.user_id, u.created_at, u.created_at, '-infinity', (select g.no from bucketgen.generation g),
    case when @own_time::boolean or abs(extract(epoch from u.created_at - clock_timestamp())) > @tolerance_seconds::integer then u.created_at end,
    1 + coalesce((select s.lives from bucketgen.suppressions s where s.hash = u.hash), 0)
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@created_at::timestamptz[]) as created_at, unnest(@hashes::bytea[]) as hash
) as u
where not exists (select from bucketgen.contacts c where c.user_id = u.user_id)
    and not exists (select from bucketgen.suppressions s where s.hash = u.hash and s.suppressed)
order by u.user_id collate "C"
on conflict (user_id) do nothing
returning user_id, life;

-- name: ContactsLock :many
-- Takes the locks of users in the given order, and skips users whom another transaction has locked.
-- It is a statement of its own, so that the statements after it see what the previous holders of
-- the locks have committed. It does not return properties whose version the caller knows.
select c.id, c.user_id, c.email, c.properties, c.version, c.updated_at, c.written_at, c.repeats, c.deleted_at, c.merged_at, c.generation, c.foreign_generation, c.cache_owner, c.decided_at, c.life
from (select unnest(@user_ids::text[]) as user_id, unnest(@ids::bigint[]) as id, unnest(@versions::bigint[]) as version) w
cross join lateral (
    select k.id, k.user_id, k.email, k.version, k.updated_at, k.written_at, k.deleted_at, k.merged_at, k.generation, k.foreign_generation, k.cache_owner, k.decided_at, k.life,
        (case when k.id = w.id and k.version = w.version then null else k.properties end)::jsonb as properties,
        (case when k.id = w.id and k.version = w.version then null else k.repeats end)::jsonb as repeats
    from bucketgen.contacts k
    where k.user_id = w.user_id
    limit 1
    for no key update skip locked
) c;

-- name: ContactsLockKnown :many
-- ContactsLock for users whose contacts the caller knows by id. A contact that goes by another name
-- by now is passed over.
select c.id, c.email, c.properties, c.version, c.updated_at, c.written_at, c.repeats, c.deleted_at, c.merged_at, c.generation, c.foreign_generation, c.cache_owner, c.decided_at, c.life
from (select unnest(@user_ids::text[]) as user_id, unnest(@ids::bigint[]) as id, unnest(@versions::bigint[]) as version) w
cross join lateral (
    select k.id, k.email, k.version, k.updated_at, k.written_at, k.deleted_at, k.merged_at, k.generation, k.foreign_generation, k.cache_owner, k.decided_at, k.life,
        (case when k.version = w.version then null else k.properties end)::jsonb as properties,
        (case when k.version = w.version then null else k.repeats end)::jsonb as repeats
    from bucketgen.contacts k
    where k.id = w.id and k.user_id = w.user_id
    limit 1
    for no key update skip locked
) c;

-- name: ContactsLockWaiting :many
-- ContactsLock for callers that cannot come back later: it waits for the locks.
select c.id, c.user_id, c.email, c.properties, c.version, c.updated_at, c.written_at, c.repeats, c.deleted_at, c.merged_at, c.generation, c.foreign_generation, c.cache_owner, c.decided_at, c.life
from (select unnest(@user_ids::text[]) as user_id, unnest(@ids::bigint[]) as id, unnest(@versions::bigint[]) as version) w
cross join lateral (
    select k.id, k.user_id, k.email, k.version, k.updated_at, k.written_at, k.deleted_at, k.merged_at, k.generation, k.foreign_generation, k.cache_owner, k.decided_at, k.life,
        (case when k.id = w.id and k.version = w.version then null else k.properties end)::jsonb as properties,
        (case when k.id = w.id and k.version = w.version then null else k.repeats end)::jsonb as repeats
    from bucketgen.contacts k
    where k.user_id = w.user_id
    limit 1
    for no key update
) c;

-- name: ContactsRead :many
-- ContactsLock for callers that change nothing: it takes no locks and skips no user.
select c.id, c.user_id, c.email, c.properties, c.version, c.updated_at, c.written_at, c.repeats, c.deleted_at, c.merged_at, c.generation, c.foreign_generation, c.cache_owner, c.decided_at, c.life
from (select unnest(@user_ids::text[]) as user_id, unnest(@ids::bigint[]) as id, unnest(@versions::bigint[]) as version) w
cross join lateral (
    select k.id, k.user_id, k.email, k.version, k.updated_at, k.written_at, k.deleted_at, k.merged_at, k.generation, k.foreign_generation, k.cache_owner, k.decided_at, k.life,
        (case when k.id = w.id and k.version = w.version then null else k.properties end)::jsonb as properties,
        (case when k.id = w.id and k.version = w.version then null else k.repeats end)::jsonb as repeats
    from bucketgen.contacts k
    where k.user_id = w.user_id
    limit 1
) c;

-- name: ContactsLockDue :many
-- Takes the locks of users for whom something is due, the longest overdue first, and skips those
-- whom another worker has locked. It returns a row for each due instant, with the bucket. With
-- since_nos it skips users who have not followed the deployments that the caller cannot apply. ("Is
-- true" keeps the planner from joining, so that the numbers of buckets are hashed once, however
-- many there are.) It begins at an instant, so that what was settled before, and is still in the
-- index, is not read again by each of many calls.
select c.id, c.user_id, d.bucket_no, d.due_at
from bucketgen.due d
join bucketgen.contacts c on c.id = d.contact_id
where d.due_at >= coalesce(sqlc.narg('from')::timestamptz, '-infinity') and d.due_at <= @now
    and (d.bucket_no in (select unnest(@bucket_nos::integer[]))) is true
    and (sqlc.narg('since_nos')::integer[] is null or least(c.generation, coalesce(c.foreign_generation, c.generation))
        >= (sqlc.narg('since_nos')::integer[])[array_position(@bucket_nos::integer[], d.bucket_no)])
order by d.due_at
limit @users::integer
for no key update of c skip locked;

-- name: ContactsHold :exec
-- Sets the cache owner of users whose properties do not change, and their time if it is not the
-- database's.
update bucketgen.contacts c
set cache_owner = h.cache_owner, decided_at = h.decided_at
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@cache_owners::bigint[]) as cache_owner,
        unnest(@decided_at::timestamptz[]) as decided_at
) as h
where c.id = h.contact_id;

-- name: ContactsPatch :exec
-- Changes properties of users, or their dates, and sets the cache owner. In repeats, null removes
-- the date of a property.
update bucketgen.contacts c
set properties = (c.properties || p.set::jsonb) - array(select jsonb_array_elements_text(p.remove::jsonb)),
    version = c.version + 1,
    email = case when p.email_changed then nullif(p.email, '') else c.email end,
    written_at = coalesce(p.written_at, c.written_at),
    repeats = case when p.repeats = '' then c.repeats
        else nullif(jsonb_strip_nulls(coalesce(c.repeats, '{}') || p.repeats::jsonb), '{}') end,
    updated_at = p.at, cache_owner = p.cache_owner, decided_at = p.decided_at
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@sets::text[]) as set,
        unnest(@removes::text[]) as remove, unnest(@emails::text[]) as email,
        unnest(@emails_changed::boolean[]) as email_changed, unnest(@ats::timestamptz[]) as at,
        unnest(@written_ats::timestamptz[]) as written_at, unnest(@repeats::text[]) as repeats,
        unnest(@cache_owners::bigint[]) as cache_owner, unnest(@decided_at::timestamptz[]) as decided_at
) as p
where c.id = p.contact_id;

-- name: ContactsSetDeleted :exec
-- Hides users, or shows them again. That is not a transition: readers of the log learn of it from
-- hidings.
with shown as (
    update bucketgen.contacts c
    set deleted_at = case when p.deleted then p.at end, updated_at = p.at
    from (
        select unnest(@contact_ids::bigint[]) as contact_id, unnest(@deleted::boolean[]) as deleted,
            unnest(@ats::timestamptz[]) as at
    ) as p
    where c.id = p.contact_id
    returning c.user_id, c.updated_at
)
insert into bucketgen.hidings (user_id, at)
select s.user_id, s.updated_at from shown s
on conflict do nothing;

-- name: ContactsPage :many
-- Users in the order of their ids, to go through all of them.
select c.id, c.user_id
from bucketgen.contacts c
where c.id > @after_id
order by c.id
limit @size::integer;

-- name: ContactsLogged :many
-- Users in the order of their ids, with what the log does not say of them.
select c.id, c.user_id, c.deleted_at
from bucketgen.contacts c
where c.id > @after_id
order by c.id
limit @size::integer;

-- name: ContactsLast :one
select coalesce(max(c.id), 0)::bigint from bucketgen.contacts c;

-- name: ContactsPresent :many
-- Which of some users there are still.
select c.user_id from bucketgen.contacts c where c.user_id = any (@user_ids::text[]);

-- name: ContactsDeleted :one
-- Whether a user is deleted; no row if they are unknown.
select (c.deleted_at is not null)::boolean
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
where n.name = @user_id;

-- name: ContactsSearch :many
-- Users whose id, former or anonymous id, e-mail address or name begins with a text. Each of these
-- is found by its index; a user who is found by the id comes first. Deleted users are found by ids.
with found as (
    (
        select c.id, 1 as place from bucketgen.contacts c
        where c.user_id >= @from_text and c.user_id < @to_text and c.merged_at is null
        order by c.user_id
        limit @size::integer
    )
    union all
    (
        select i.contact_id, 2 from bucketgen.identities i
        where i.name >= @from_text and i.name < @to_text
        order by i.name
        limit @size
    )
    union all
    (
        select c.id, 3 from bucketgen.contacts c
        where c.user_id >= chr(1) || 'anonymous' || chr(1) || @from_text and c.user_id < chr(1) || 'anonymous' || chr(1) || @to_text
            and c.merged_at is null
        order by c.user_id
        limit @size
    )
    union all
    (
        select i.contact_id, 3 from bucketgen.identities i
        where i.name >= chr(1) || 'anonymous' || chr(1) || @from_text and i.name < chr(1) || 'anonymous' || chr(1) || @to_text
        order by i.name
        limit @size
    )
    union all
    (
        select c.id, 4 from bucketgen.contacts c
        where c.email is not null and lower(c.email) collate "C" >= lower(@from_text) and lower(c.email) collate "C" < lower(@to_text) and c.deleted_at is null
        order by lower(c.email) collate "C"
        limit @size
    )
    union all
    (
        select c.id, 5 from bucketgen.contacts c
        where c.shown_name is not null and lower(c.shown_name) collate "C" >= lower(@from_text)
            and lower(c.shown_name) collate "C" < lower(@to_text) and c.deleted_at is null
        order by lower(c.shown_name) collate "C"
        limit @size
    )
)
select c.user_id, c.email, c.shown_name, c.created_at, c.deleted_at
from (select f.id, min(f.place) as place from found f group by f.id) g
join bucketgen.contacts c on c.id = g.id
order by g.place, c.user_id
limit @size;

-- name: ContactsShow :one
-- A user, with further names and the last changes of declared properties.
select c.user_id, c.email, c.shown_name, c.properties, c.created_at, c.updated_at, c.deleted_at,
    array(
        select i.value from bucketgen.identities i where i.contact_id = c.id and i.kind = 'user' order by i.value limit 100
    )::text[] as merged,
    array(
        select i.value from bucketgen.identities i where i.contact_id = c.id and i.kind = 'anonymous' order by i.value limit 100
    )::text[] as anonymous,
    coalesce((
        select jsonb_object_agg(p.name, jsonb_build_object('was', h.was, 'at', h.changed_at))
        from bucketgen.changes h
        join bucketgen.properties p on p.no = h.property_no
        where h.contact_id = c.id
    ), '{}')::jsonb as changes
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
where n.name = @user_id;
