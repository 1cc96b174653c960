-- name: CatalogAdd :exec
-- Adds what arrived, events and properties by the hour as well. The rows are written in the order
-- of their key, so that two engines do not wait for each other in a circle. Those of the catalog
-- come first, as when they are deleted.
with arrived as (
    select unnest(@kinds::text[]) as kind, unnest(@events::text[]) as event, unnest(@names::text[]) as name, unnest(@types::text[]) as type,
        unnest(@declared::boolean[]) as declared, unnest(@counts::bigint[]) as count, unnest(@sampled::boolean[]) as sampled,
        unnest(@first_seen::timestamptz[]) as first_seen, unnest(@last_seen::timestamptz[]) as last_seen
), added as (
    insert into bucketgen.catalog as c (kind, event, name, type, declared, count, sampled, first_seen, last_seen)
    select a.kind, a.event, a.name, a.type, a.declared, a.count, a.sampled, a.first_seen, a.last_seen
    from arrived a
    order by a.kind collate "C", a.event collate "C", a.name collate "C", a.type collate "C"
    on conflict (kind, event, name, type) do update
    set count = c.count + excluded.count, sampled = c.sampled or excluded.sampled, declared = excluded.declared,
        first_seen = least(c.first_seen, excluded.first_seen), last_seen = greatest(c.last_seen, excluded.last_seen)
    returning c.kind, c.event, c.name, c.type
)
insert into bucketgen.catalog_hours as h (kind, event, name, type, hour, count)
select a.kind, a.event, a.name, a.type, date_bin('1 hour', a.last_seen, '2000-01-01T00:00:00Z'), a.count
from added d
join arrived a on a.kind = d.kind and a.event = d.event and a.name = d.name and a.type = d.type
where a.kind in ('event', 'property')
order by a.kind collate "C", a.event collate "C", a.name collate "C", a.type collate "C"
on conflict (kind, event, name, type, hour) do update set count = h.count + excluded.count;

-- name: CatalogTrim :exec
-- Removes what has not arrived for long. Of what no definition declares, it also removes what
-- arrived least often, down to a number of rows. It keeps a row that another engine is adding to.
with old as (
    delete from bucketgen.catalog_hours h where h.hour < @hours_before
), gone as (
    select c.kind, c.event, c.name, c.type
    from bucketgen.catalog c
    where c.last_seen < @before or (c.kind, c.event, c.name, c.type) in (
        select t.kind, t.event, t.name, t.type
        from bucketgen.catalog t
        where not t.declared
        order by t.count desc, t.last_seen desc
        offset @most::bigint
    )
    for update of c skip locked
)
delete from bucketgen.catalog c
using gone g
where c.kind = g.kind and c.event = g.event and c.name = g.name and c.type = g.type;

-- name: CatalogAll :many
-- What arrived, by its key.
select c.kind, c.event, c.name, c.type, c.count, c.sampled, c.first_seen, c.last_seen
from bucketgen.catalog c
order by c.kind, c.event, c.name, c.type;

-- name: CatalogOf :many
-- What arrived of some properties, and of the fields of some events.
select c.kind, c.event, c.name, c.type, c.count, c.sampled, c.first_seen, c.last_seen
from bucketgen.catalog c
where c.kind = 'property' and c.event = '' and c.name = any (@properties::text[]) or c.kind = 'field' and c.event = any (@events::text[])
order by c.kind, c.event, c.name, c.type;

-- name: CatalogHours :many
-- How often names of a kind arrived in each hour from one on.
select h.event, h.name, h.hour, sum(h.count)::bigint as count
from bucketgen.catalog_hours h
where h.kind = @kind and h.hour >= @since
group by h.event, h.name, h.hour
order by h.event, h.name, h.hour;
