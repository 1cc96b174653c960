-- name: TotalsOf :many
-- Of each pair of user and signal. One that never occurred has a count of 0.
select w.user_id::text as user_id, w.signal_no::integer as signal_no, coalesce(t.count, 0)::bigint as count,
    t.first_at, t.last_at, t.first_value, t.last_value
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@signal_nos::integer[]) as signal_no
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
left join lateral (
    select * from bucketgen.totals k where k.contact_id = c.id and k.signal_no = w.signal_no limit 1
) t on true;

-- name: TotalsAll :many
-- How often each signal occurred that ever did, and when.
select t.contact_id, t.signal_no, t.count, t.first_at, t.last_at
from (select unnest(@contact_ids::bigint[]) as contact_id) as w
cross join lateral (select * from bucketgen.totals k where k.contact_id = w.contact_id offset 0) t;

-- name: TotalsAdd :exec
-- Adds to totals. Of occurrences at one instant, the one that came first is the first, and the one
-- that came last the last.
insert into bucketgen.totals as t (contact_id, signal_no, count, first_at, last_at, first_value, last_value)
select a.contact_id, a.signal_no, a.count, a.first_at, a.last_at, nullif(a.first_value, ''), nullif(a.last_value, '')
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@signal_nos::integer[]) as signal_no,
        unnest(@counts::bigint[]) as count, unnest(@first_at::timestamptz[]) as first_at,
        unnest(@last_at::timestamptz[]) as last_at, unnest(@first_values::text[]) as first_value,
        unnest(@last_values::text[]) as last_value
) as a
on conflict (contact_id, signal_no) do update set
    count = t.count + excluded.count,
    first_at = least(t.first_at, excluded.first_at),
    first_value = case when excluded.first_at < t.first_at then excluded.first_value else t.first_value end,
    last_at = greatest(t.last_at, excluded.last_at),
    last_value = case when excluded.last_at >= t.last_at then excluded.last_value else t.last_value end;
