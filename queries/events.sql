-- name: EventsInsert :exec
-- Logs events, in the order in which they are given, so that the id is the arrival number.
insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties, traits)
select e.contact_id, e.event_no, e.occurred_at, e.received_at, e.kind,
    nullif(e.properties, '')::jsonb, nullif(e.traits, '')::jsonb
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@event_nos::integer[]) as event_no,
        unnest(@occurred_at::timestamptz[]) as occurred_at,
        unnest(@received_at::timestamptz[]) as received_at, unnest(@kinds::text[]) as kind,
        unnest(@properties::text[]) as properties, unnest(@traits::text[]) as traits
) as e;

-- name: EventsNewest :many
-- The newest occurrences of an event, up to a number, for each pair of user and event. The index is
-- read from its end and no further, whatever the length of the user's history. In every query with
-- contact_of, a contact_id of 0 says that the caller does not know the contact. OccurrencesNewest
-- repeats this text for another table, as OccurrencesAround repeats EventsAround: a table's name
-- cannot be a parameter, and one query over a union of both tables would read both indexes.
select w.user_id::text as user_id, w.event_no::integer as event_no, array(
    select e.occurred_at
    from bucketgen.events e
    where e.contact_id = c.id and e.event_no = w.event_no
    order by e.occurred_at desc, e.id desc
    limit w.newest
)::timestamptz[] as newest
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@event_nos::integer[]) as event_no, unnest(@newest::integer[]) as newest
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c;

-- name: EventsRecent :many
-- When users did what, event by event and the newest of each first, up to a number. The index is
-- read in one go.
select w.contact_id::bigint as contact_id, e.nos::integer[] as nos, e.instants::timestamptz[] as instants
from (select unnest(@contact_ids::bigint[]) as contact_id) as w
cross join lateral (
    select array_agg(o.event_no) as nos, array_agg(o.occurred_at) as instants
    from (
        select k.event_no, k.occurred_at
        from bucketgen.events k
        where k.contact_id = w.contact_id
        order by k.event_no desc, k.occurred_at desc, k.id desc
        limit @most::integer
    ) o
) e
where e.nos is not null;

-- name: EventsAround :many
-- The occurrences of an event around the end of a window that ends some time ago: the newest up to
-- it, newest first, and the oldest after it, up to a number of each. The index is read from there
-- in both directions, whatever the length of the history.
select w.user_id::text as user_id, w.event_no::integer as event_no, w.place::integer as place, array(
    select o.occurred_at
    from bucketgen.events o
    where o.contact_id = c.id and o.event_no = w.event_no and o.occurred_at <= w.window_end
    order by o.occurred_at desc, o.id desc
    limit w.earlier
)::timestamptz[] as earlier, array(
    select o.occurred_at
    from bucketgen.events o
    where o.contact_id = c.id and o.event_no = w.event_no and o.occurred_at > w.window_end
    order by o.occurred_at, o.id
    limit w.later
)::timestamptz[] as later
from (
    select unnest(@user_ids::text[]) as user_id, unnest(@contact_ids::bigint[]) as contact_id,
        unnest(@event_nos::integer[]) as event_no, unnest(@places::integer[]) as place,
        unnest(@window_ends::timestamptz[]) as window_end, unnest(@earlier::integer[]) as earlier, unnest(@later::integer[]) as later
) as w
cross join lateral bucketgen.contact_of(w.contact_id, w.user_id) c;

-- name: EventsLogged :many
-- What some users did, user by user, in the order of receipt. Users who were merged are found by
-- each of their names.
select e.contact_id, n.name, e.kind, e.occurred_at, e.received_at, e.properties, e.traits
from bucketgen.events e
left join bucketgen.event_names n on n.no = e.event_no
where e.contact_id > @after_id and e.contact_id <= @last_id and e.received_at <= @until
order by e.contact_id, e.received_at, e.id
limit @most::integer;

-- name: EventsOfUser :many
-- What a user did, the newest first, before a place in that order. The key of events begins with
-- the name, so it finds the names of the user one after the other, and the newest of each.
with recursive owner as (
    select c.id from bucketgen.names n join bucketgen.contacts c on c.id = n.contact_id where n.name = @user_id and c.deleted_at is null
), nos (event_no) as (
    select (select min(e.event_no) from bucketgen.events e where e.contact_id = o.id) from owner o
    union all
    select (select min(e.event_no) from bucketgen.events e where e.contact_id = o.id and e.event_no > s.event_no)
    from nos s, owner o
    where s.event_no is not null
)
select f.id, m.name, f.kind, f.occurred_at, f.received_at, f.properties, f.traits
from nos s
cross join owner o
left join bucketgen.event_names m on m.no = s.event_no
cross join lateral (
    select * from bucketgen.events e
    where e.contact_id = o.id and e.event_no = s.event_no and (e.occurred_at, e.id) < (@before_at::timestamptz, @before_id::bigint)
    order by e.occurred_at desc, e.id desc
    limit @size::integer
) f
where s.event_no is not null and (@name::text = '' or m.name = @name)
order by f.occurred_at desc, f.id desc
limit @size;

-- name: EventsCount :one
-- How many events a user has.
select count(*) from bucketgen.events e where e.contact_id = @contact_id;
