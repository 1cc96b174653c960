-- Anonymous contacts that expire. The clock ends them; their rows are deleted later, in batches.

-- name: ExpiredLastEvent :many
-- When the last event of users arrived; null if there is none.
select w.user_id::text as user_id, e.last::timestamptz as last
from (select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (select max(k.received_at) as last from bucketgen.events k where k.contact_id = c.id) e;

-- name: ExpiredEnd :exec
-- Ends contacts, under their locks: it frees their names, so that an id that comes again is that of
-- a new contact. Rows of contacts that were never in a bucket can be deleted at once. The others
-- wait until feeds have read the transitions, and readers that cache the names learn of it from
-- hidings. Contacts that were merged into one go with it. No note of the ids stays: keys of
-- transitions of a contact without a user id have the number of the stay, which never comes again.
with ended as (
    select w.id, w.at, w.name, exists (select from bucketgen.memberships m where m.contact_id = w.id) as known
    from (
        select unnest(@contact_ids::bigint[]) as id, unnest(@ats::timestamptz[]) as at, unnest(@names::text[]) as name
    ) w
), parts as (
    select e.id, e.at, e.known from ended e
    union all
    select k.id, e.at, true
    from ended e
    join bucketgen.identities i on i.contact_id = e.id
    join bucketgen.contacts k on k.user_id = i.name
), freed as (
    delete from bucketgen.identities i using ended e where i.contact_id = e.id
), due as (
    delete from bucketgen.due d using ended e where d.contact_id = e.id
), shown as (
    insert into bucketgen.hidings (user_id, at, erased)
    select e.name, @now, true from ended e where e.known
    on conflict do nothing
)
update bucketgen.contacts c
set user_id = c.user_id || chr(1) || c.id, properties = '{}', version = c.version + 1, cache_owner = 0, repeats = null,
    deleted_at = coalesce(c.deleted_at, p.at), merged_at = coalesce(c.merged_at, p.at),
    erase_at = case when p.known then sqlc.arg(later)::timestamptz else sqlc.arg(now)::timestamptz end
from parts p
where c.id = p.id;

-- name: ExpiredFirst :one
-- From when rows of a contact may be deleted, the earliest, or no row. It is ordered so that it
-- reads the index: asked whether there is any, PostgreSQL reads the table once it knows of many.
select c.erase_at
from bucketgen.contacts c
where c.erase_at is not null
order by c.erase_at
limit 1;

-- name: ExpiredNext :many
-- Some contacts whose rows may be deleted, locked. Those with deliveries that are still to be made
-- are busy, and put off. Subqueries have a limit, and ids are an array, so that the planner looks
-- each contact up: it would hash exists, and so read the stays of everybody. It begins at an
-- instant, so that contacts that are gone, and still in the index, are not read again by each call.
with over as (
    select c.id, c.erase_at,
        c.merged_at > @kept_since::timestamptz
            and (select true from bucketgen.deliveries d where d.contact_id = c.id limit 1) is not null as busy
    from bucketgen.contacts c
    where c.erase_at >= sqlc.arg('from')::timestamptz and c.erase_at <= @now
    order by c.erase_at
    limit @most::integer
    for update of c skip locked
), put_off as (
    update bucketgen.contacts c set erase_at = @later where c.id = any (array(select b.id from over b where b.busy))
)
select o.id, o.erase_at, o.busy::boolean as busy,
    ((select true from bucketgen.memberships m where m.contact_id = o.id limit 1) is not null)::boolean as known
from over o
order by o.id;
