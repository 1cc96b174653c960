-- The rows of a user who is merged into another, under the locks of both. What is derived from the
-- log is removed, and derived anew for the survivor.

-- name: EventsMerge :exec
-- Moves the loser's events to the survivor, after the survivor's own: they get new ids, in the old
-- order.
with moved as (
    delete from bucketgen.events e where e.contact_id = @from_id
    returning e.event_no, e.occurred_at, e.id, e.received_at, e.kind, e.properties, e.traits, e.origin_id
)
insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties, traits, origin_id)
select @into_id::bigint, m.event_no, m.occurred_at, m.received_at, m.kind, m.properties, m.traits, coalesce(m.origin_id, @from_id::bigint) as origin_id
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

-- name: ContactsMerge :exec
-- Of each property, the survivor gets the value with the newer date, and its dates. A value without
-- a date fills a gap. It is one statement, so that all of it sees what was before.
with pair as (
    select survivor.id, survivor.properties as own, loser.properties as theirs, survivor.repeats as own_repeats,
        loser.repeats as their_repeats, loser.email, loser.updated_at, coalesce(loser.written_at, loser.updated_at) as written_at
    from bucketgen.contacts survivor, bucketgen.contacts loser
    where survivor.id = @into_id and loser.id = @from_id
), dated as (
    select p.no, p.name, b.own ? p.name as has, b.theirs ? p.name as gives,
        greatest(o.changed_at, timestamptz 'epoch' + (b.own_repeats ->> p.no::text)::bigint * interval '1 microsecond') as own_at,
        greatest(t.changed_at, timestamptz 'epoch' + (b.their_repeats ->> p.no::text)::bigint * interval '1 microsecond') as their_at
    from pair b
    cross join bucketgen.properties p
    left join bucketgen.changes o on o.contact_id = @into_id and o.property_no = p.no
    left join bucketgen.changes t on t.contact_id = @from_id and t.property_no = p.no
), taken as (
    select d.no, d.name
    from dated d
    where coalesce(d.their_at > d.own_at, d.their_at is not null or d.own_at is null and d.gives and not d.has)
), changed as (
    insert into bucketgen.changes (contact_id, property_no, was, changed_at, was_at)
    select @into_id, c.property_no, c.was, c.changed_at, c.was_at
    from bucketgen.changes c
    where c.contact_id = @from_id and c.property_no in (select taken.no from taken)
    on conflict (contact_id, property_no) do update set was = excluded.was, changed_at = excluded.changed_at, was_at = excluded.was_at
), unchanged as (
    delete from bucketgen.changes c
    where c.contact_id = @into_id and c.property_no in (select taken.no from taken)
        and not exists (select from bucketgen.changes t where t.contact_id = @from_id and t.property_no = c.property_no)
)
update bucketgen.contacts s
set properties = (b.theirs - array(select d.name from dated d where d.no not in (select taken.no from taken)))
        || (b.own - array(select taken.name from taken)),
    repeats = nullif(
        coalesce(b.their_repeats - array(select d.no::text from dated d where d.no not in (select taken.no from taken)), '{}')
        || coalesce(b.own_repeats - array(select taken.no::text from taken), '{}'), '{}'),
    email = case when 'email' in (select taken.name from taken) or not b.own ? 'email' and 'email' not in (select d.name from dated d)
        then b.email else s.email end,
    written_at = greatest(coalesce(s.written_at, s.updated_at), b.written_at),
    updated_at = greatest(s.updated_at, b.updated_at), version = s.version + 1
from pair b
where s.id = b.id;

-- name: ContactsMerged :exec
-- Removes everything of the loser but the name. The email address stays, for deliveries that still
-- wait.
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
set properties = '{}', version = c.version + 1, cache_owner = 0, updated_at = @now, deleted_at = @now, merged_at = @now
where c.id = @from_id;

-- name: MembershipsMerge :exec
-- Moves stays of the loser to the survivor, under the numbers that were decided, with their
-- transitions. Their waiting deliveries move too, in the order of ids, in which dispatchers lock
-- them. A dispatcher that is making one of these loses the lease: the delivery goes out again, for
-- the survivor. No delivery of the loser stays marked as behind another, which may be one that
-- moves; the next claim marks them again.
with moved as (
    select unnest(@bucket_nos::integer[]) as bucket_no, unnest(@entry_counts::integer[]) as entry_count, unnest(@nexts::integer[]) as next
), stays as (
    update bucketgen.memberships m
    set contact_id = @into_id, entry_count = moved.next, changed_by = pg_current_xact_id(),
        entered_as = case when m.left_at is null then coalesce(m.entered_as, @from_name::text) else m.entered_as end
    from moved
    where m.contact_id = @from_id and m.bucket_no = moved.bucket_no and m.entry_count = moved.entry_count
), log as (
    update bucketgen.transitions t
    set contact_id = @into_id, entry_count = moved.next, life = (select c.life from bucketgen.contacts c where c.id = @into_id),
        entered_as = coalesce(t.entered_as, @from_name)
    from moved
    where t.contact_id = @from_id and t.bucket_no = moved.bucket_no and t.entry_count = moved.entry_count
    returning t.id
), waiting as (
    select d.contact_id, d.subscription_no, d.bucket_no, d.id, d.transition_id in (select log.id from log) as moves
    from bucketgen.deliveries d
    where d.contact_id = @from_id and d.state = 'waiting' and exists (select from log)
    order by d.id
    for update
), dead as (
    update bucketgen.deliveries d
    set contact_id = @into_id
    where d.contact_id = @from_id and d.state <> 'waiting' and d.transition_id in (select log.id from log)
)
update bucketgen.deliveries d
set behind = false, contact_id = case when w.moves then @into_id else d.contact_id end,
    leased_until = case when not w.moves then d.leased_until end, lease = case when not w.moves then d.lease end
from waiting w
where d.contact_id = w.contact_id and d.subscription_no = w.subscription_no and d.bucket_no = w.bucket_no and d.id = w.id;

-- name: ContactsPromote :exec
-- Gives a contact another name. No cache has the contact under that. A user of that name may have
-- been erased: then this is the next life of the name, as in ContactsCreate.
update bucketgen.contacts c
set user_id = @into_name, cache_owner = 0, version = c.version + 1,
    life = greatest(c.life, 1 + coalesce((select s.lives from bucketgen.suppressions s where s.hash = sqlc.narg('hash')::bytea), 0))
where c.id = @contact_id;

-- name: MembershipsPromote :exec
-- Notes the former name of a contact with the stays that it entered by that, and with what happened
-- by it, which may still be delivered.
with stays as (
    update bucketgen.memberships m
    set entered_as = @from_name::text
    where m.contact_id = @contact_id and m.left_at is null and m.entered_as is null
)
update bucketgen.transitions t
set entered_as = @from_name::text
where t.contact_id = @contact_id and t.entered_as is null and t.bucket_no > 0;

-- name: NoticesMerged :exec
-- Logs that a contact became another, and puts the notice into the outbox. The row of the merge was
-- inserted before.
with made as (
    insert into bucketgen.transitions (
        contact_id, bucket_no, entry_count, kind, dwell_count, membership_id, at, decided_at, source, notice
    )
    select m.contact_id, 0, 0, 'merged', m.id, m.id, m.at, m.at, case when m.kind = 'merge' then 'manual' else 'event' end,
        jsonb_build_object('from', m.from_name, 'into', m.into_name)
    from bucketgen.merges m
    where m.contact_id = @into_id::bigint
    order by m.id desc
    limit 1
    returning contact_id, bucket_no, id, kind, decided_at
)
insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at)
select made.contact_id, s.no, made.bucket_no, made.id, made.decided_at
from made
join bucketgen.subscriptions s on s.bucket_no is null and made.kind = any (s.kinds);

-- name: ContactsLeave :exec
-- Keeps the former name of a contact that was promoted, for those who wait for its lock.
insert into bucketgen.contacts (user_id, created_at, updated_at, written_at, generation, deleted_at, merged_at)
values (@name, @now, @now, '-infinity', (select g.no from bucketgen.generation g), @now, @now);

-- name: MergesAdd :exec
-- Notes a merge, before the loser's rows move.
insert into bucketgen.merges (contact_id, from_id, kind, from_name, into_name, at, actor, properties, stays)
select @into_id::bigint, c.id, @kind::text, @from_name::text, @into_name::text, @now::timestamptz, sqlc.narg('actor')::text, c.properties, coalesce((
    select jsonb_agg(jsonb_build_object('bucket', s.bucket_no, 'was', s.entry_count, 'is', s.next))
    from (select unnest(@bucket_nos::integer[]) as bucket_no, unnest(@entry_counts::integer[]) as entry_count, unnest(@nexts::integer[]) as next) as s
), '[]')::jsonb
from bucketgen.contacts c
where c.id = @from_id;

-- name: MergesLately :one
-- How many contacts became a contact by the ids of events, since a time.
select count(*)::bigint as merges from (
    select 1 as one from bucketgen.merges m
    where m.contact_id = @contact_id and m.kind = 'automatic' and m.at > @since
    limit @most::integer
) as m;
