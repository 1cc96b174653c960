-- name: IdentitiesOf :many
-- The names that users go by now, of those who were merged into others.
select i.value, c.user_id
from bucketgen.identities i
join bucketgen.contacts c on c.id = i.contact_id
where i.kind = 'user' and i.value = any (@names::text[]);

-- name: IdentitiesMerge :exec
-- Gives a user all names of one who is merged into them. Nobody waits for a row of these but whoever has the lock of the user
-- whose name it was.
with names as (
    update bucketgen.identities i set contact_id = @into_id where i.contact_id = @from_id
)
insert into bucketgen.identities (kind, value, contact_id)
select 'user', c.user_id, @into_id from bucketgen.contacts c where c.id = @from_id;
