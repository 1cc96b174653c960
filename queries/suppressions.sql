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
