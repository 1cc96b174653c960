-- What becomes of the rows of a user who is merged into another, under the locks of both. What is made from the log goes, and
-- is made anew for the survivor.

-- name: EventsMerge :exec
-- What the loser did arrives at the survivor now, after all that they did themselves: it is given new ids, in the old order.
with moved as (
    delete from bucketgen.events e where e.contact_id = @from_id
    returning e.event_no, e.occurred_at, e.id, e.received_at, e.kind, e.properties, e.traits
)
insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties, traits)
select @into_id::bigint, m.event_no, m.occurred_at, m.received_at, m.kind, m.properties, m.traits
from moved m
order by m.id;

-- name: IdempotencyKeysMerge :exec
with moved as (
    delete from bucketgen.idempotency_keys k where k.contact_id = @from_id
    returning k.origin, k.key, k.seen_at
)
insert into bucketgen.idempotency_keys (contact_id, origin, key, seen_at)
select @into_id::bigint, m.origin, m.key, m.seen_at
from moved m
on conflict do nothing;

-- name: ChangesMerge :exec
-- The last change of a property goes with its value: to whoever has none. It comes before ContactsMerge, which gives them the
-- value.
with gaps as (
    select p.no, loser.properties ? p.name as filled
    from bucketgen.properties p
    join bucketgen.contacts loser on loser.id = @from_id
    join bucketgen.contacts survivor on survivor.id = @into_id
    where not survivor.properties ? p.name
), emptied as (
    delete from bucketgen.changes c
    using gaps
    where gaps.filled and c.contact_id = @into_id and c.property_no = gaps.no
        and not exists (select from bucketgen.changes o where o.contact_id = @from_id and o.property_no = gaps.no)
)
insert into bucketgen.changes (contact_id, property_no, was, changed_at)
select @into_id::bigint, c.property_no, c.was, c.changed_at
from bucketgen.changes c
join gaps on gaps.no = c.property_no
where c.contact_id = @from_id
on conflict (contact_id, property_no) do update set was = excluded.was, changed_at = excluded.changed_at
where (select gaps.filled from gaps where gaps.no = excluded.property_no);

-- name: ContactsMerge :exec
-- What is known of the loser fills the gaps in what is known of the survivor.
update bucketgen.contacts s
set properties = l.properties || s.properties,
    email = case when s.properties ? 'email' then s.email else l.email end,
    updated_at = greatest(s.updated_at, l.updated_at), version = s.version + 1
from bucketgen.contacts l
where s.id = @into_id and l.id = @from_id;

-- name: ContactsMerged :exec
-- Leaves nothing of the loser but their name. The email address stays, for deliveries that still wait.
with changes as (
    delete from bucketgen.changes t where t.contact_id = @from_id
), due as (
    delete from bucketgen.due t where t.contact_id = @from_id
), occurrences as (
    delete from bucketgen.occurrences t where t.contact_id = @from_id
), totals as (
    delete from bucketgen.totals t where t.contact_id = @from_id
), groups as (
    delete from bucketgen.groups t where t.contact_id = @from_id
), sums as (
    delete from bucketgen.sums t where t.contact_id = @from_id
), progress as (
    delete from bucketgen.progress t where t.contact_id = @from_id
), advances as (
    delete from bucketgen.advances t where t.contact_id = @from_id
)
update bucketgen.contacts c
set properties = '{}', version = c.version + 1, holder = 0, updated_at = @now, deleted_at = @now, merged_at = @now
where c.id = @from_id;

-- name: MembershipsMerge :exec
-- Stays of the loser become the survivor's, by the numbers that were decided, with all that happened to them. What of it still
-- waits to be delivered goes with it, in the order of ids, in which whoever settles deliveries locks them. Who is at one of these
-- has lost the lease: it comes again, by the other name.
with moved as (
    select unnest(@bucket_nos::integer[]) as bucket_no, unnest(@epochs::integer[]) as epoch, unnest(@nexts::integer[]) as next
), stays as (
    update bucketgen.memberships m
    set contact_id = @into_id, epoch = moved.next, changed_by = pg_current_xact_id()
    from moved
    where m.contact_id = @from_id and m.bucket_no = moved.bucket_no and m.epoch = moved.epoch
), log as (
    update bucketgen.transitions t
    set contact_id = @into_id, epoch = moved.next
    from moved
    where t.contact_id = @from_id and t.bucket_no = moved.bucket_no and t.epoch = moved.epoch
    returning t.id
), waiting as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id
    from bucketgen.deliveries d
    where d.contact_id = @from_id and d.transition_id in (select log.id from log)
    order by d.id
    for update
)
update bucketgen.deliveries d
set contact_id = @into_id, leased_until = null, lease = null
from waiting w
where d.contact_id = w.contact_id and d.subscription_no = w.subscription_no and d.bucket_no = w.bucket_no and d.id = w.id;
