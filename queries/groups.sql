-- name: GroupsNewest :many
-- The groups of a signal with the newest occurrences, up to a number, the newest first.
select w.user_id::text as user_id, w.signal_no::integer as signal_no, g.name, g.occurred_at
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@signal_nos::integer[]) as signal_no, unnest(@newest::integer[]) as newest
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select k.name, k.occurred_at
    from bucketgen.groups k
    where k.contact_id = c.id and k.signal_no = w.signal_no
    order by k.occurred_at desc
    limit w.newest
) g;

-- name: GroupsPut :exec
insert into bucketgen.groups as g (contact_id, signal_no, name, occurred_at)
select unnest(@contact_ids::bigint[]), unnest(@signal_nos::integer[]), unnest(@names::text[]), unnest(@occurred_at::timestamptz[])
on conflict (contact_id, signal_no, name) do update set occurred_at = excluded.occurred_at
where excluded.occurred_at > g.occurred_at;
