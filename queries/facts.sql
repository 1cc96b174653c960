-- name: FactsWrite :exec
-- Writes what is new about users, but for their stays: it logs events, in the order in which they are given, so that the id is
-- the arrival number; adds to totals; changes properties, and notes what declared ones were before; sets due instants. It is
-- one statement because each costs something by itself, and because of these tables none is written twice or read. Of
-- occurrences at one instant, the one that came first is the first, and the one that came last the last.
with total as (
    insert into bucketgen.totals as t (contact_id, signal_no, count, first_at, last_at, first_value, last_value)
    select a.contact_id, a.signal_no, a.count, a.first_at, a.last_at, nullif(a.first_value, ''), nullif(a.last_value, '')
    from (
        select unnest(@total_ids::bigint[]) as contact_id, unnest(@signal_nos::integer[]) as signal_no,
            unnest(@counts::bigint[]) as count, unnest(@first_at::timestamptz[]) as first_at,
            unnest(@last_at::timestamptz[]) as last_at, unnest(@first_values::text[]) as first_value,
            unnest(@last_values::text[]) as last_value
    ) as a
    on conflict (contact_id, signal_no) do update set
        count = t.count + excluded.count,
        first_at = least(t.first_at, excluded.first_at),
        first_value = case when excluded.first_at < t.first_at then excluded.first_value else t.first_value end,
        last_at = greatest(t.last_at, excluded.last_at),
        last_value = case when excluded.last_at >= t.last_at then excluded.last_value else t.last_value end
), patched as (
    update bucketgen.contacts c
    set properties = (c.properties || p.set::jsonb) - array(select jsonb_array_elements_text(p.remove::jsonb)),
        version = c.version + 1,
        email = case when p.email_changed then nullif(p.email, '') else c.email end,
        updated_at = p.at, holder = p.holder
    from (
        select unnest(@patched_ids::bigint[]) as contact_id, unnest(@sets::text[]) as set,
            unnest(@removes::text[]) as remove, unnest(@emails::text[]) as email,
            unnest(@emails_changed::boolean[]) as email_changed, unnest(@ats::timestamptz[]) as at,
            unnest(@holders::bigint[]) as holder
    ) as p
    where c.id = p.contact_id
), changed as (
    insert into bucketgen.changes (contact_id, property_no, was, changed_at)
    select h.contact_id, h.property_no, nullif(h.was, 'null')::jsonb, h.changed_at
    from (
        select unnest(@changed_ids::bigint[]) as contact_id, unnest(@property_nos::integer[]) as property_no,
            unnest(@was::text[]) as was, unnest(@changed_at::timestamptz[]) as changed_at
    ) as h
    on conflict (contact_id, property_no) do update set was = excluded.was, changed_at = excluded.changed_at
), scheduled as (
    insert into bucketgen.due (contact_id, bucket_no, due_at)
    select unnest(@due_ids::bigint[]), unnest(@bucket_nos::integer[]), unnest(@due_at::timestamptz[])
    on conflict (contact_id, bucket_no) do update set due_at = excluded.due_at
)
insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties, traits)
select e.contact_id, e.event_no, e.occurred_at, e.received_at, e.kind,
    nullif(e.properties, '')::jsonb, nullif(e.traits, '')::jsonb
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@event_nos::integer[]) as event_no,
        unnest(@occurred_at::timestamptz[]) as occurred_at,
        unnest(@received_at::timestamptz[]) as received_at, unnest(@kinds::text[]) as kind,
        unnest(@properties::text[]) as properties, unnest(@traits::text[]) as traits
) as e;
