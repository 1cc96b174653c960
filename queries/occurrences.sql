-- name: OccurrencesNewest :many
-- As EventsNewest, of signals.
select w.user_id::text as user_id, w.signal_no::integer as signal_no, array(
    select o.occurred_at
    from bucketgen.occurrences o
    where o.contact_id = c.id and o.signal_no = w.signal_no
    order by o.occurred_at desc, o.id desc
    limit w.newest
)::timestamptz[] as newest
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@signal_nos::integer[]) as signal_no, unnest(@newest::integer[]) as newest
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c;

-- name: OccurrencesAround :many
-- As EventsAround, of signals.
select w.user_id::text as user_id, w.signal_no::integer as signal_no, w.place::integer as place, array(
    select o.occurred_at
    from bucketgen.occurrences o
    where o.contact_id = c.id and o.signal_no = w.signal_no and o.occurred_at <= w.window_end
    order by o.occurred_at desc, o.id desc
    limit w.earlier
)::timestamptz[] as earlier, array(
    select o.occurred_at
    from bucketgen.occurrences o
    where o.contact_id = c.id and o.signal_no = w.signal_no and o.occurred_at > w.window_end
    order by o.occurred_at, o.id
    limit w.later
)::timestamptz[] as later
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@signal_nos::integer[]) as signal_no, unnest(@places::integer[]) as place,
        unnest(@window_ends::timestamptz[]) as window_end, unnest(@earlier::integer[]) as earlier, unnest(@later::integer[]) as later
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c;

-- name: OccurrencesInsert :exec
-- In the order in which they are given: the id is the arrival number.
insert into bucketgen.occurrences (contact_id, signal_no, occurred_at, value)
select o.contact_id, o.signal_no, o.occurred_at, nullif(o.value, '')
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@signal_nos::integer[]) as signal_no,
        unnest(@occurred_at::timestamptz[]) as occurred_at, unnest(@values::text[]) as value
) as o;
