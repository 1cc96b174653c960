-- name: AdvancesAround :many
-- What happened in sequences with a key between two instants, in order.
select w.user_id::text as user_id, w.place::integer as place, k.occurred_at, k.steps
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@sequence_nos::integer[]) as sequence_no, unnest(@keys::text[]) as key,
        unnest(@begins::timestamptz[]) as begin_at, unnest(@ends::timestamptz[]) as end_at, unnest(@places::integer[]) as place
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select a.occurred_at, a.id, a.steps
    from bucketgen.advances a
    where a.contact_id = c.id and a.sequence_no = w.sequence_no and a.key = w.key
        and a.occurred_at > w.begin_at and a.occurred_at < w.end_at
    order by a.occurred_at, a.id
) k
order by w.place, k.occurred_at, k.id;

-- name: AdvancesInsert :exec
-- In the order in which they are given: the id is the arrival number.
insert into bucketgen.advances (contact_id, sequence_no, key, occurred_at, steps)
select a.contact_id, a.sequence_no, a.key, a.occurred_at, a.steps
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@sequence_nos::integer[]) as sequence_no, unnest(@keys::text[]) as key,
        unnest(@occurred_at::timestamptz[]) as occurred_at, unnest(@steps::integer[]) as steps
) as a;
