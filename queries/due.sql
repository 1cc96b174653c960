-- name: DueOf :many
-- (Offset 0 keeps the planner from joining whole tables where it believes them to be small.)
select w.user_id::text as user_id, d.bucket_no, d.due_at
from (select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
cross join lateral (select * from bucketgen.due u where u.contact_id = c.id offset 0) d;

-- name: DuePut :exec
-- Sets due instants.
insert into bucketgen.due (contact_id, bucket_no, due_at)
select unnest(@contact_ids::bigint[]), unnest(@bucket_nos::integer[]), unnest(@due_at::timestamptz[])
on conflict (contact_id, bucket_no) do update set due_at = excluded.due_at;

-- name: DueForget :exec
delete from bucketgen.due d
using (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@bucket_nos::integer[]) as bucket_no) as f
where d.contact_id = f.contact_id and d.bucket_no = f.bucket_no;

-- name: DueNext :one
-- The earliest due instant of those buckets, or no row. (Is true: see ContactsLockDue.)
select d.due_at
from bucketgen.due d
where (d.bucket_no in (select unnest(@bucket_nos::integer[]))) is true
order by d.due_at
limit 1;

-- name: DueAhead :many
-- How many due instants come in each hour until a time, those that are overdue in the present one.
select date_trunc('hour', greatest(d.due_at, @now::timestamptz), 'UTC')::timestamptz as hour, count(*)::bigint as due
from (
    select k.due_at from bucketgen.due k where k.due_at < @until order by k.due_at limit @most::integer
) d
group by 1
order by 1;
