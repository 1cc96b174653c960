-- name: WritersSerial :one
-- The number of the last transaction that a connection has committed, or 0.
select coalesce(max(w.serial), 0)::bigint from bucketgen.writers w where w.token = @token;

-- name: WritersForget :exec
-- Forgets connections that have not been used for long. One that is used again is noted again.
delete from bucketgen.writers w where w.at < @before;
