-- name: TotalsOf :many
-- Of each pair of user and signal. One that never occurred has a count of 0.
select w.user_id::text as user_id, w.signal_no::integer as signal_no, coalesce(t.count, 0)::bigint as count,
    t.first_at, t.last_at, t.first_value, t.last_value
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@signal_nos::integer[]) as signal_no
) as w
cross join lateral (
    select coalesce(nullif(w.contact_id, 0), (select k.id from bucketgen.contacts k where k.user_id = w.user_id)) as id
) c
left join lateral (
    select * from bucketgen.totals k where k.contact_id = c.id and k.signal_no = w.signal_no limit 1
) t on true;

-- name: TotalsAll :many
-- How often each signal occurred that ever did, and when.
select t.contact_id, t.signal_no, t.count, t.first_at, t.last_at
from (select unnest(@contact_ids::bigint[]) as contact_id) as w
cross join lateral (select * from bucketgen.totals k where k.contact_id = w.contact_id offset 0) t;
