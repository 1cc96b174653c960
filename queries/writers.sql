-- name: WritersSerial :one
-- The number of the last transaction that a connection has committed, or 0.
select coalesce(max(w.serial), 0)::bigint from bucketgen.writers w where w.token = @token;

-- name: WritersConfirm :execrows
-- Writes the commit token of a committed transaction again. Where commits wait for a synchronous
-- standby, the answer to this one shows that the standby has the earlier one, too: it follows in
-- the WAL of the same server. It affects no row on a server that lacks the transaction.
update bucketgen.writers w set at = @at where w.token = @token and w.serial = @serial;

-- name: WritersForget :exec
-- Forgets connections that have not been used for long. One that is used again is noted again.
delete from bucketgen.writers w where w.at < @before;
