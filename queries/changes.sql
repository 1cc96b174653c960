-- name: ChangesOf :many
-- The last changes of some properties, of users whose present version the caller does not know.
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

-- name: ChangesDated :many
-- The last changes of certain properties of users, of those that have changed.
select w.user_id::text as user_id, h.property_no, h.was, h.changed_at, h.was_at
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@property_nos::integer[]) as property_no
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select * from bucketgen.changes a
    where a.contact_id = c.id and a.property_no = w.property_no
    limit 1
) h;

-- name: ChangesPut :exec
-- Stores what declared properties were before they changed. If the date of that is not known, the
-- property changed to its newest value: the value before was sent last when it began, as far as is
-- known.
insert into bucketgen.changes (contact_id, property_no, was, changed_at, was_at)
select h.contact_id, h.property_no, nullif(h.was, 'null')::jsonb, h.changed_at, h.was_at
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@property_nos::integer[]) as property_no,
        unnest(@was::text[]) as was, unnest(@changed_at::timestamptz[]) as changed_at, unnest(@was_at::timestamptz[]) as was_at
) as h
on conflict (contact_id, property_no) do update
set was = excluded.was, changed_at = excluded.changed_at, was_at = coalesce(excluded.was_at, bucketgen.changes.changed_at);
