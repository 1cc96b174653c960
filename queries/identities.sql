-- name: IdentitiesOf :many
-- The names that users go by now, of those who were merged into others.
select i.value, c.user_id
from bucketgen.identities i
join bucketgen.contacts c on c.id = i.contact_id
where i.kind = 'user' and i.value = any (@names::text[]);

-- name: IdentitiesMerge :exec
-- Gives a user all names of one who is merged into them. Only the holder of the lock of a name's
-- user waits for its row. The names lead to another user now without a transition: readers that
-- cache them learn of it from hidings.
with names as (
    update bucketgen.identities i set contact_id = @into_id where i.contact_id = @from_id
), shown as (
    insert into bucketgen.hidings (user_id, at)
    select c.user_id, @now from bucketgen.contacts c where c.id in (@from_id, @into_id)
    on conflict do nothing
)
insert into bucketgen.identities (kind, value, contact_id)
select 'user', c.user_id, @into_id from bucketgen.contacts c where c.id = @from_id;

-- name: IdentitiesUsers :many
-- The users that names lead to, including names of merged users. The limit makes the planner find
-- each name by the index, instead of reading all of them.
select w.name::text as name, c.id, c.user_id, (c.deleted_at is not null)::boolean as deleted
from unnest(@names::text[]) as w (name)
cross join lateral (
    select k.id, k.user_id, k.deleted_at from bucketgen.contacts k where k.user_id = w.name and k.merged_at is null
    union all
    select k.id, k.user_id, k.deleted_at
    from bucketgen.identities i
    join bucketgen.contacts k on k.id = i.contact_id
    where i.kind = 'user' and i.value = w.name
    limit 1
) c;

-- name: IdentitiesAddAnonymous :exec
-- Gives an anonymous id to a user who has few names. An id stays with the user who had it first.
-- The lock keeps a merge away, which would leave the id with a user who is gone.
with owner as (
    select c.id from bucketgen.contacts c where c.user_id = @user_id and c.merged_at is null for no key update
)
insert into bucketgen.identities (kind, value, contact_id)
select 'anonymous', @anonymous_id, o.id
from owner o
where (select count(*) from bucketgen.identities i where i.contact_id = o.id) < @most::integer
on conflict do nothing;
