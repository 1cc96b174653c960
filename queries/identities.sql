-- name: IdentitiesOf :many
-- The names that the contacts of ids go by now. A shared id has a contact by itself, which there
-- may not be yet.
select i.name, (case when i.shared then chr(1) || 'shared' || chr(1) || i.name else c.user_id end)::text as user_id
from bucketgen.identities i
join bucketgen.contacts c on c.id = i.contact_id
where i.name = any (@names::text[]);

-- name: IdentitiesMerge :exec
-- Gives a contact all ids of one that is merged into it, or of itself by a former name. Only the
-- holder of the lock of a name's contact waits for its row. The names lead to another contact now
-- without a transition: readers that cache them learn of it from hidings.
with names as (
    update bucketgen.identities i set contact_id = @into_id where i.contact_id = @from_id
), shown as (
    insert into bucketgen.hidings (user_id, at)
    select n.name, @now from unnest(array[@from_name::text, @into_name::text]) as n (name)
    on conflict do nothing
)
insert into bucketgen.identities (kind, value, contact_id, added_at)
values (@kind, @value, @into_id, @now);

-- name: IdentitiesUsers :many
-- The contacts that names lead to. The limit makes the planner find each name by the index, instead
-- of reading all of them.
select w.name::text as name, c.id, c.user_id, c.deleted
from unnest(@names::text[]) as w (name)
cross join lateral (
    select k.id, k.user_id, (k.deleted_at is not null)::boolean as deleted
    from bucketgen.contacts k where k.user_id = w.name and k.merged_at is null
    union all
    select (case when i.shared then 0 else k.id end)::bigint,
        (case when i.shared then chr(1) || 'shared' || chr(1) || i.name else k.user_id end)::text,
        (k.deleted_at is not null and not i.shared)::boolean
    from bucketgen.identities i
    join bucketgen.contacts k on k.id = i.contact_id
    where i.name = w.name
    limit 1
) c;

-- name: IdentitiesAttach :many
-- Gives ids that lead nowhere to contacts that have few of their kind. An id that somehow leads to
-- a contact by now stays there. The lock keeps a merge away, which would leave the id with a
-- contact that is gone. Names are inserted in the order in which ContactsCreate inserts them.
with wanted as (
    select unnest(@names::text[]) as name, unnest(@kinds::text[]) as kind, unnest(@values::text[]) as value,
        unnest(@owners::text[]) as owner, unnest(@most::integer[]) as most
), owners as (
    select c.id, c.user_id from bucketgen.contacts c
    where c.user_id = any (@owners) and c.merged_at is null
    order by c.user_id
    for no key update
), few as (
    select w.name, w.kind, w.value, o.id
    from wanted w
    join owners o on o.user_id = w.owner
    where (select count(*) from bucketgen.identities i where i.contact_id = o.id and i.kind = w.kind) < w.most
), taken as (
    insert into bucketgen.contacts (user_id, created_at, updated_at, written_at, generation, deleted_at, merged_at)
    select f.name, @now, @now, '-infinity', (select g.no from bucketgen.generation g), @now, @now
    from few f
    order by f.name
    on conflict (user_id) do nothing
    returning user_id
)
insert into bucketgen.identities (kind, value, contact_id, added_at)
select f.kind, f.value, f.id, @now
from few f
join taken t on t.user_id = f.name
returning name;

-- name: IdentitiesShare :exec
-- Takes ids away from their contacts, under the locks of those.
with owners as (
    select c.id from bucketgen.identities i
    join bucketgen.contacts c on c.id = i.contact_id
    where i.name = @name
    for no key update of c
), shown as (
    insert into bucketgen.hidings (user_id, at)
    values (@name, @now)
    on conflict do nothing
)
update bucketgen.identities i
set shared = true
where i.name = @name and i.contact_id in (select o.id from owners o);

-- name: IdentitiesList :many
-- The ids that lead to a contact, beside the one that it goes by, the oldest first. It has one row
-- without an id if there are none.
select c.user_id, c.deleted_at, i.kind, i.value, i.shared, i.added_at
from bucketgen.names n
join bucketgen.contacts c on c.id = n.contact_id
left join bucketgen.identities i on i.contact_id = c.id
where n.name = @name
order by i.added_at, i.name
limit @size::integer;
