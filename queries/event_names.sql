-- name: EventNamesRegister :many
-- The numbers of names that definitions declare. It gives numbers to names that have none. A name
-- that another transaction is just adding may be missing from the result.
with added as (
    insert into bucketgen.event_names (name)
    select n.name
    from (select unnest(@names::text[]) as name) as n
    where not exists (select from bucketgen.event_names e where e.name = n.name)
    order by n.name collate "C"
    on conflict (name) do nothing
    returning no, name
)
select added.no, added.name from added
union all
select e.no, e.name from bucketgen.event_names e where e.name = any (@names);

-- name: EventNamesFind :many
-- The numbers of names that have one.
select e.no, e.name from bucketgen.event_names e where e.name = any (@names::text[]);

-- name: EventNamesPatience :exec
-- Limits how long a transaction that creates names waits for another one, or for a caller's that
-- creates the same name. It also keeps a plan that was made while the table was small from reading
-- all of it later.
select set_config('lock_timeout', @timeout::text, true) as waits, set_config('plan_cache_mode', 'force_generic_plan', true) as plans,
    set_config('enable_seqscan', 'off', true) as scans, set_config('enable_hashjoin', 'off', true) as hashes,
    set_config('enable_mergejoin', 'off', true) as merges;

-- name: EventNamesLock :exec
-- Lets one engine at a time create names, so that the count that it reads next is exact. The row is
-- locked until the transaction ends.
insert into bucketgen.event_name_counts as c (hour, writer, created)
values (@hour, 0, 0)
on conflict (hour, writer) do update set created = c.created;

-- name: EventNamesCreate :many
-- Creates names that no definition declares, in the given order, as far as the bound leaves room,
-- and returns their numbers. Names that exist already are missing from the result, as are those
-- beyond the bound. The names are inserted in bytewise order, so that two transactions that create
-- the same names do not wait for each other in a circle.
with taken as (
    select coalesce(sum(c.created), 0)::bigint as names
    from bucketgen.event_name_counts c
    where c.hour >= @since
), added as (
    insert into bucketgen.event_names (name)
    select n.name
    from (
        select w.name
        from (select unnest(@names::text[]) as name, generate_subscripts(@names::text[], 1) as place) as w
        where not exists (select from bucketgen.event_names e where e.name = w.name)
        order by w.place
        limit (select greatest(t.names, @most::bigint) - t.names from taken t)
    ) as n
    order by n.name collate "C"
    on conflict (name) do nothing
    returning no, name
), counted as (
    insert into bucketgen.event_name_counts as c (hour, writer, created)
    select @hour, case when @shared::boolean then 0::bigint else pg_current_xact_id()::text::bigint end, a.created
    from (select count(*)::integer as created from added) as a
    where a.created > 0
    on conflict (hour, writer) do update set created = c.created + excluded.created
), gone as (
    delete from bucketgen.event_name_counts c where @shared::boolean and c.hour < @since
)
select added.no, added.name from added;
