-- name: TransactionBegun :one
-- Sets up a transaction of the engine, writes its commit token if it has one, and returns its
-- number, when the server was started, and whether its commits are durable. The statements that
-- follow are the same for every batch, and so are their plans: one index lookup for each thing.
-- Planning them again each time would cost more than running them. A plan that was made while a
-- table was small must not read all of it later.
with noted as (
    insert into bucketgen.writers (token, serial, at)
    select m.token, @serial, @at
    from (select sqlc.narg('token')::uuid as token) m
    where m.token is not null
    on conflict (token) do update set serial = excluded.serial, at = excluded.at
)
select pg_current_xact_id()::text as xid, pg_postmaster_start_time()::timestamptz as server_start,
    (current_setting('synchronous_commit') <> 'off')::boolean as lasts
from (
    select set_config('lock_timeout', @lock_timeout, true),
        -- A process that stops within a transaction must not lock its users for ever. A configured
        -- value stays.
        set_config('idle_in_transaction_session_timeout', coalesce(nullif(current_setting('idle_in_transaction_session_timeout'), '0'), '30s'), true),
        set_config('plan_cache_mode', 'force_generic_plan', true),
        set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
        set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)
) s;

-- name: TransactionStatus :one
-- Whether a transaction is still in progress. If the server says that its number is in the future,
-- it has crashed since, and the transaction with it. A standby does not know: the transaction may
-- be committed and not replayed yet.
select (case when pg_is_in_recovery() then 'in progress' else coalesce(pg_xact_status(cast(sqlc.arg(xid)::text as xid8)), '') end)::text;

-- name: TransactionIsolation :one
select current_setting('transaction_isolation')::text;

-- name: TransactionEnd :execrows
-- Ends the session of a transaction whose connection was lost, if it is still in progress. An idle
-- session is ended at once, a busy one only if busy is set. A transaction that waits for a standby
-- is committed, and left alone.
select pg_terminate_backend(a.pid)
from pg_catalog.pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_xid = cast(cast(sqlc.arg(xid)::text as xid8) as xid)
    and (a.state like 'idle in transaction%' or sqlc.arg(busy)::boolean) and a.wait_event is distinct from 'SyncRep';

-- name: SessionEnd :execrows
-- Ends a session by the number of its process, if it is within a transaction.
select pg_terminate_backend(a.pid)
from pg_catalog.pg_stat_activity a
where a.datname = current_database() and a.usename = current_user and a.pid = @pid::integer and a.pid <> pg_backend_pid()
    and a.backend_type = 'client backend' and a.xact_start is not null;

-- name: TransactionPlanned :exec
-- Sets how the statements of a transaction without a commit token are planned, as TransactionBegun
-- does. It needs no transaction number, so it costs nothing if there is nothing to write.
select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true);
