-- name: MigrationsVersion :one
select coalesce(max(m.version_id), 0)::bigint from bucketgen.migrations m where m.is_applied;

-- name: ServerFacts :one
-- What a server is, and what time it has.
select current_setting('server_version_num')::integer as version, current_setting('server_version')::text as version_text,
    clock_timestamp()::timestamptz as now, pg_is_in_recovery()::boolean as standby,
    (current_setting('fsync') = 'on')::boolean as fsync, (current_setting('synchronous_commit') <> 'off')::boolean as synchronous,
    current_setting('max_connections')::integer as connections;

-- name: ServerWritable :one
-- Whether the database takes writes, as far as a read can see that: neither a standby nor a read-only session does, nor a role that
-- may not insert.
select (pg_is_in_recovery() or current_setting('transaction_read_only') = 'on')::boolean as read_only,
    has_table_privilege('bucketgen.events', 'insert')::boolean as granted;

-- name: CompatibilityOldestProgram :one
-- The oldest program that the tables admit, by the migration that it was written for.
select c.oldest_program from bucketgen.compatibility c;
