-- name: SessionsBegin :exec
-- Begins a session or offers one, and deletes those that have ended.
with ended as (
    delete from bucketgen.sessions s
    where s.seen_at <= @idle_since or s.created_at <= @begun_before or s.offer and s.created_at <= @offered_before
)
insert into bucketgen.sessions (hash, key_no, offer, created_at, seen_at)
values (@hash, @key_no, @offer, @now, @now);

-- name: SessionsTake :one
-- Takes an offer, once, and returns its key.
with taken as (
    delete from bucketgen.sessions s
    where s.hash = @hash and s.offer and s.created_at > @offered_since
    returning s.key_no
)
select k.no, k.name, k.kind, k.rate
from taken
join bucketgen.keys k on k.no = taken.key_no
where k.revoked_at is null;

-- name: SessionsOf :one
-- The key of a session, and when the session was last seen. It writes nothing, so that people see
-- their pages also while the database takes no writes.
select k.no, k.name, k.kind, k.rate, s.seen_at
from bucketgen.sessions s
join bucketgen.keys k on k.no = s.key_no
where s.hash = @hash and not s.offer and s.seen_at > @idle_since and s.created_at > @begun_since and k.revoked_at is null;

-- name: SessionsSee :exec
update bucketgen.sessions s set seen_at = @now where s.hash = @hash and s.seen_at < @now;

-- name: SessionsOfMany :many
-- The keys of sessions. Sessions that a process has not seen yet are read together.
select s.hash, k.no, k.name, k.kind, k.rate
from bucketgen.sessions s
join bucketgen.keys k on k.no = s.key_no
where s.hash = any(@hashes::bytea[]) and not s.offer and s.seen_at > @idle_since and s.created_at > @begun_since and k.revoked_at is null;

-- name: SessionsEnd :exec
delete from bucketgen.sessions s where s.hash = @hash and not s.offer;
