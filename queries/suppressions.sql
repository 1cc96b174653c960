-- name: SuppressionsOf :many
-- What is known of the hashes of users who were unknown a moment ago. It follows ContactsCreate,
-- and so sees what an erasure has committed that ContactsCreate waited for.
select w.user_id::text as user_id, s.suppressed, s.lives
from (select unnest(@user_ids::text[]) as user_id, unnest(@hashes::bytea[]) as hash) w
join bucketgen.suppressions s on s.hash = w.hash;

-- name: SuppressionsPut :exec
-- Adds the hashes of a person who was erased.
insert into bucketgen.suppressions as s (hash, kind, suppressed, lives, at)
select w.hash, w.kind, @suppressed::boolean, 1, @at
from (select unnest(@hashes::bytea[]) as hash, unnest(@kinds::text[]) as kind) w
order by w.hash
on conflict (hash) do update set suppressed = s.suppressed or excluded.suppressed, lives = s.lives + 1, at = excluded.at;

-- name: SuppressionsCheck :one
-- Notes the hash by which secrets are compared, if there is none, and returns the one that counts.
with noted as (
    insert into bucketgen.suppressions (hash, kind, suppressed, lives, at)
    select @hash, '', false, 0, @at
    where not exists (select from bucketgen.suppressions s where s.kind = '')
    on conflict do nothing
)
select coalesce((select s.hash from bucketgen.suppressions s where s.kind = '' limit 1), @hash)::bytea as hash;

-- name: SuppressionsAny :one
-- Whether there is any suppression, or its like.
select exists (select from bucketgen.suppressions s)::boolean;

-- name: SuppressedEventsAdd :exec
insert into bucketgen.suppressed_events as d (day, events)
values (@day, @events)
on conflict (day) do update set events = d.events + excluded.events;

-- name: SuppressedEventsPage :many
-- How many events were dropped a day, the newest day first.
select d.day, d.events from bucketgen.suppressed_events d order by d.day desc limit @size::integer;

-- name: SuppressedEventsForget :exec
delete from bucketgen.suppressed_events d where d.day < @before;

-- name: SuppressionsGet :one
select s.kind, s.suppressed, s.lives, s.at from bucketgen.suppressions s where s.hash = @hash;

-- name: SuppressionsSet :exec
-- Refuses an id of which there is no user, or lets it in again.
insert into bucketgen.suppressions as s (hash, kind, suppressed, lives, at)
values (@hash, @kind, @suppressed, 0, @at)
on conflict (hash) do update set suppressed = excluded.suppressed;

-- name: SuppressionsPage :many
-- All hashes, in their order.
select s.hash, s.kind, s.suppressed, s.lives, s.at
from bucketgen.suppressions s
where s.hash > @after::bytea
order by s.hash
limit @size::integer;

-- name: SuppressionsImport :exec
-- Adds hashes from another copy of the database. Of two of one hash, the one that refuses counts.
insert into bucketgen.suppressions as s (hash, kind, suppressed, lives, at)
select w.hash, w.kind, w.suppressed, w.lives, w.at
from (
    select unnest(@hashes::bytea[]) as hash, unnest(@kinds::text[]) as kind, unnest(@suppressed::boolean[]) as suppressed,
        unnest(@lives::integer[]) as lives, unnest(@ats::timestamptz[]) as at
) w
order by w.hash
on conflict (hash) do update
set suppressed = s.suppressed or excluded.suppressed, lives = greatest(s.lives, excluded.lives), at = greatest(s.at, excluded.at);

-- name: SuppressionsOverdue :many
-- The users among some contacts who were erased after they were created: in another copy of the
-- database, whose hashes were imported.
select c.user_id, s.suppressed
from (select unnest(@ids::bigint[]) as id, unnest(@hashes::bytea[]) as hash) w
join bucketgen.suppressions s on s.hash = w.hash
join bucketgen.contacts c on c.id = w.id
where c.created_at <= s.at and (s.suppressed or s.lives >= c.life)
order by c.id;
