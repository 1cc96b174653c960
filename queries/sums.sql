-- name: SumsOf :many
-- Sums of users, with the oldest occurrences that are still in the window, up to a number.
select w.user_id::text as user_id, w.signal_no::integer as signal_no, w.time_window::text as time_window,
    coalesce(s.total, 0)::text as total, coalesce(s.count, 0)::bigint as count, s.cutoff,
    coalesce(o.instants, '{}')::timestamptz[] as instants, coalesce(o.numbers, '{}')::text[] as numbers
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@signal_nos::integer[]) as signal_no,
        unnest(@windows::text[]) as time_window, unnest(@oldest::integer[]) as oldest
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c
left join lateral (
    select * from bucketgen.sums k
    where k.contact_id = c.id and k.signal_no = w.signal_no and k.time_window = w.time_window
    limit 1
) s on true
left join lateral (
    select array_agg(k.occurred_at order by k.occurred_at, k.id) as instants,
        array_agg(k.value order by k.occurred_at, k.id) as numbers
    from (
        select p.occurred_at, p.id, p.value
        from bucketgen.occurrences p
        where p.contact_id = c.id and p.signal_no = w.signal_no and p.occurred_at > coalesce(s.cutoff, '-infinity')
        order by p.occurred_at, p.id
        limit w.oldest
    ) k
) o on true;

-- name: SumsPut :exec
insert into bucketgen.sums (contact_id, signal_no, time_window, total, count, cutoff)
select unnest(@contact_ids::bigint[]), unnest(@signal_nos::integer[]), unnest(@windows::text[]), unnest(@totals::text[])::numeric,
    unnest(@counts::bigint[]), unnest(@cutoffs::timestamptz[])
on conflict (contact_id, signal_no, time_window) do update set
    total = excluded.total, count = excluded.count, cutoff = excluded.cutoff;
