-- name: KeysCreate :one
insert into bucketgen.keys (name, kind, hash, rate, created_at)
values (@name, @kind, @hash, sqlc.narg('rate'), @now)
returning no;

-- name: KeysOf :one
-- The key with a hash, unless it is revoked.
select k.no, k.name, k.kind, k.rate
from bucketgen.keys k
where k.hash = @hash and k.revoked_at is null;

-- name: KeysAll :many
select k.no, k.name, k.kind, k.rate, k.created_at, k.revoked_at, k.used_at from bucketgen.keys k order by k.no;

-- name: KeysRevoke :execrows
-- Revokes a key by its number, or all of a name.
update bucketgen.keys k
set revoked_at = @now
where (k.no = sqlc.narg('no') or k.name = sqlc.narg('name')) and k.revoked_at is null;

-- name: KeysOfMany :many
-- The keys with hashes, unless they are revoked. Keys that a process has not seen yet are looked up
-- together.
select k.no, k.name, k.kind, k.rate, k.hash
from bucketgen.keys k
where k.hash = any(@hashes::bytea[]) and k.revoked_at is null;

-- name: KeysLive :many
-- Which of some keys are not revoked.
select k.no from bucketgen.keys k where k.no = any(@numbers::integer[]) and k.revoked_at is null;

-- name: KeysUse :exec
-- Notes that keys were used, unless that was noted since a time.
update bucketgen.keys k
set used_at = @now
where k.no = any(@numbers::integer[]) and (k.used_at is null or k.used_at < @before);
