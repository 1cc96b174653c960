-- name: TransactionStatus :one
-- What became of a transaction: committed, aborted or in progress; empty if that is no longer known.
select coalesce(pg_xact_status(cast(sqlc.arg(xid)::text as xid8)), '')::text;

-- name: TransactionIsolation :one
select current_setting('transaction_isolation')::text;
