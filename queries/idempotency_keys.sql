-- name: IdempotencyKeysSeen :many
-- Which of the given keys their users have used before.
select w.user_id::text as user_id, k.key
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@keys::text[]) as key
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (
    select i.key from bucketgen.idempotency_keys i where i.contact_id = c.id and i.origin = '' and i.key = w.key limit 1
) k;

-- name: IdempotencyKeysInsert :exec
insert into bucketgen.idempotency_keys (contact_id, key, seen_at)
select unnest(@contact_ids::bigint[]), unnest(@keys::text[]), unnest(@seen_at::timestamptz[]);

-- name: IdempotencyKeysForget :execrows
-- Removes keys that are older than the horizon within which repetitions are recognised, some at a
-- time. It finds them by ctid, because the planner would join the whole table by their keys.
delete from bucketgen.idempotency_keys k
where k.ctid = any (array(select o.ctid from bucketgen.idempotency_keys o where o.seen_at < @before limit @most::integer));
