-- name: IdentitiesOf :many
-- The names that the contacts of ids go by now. A shared id has a contact by itself, which there
-- may not be yet.
select i.name, (case when i.shared then chr(1) || 'shared' || chr(1) || i.name else c.user_id end)::text as user_id,
    (case when i.shared then 0 else c.id end)::bigint as contact_id
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
insert into bucketgen.identities (kind, value, contact_id, added_at, seen_at)
values (@kind, @value, @into_id, @now, @seen_at);

-- name: IdentitiesUsers :many
-- The contacts that names lead to, and when an id that is not the contact's name was seen last. The
-- limit makes the planner find each name by the index, instead of reading all of them.
select w.name::text as name, c.id, c.user_id, c.deleted, c.seen_at
from unnest(@names::text[]) as w (name)
cross join lateral (
    select k.id, k.user_id, (k.deleted_at is not null)::boolean as deleted, 'infinity'::timestamptz as seen_at
    from bucketgen.contacts k where k.user_id = w.name and k.merged_at is null
    union all
    select (case when i.shared then 0 else k.id end)::bigint,
        (case when i.shared then chr(1) || 'shared' || chr(1) || i.name else k.user_id end)::text,
        (k.deleted_at is not null and not i.shared)::boolean, case when i.shared then 'infinity' else i.seen_at end
    from bucketgen.identities i
    join bucketgen.contacts k on k.id = i.contact_id
    where i.name = w.name
    limit 1
) c;

-- name: IdentitiesAttach :many
-- Gives ids that lead nowhere to contacts that have few of their kind: of anonymous ids any number,
-- see IdentitiesTrim. An id that somehow leads to a contact by now stays there. The lock keeps a
-- merge away, which would leave the id with a contact that is gone. Names are inserted in the order
-- in which ContactsCreate inserts them.
with wanted as (
    select unnest(@names::text[]) as name, unnest(@kinds::text[]) as kind, unnest(@values::text[]) as value,
        unnest(@owners::text[]) as owner, unnest(@most::integer[]) as most, unnest(@nows::timestamptz[]) as now,
        unnest(@seen_at::timestamptz[]) as seen_at, unnest(@places::integer[]) as place
), owners as (
    select c.id, c.user_id from bucketgen.contacts c
    where c.user_id = any (@owners) and c.merged_at is null
    order by c.user_id
    for no key update
), few as (
    select w.name, w.kind, w.value, w.now, w.seen_at, o.id
    from (select w.*, row_number() over (partition by w.owner, w.kind order by w.place) as further from wanted w) w
    join owners o on o.user_id = w.owner
    where w.kind = 'anonymous' or w.most >= w.further + starts_with(o.user_id, chr(1) || w.kind || chr(1))::integer
        + (select count(*) from bucketgen.identities i where i.contact_id = o.id and i.kind = w.kind and not i.shared)
), taken as (
    insert into bucketgen.contacts (user_id, created_at, updated_at, written_at, generation, deleted_at, merged_at)
    select f.name, f.now, f.now, '-infinity', (select g.no from bucketgen.generation g), f.now, f.now
    from few f
    order by f.name
    on conflict (user_id) do nothing
    returning user_id
)
insert into bucketgen.identities (kind, value, contact_id, added_at, seen_at)
select f.kind, f.value, f.id, f.now, f.seen_at
from few f
join taken t on t.user_id = f.name
returning name;

-- name: IdentitiesSeen :exec
-- Notes the day on which ids of contacts were seen, under the locks of the contacts.
update bucketgen.identities i
set seen_at = s.seen_at
from (select unnest(@names::text[]) as name, unnest(@owners::text[]) as owner, unnest(@seen_at::timestamptz[]) as seen_at) s
join bucketgen.contacts c on c.user_id = s.owner
where i.name = s.name and i.contact_id = c.id and i.seen_at < s.seen_at;

-- name: IdentitiesTrim :many
-- Detaches the anonymous ids of contacts that were seen longest ago, beyond a number of them, under
-- the locks of the contacts. The name of such an id becomes free, as in ExpiredEnd: what comes by
-- it is that of a new contact. What was merged into the contact by that name stays, if it was ever
-- in a bucket. A name whose row another transaction has locked is left for the next time, since
-- that one may wait for the lock of the contact.
with ranked as (
    select i.name, i.contact_id, i.shared,
        row_number() over (partition by i.contact_id order by i.seen_at desc, i.added_at desc, i.name desc)
            + starts_with(o.user_id, chr(1) || 'anonymous' || chr(1))::integer as place
    from bucketgen.contacts o
    join bucketgen.identities i on i.contact_id = o.id
    where o.user_id = any (@owners::text[]) and o.merged_at is null and i.kind = 'anonymous' and not i.shared
), free as (
    select k.id, k.user_id
    from ranked r
    join bucketgen.contacts k on k.user_id = r.name
    where r.place > @most::integer
    order by k.user_id
    for no key update of k skip locked
), gone as (
    delete from bucketgen.identities i using free f where i.name = f.user_id
), shown as (
    insert into bucketgen.hidings (user_id, at, erased)
    select f.user_id, @now, true from free f
    on conflict do nothing
)
update bucketgen.contacts c
set user_id = c.user_id || chr(1) || c.id, properties = '{}', version = c.version + 1, cache_owner = 0,
    erase_at = case when not exists (select from bucketgen.memberships m where m.contact_id = c.id) then @now::timestamptz end
from free f
where c.id = f.id
returning f.user_id::text as name;

-- name: IdentitiesReclaim :exec
-- Gives a shared id to the contact into which the contact of the id was merged, under the locks of
-- both. The name of that one becomes free, so that the id may become shared once more.
with freed as (
    update bucketgen.contacts c set user_id = c.user_id || chr(1) || c.id where c.id = @from_id
), gone as (
    delete from bucketgen.identities i where i.name = chr(1) || 'shared' || chr(1) || @name::text
), shown as (
    insert into bucketgen.hidings (user_id, at) values (@name, @now)
    on conflict do nothing
)
update bucketgen.identities i
set shared = false, contact_id = @into_id, added_at = @now, seen_at = @seen_at
where i.name = @name and i.shared;

-- name: IdentitiesCount :many
-- How many ids two contacts have together of each kind of which one of them has any, with the names
-- by which they go. By starts_with the planner would read a range of user ids.
select k.kind::text as kind, count(*)::integer as ids
from (
    select i.kind, i.contact_id from bucketgen.identities i where i.contact_id in (@from_id::bigint, @into_id::bigint) and not i.shared
    union all
    select split_part(c.user_id, chr(1), 2), c.id from bucketgen.contacts c where c.id in (@from_id, @into_id) and "left"(c.user_id, 1) = chr(1)
) k
group by k.kind
having bool_or(k.contact_id = @from_id);

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

-- name: IdentitiesFacts :one
-- What doctor says about ids. Of each it reads up to a number of rows.
--
-- Unclean are names that no event writes: it trims blanks, and lowers an e-mail address. Names were
-- stored that way before events did, so the oldest contacts are read; each name has a contact. One
-- with a further U+0001 is that of a contact that is gone. Stopped are the contacts that a number
-- of others, or more, became by the ids of events since a time.
select
    array(
        select w.user_id
        from (
            select c.id, c.user_id, split_part(c.user_id, chr(1), 2) as kind,
                case when starts_with(c.user_id, chr(1)) then split_part(c.user_id, chr(1), 3) else c.user_id end as value
            from bucketgen.contacts c
            order by c.id
            limit @oldest::integer
        ) w
        where split_part(w.user_id, chr(1), 4) = ''
            and w.value <> case when w.kind = 'email'
                then translate(btrim(w.value, @blanks::text), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
                else btrim(w.value, @blanks) end
        order by w.id
        limit @size::integer
    )::text[] as unclean,
    array(
        select c.user_id
        from (
            select m.contact_id from bucketgen.merges m
            where m.kind = 'automatic' and m.at > @since
            order by m.at desc
            limit @newest::integer
        ) m
        join bucketgen.contacts c on c.id = m.contact_id
        group by c.user_id
        having count(*) >= @most::bigint
        order by c.user_id
        limit @size
    )::text[] as stopped,
    array(
        select i.name from bucketgen.identities i
        where i.shared
        order by i.name
        limit @size
    )::text[] as shared;
