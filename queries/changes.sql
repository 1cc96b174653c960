-- name: ChangesOf :many
-- The last changes of some properties, of those users of whom the caller does not know the present version already.
select w.user_id::text as user_id, h.property_no, h.was, h.changed_at
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@ids::bigint[]) as id, unnest(@versions::bigint[]) as version
) as w
cross join lateral (
    select k.id from bucketgen.contacts k
    where k.user_id = w.user_id and (k.id <> w.id or k.version <> w.version)
    limit 1
) c
cross join lateral (
    select * from bucketgen.changes a
    where a.contact_id = c.id and a.property_no = any (@property_nos::integer[])
    offset 0
) h;
