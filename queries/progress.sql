-- name: ProgressOf :many
-- How far users have come in sequences with a key.
select w.user_id::text as user_id, k.sequence_no, k.key, k.seen_at, k.begins, k.ends, k.answer_at, k.outcome_at
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@sequence_nos::integer[]) as sequence_no, unnest(@keys::text[]) as key
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select * from bucketgen.progress p
    where p.contact_id = c.id and p.sequence_no = w.sequence_no and p.key = w.key
    limit 1
) k;

-- name: ProgressNewest :many
-- When sequences were last completed, with any key.
select w.user_id::text as user_id, k.sequence_no, k.outcome_at
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@sequence_nos::integer[]) as sequence_no
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select p.sequence_no, p.outcome_at
    from bucketgen.progress p
    where p.contact_id = c.id and p.sequence_no = w.sequence_no and p.outcome_at is not null
    order by p.outcome_at desc
    limit 1
) k;

-- name: ProgressOpen :many
-- The oldest chains that ended after an instant and that nothing has answered, up to a number,
-- oldest first. Those that ended before are in the index and are not read.
select w.user_id::text as user_id, w.place::integer as place, k.key, k.outcome_at
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@sequence_nos::integer[]) as sequence_no,
        unnest(@after::timestamptz[]) as after, unnest(@most::integer[]) as most, unnest(@places::integer[]) as place
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select p.key, p.outcome_at
    from bucketgen.progress p
    where p.contact_id = c.id and p.sequence_no = w.sequence_no and p.outcome_at > coalesce(w.after, '-infinity')
    order by p.outcome_at
    limit w.most
) k;

-- name: ProgressPut :exec
insert into bucketgen.progress (contact_id, sequence_no, key, seen_at, begins, ends, answer_at, outcome_at)
select unnest(@contact_ids::bigint[]), unnest(@sequence_nos::integer[]), unnest(@keys::text[]), unnest(@seen_at::timestamptz[]),
    unnest(@begins::text[])::bigint[], unnest(@ends::text[])::bigint[], unnest(@answer_at::timestamptz[]),
    unnest(@outcome_at::timestamptz[])
on conflict (contact_id, sequence_no, key) do update set
    seen_at = excluded.seen_at, begins = excluded.begins, ends = excluded.ends, answer_at = excluded.answer_at,
    outcome_at = excluded.outcome_at;
