-- name: MigrationsVersion :one
select coalesce(max(m.version_id), 0)::bigint from bucketgen.migrations m where m.is_applied;

-- name: ServerFacts :one
-- What a server is, and what time it has.
select current_setting('server_version_num')::integer as version, current_setting('server_version')::text as version_text,
    clock_timestamp()::timestamptz as now, pg_is_in_recovery()::boolean as standby,
    (current_setting('fsync') = 'on')::boolean as fsync, (current_setting('synchronous_commit') <> 'off')::boolean as synchronous,
    current_setting('max_connections')::integer as connections;

-- name: ServerWritable :one
-- Whether the database takes writes, as far as a read can find out. A standby does not, nor a
-- read-only session, nor a role that may not insert.
select (pg_is_in_recovery() or current_setting('transaction_read_only') = 'on')::boolean as read_only,
    has_table_privilege('bucketgen.events', 'insert')::boolean as granted;

-- name: PrivilegesMissing :many
-- The privileges on tables and sequences that the role lacks to run an engine. The engine only
-- reads migrations and compatibility. The sequence of an identity column needs no privilege.
select (p.privilege || ' on ' || c.relname)::text as missing
from pg_catalog.pg_class c
cross join lateral unnest(case
    when c.relkind = 'S' then array['USAGE']
    when c.relname in ('migrations', 'compatibility') then array['SELECT']
    else array['SELECT', 'INSERT', 'UPDATE', 'DELETE']
end) p (privilege)
where c.relnamespace = (select e.relnamespace from pg_catalog.pg_class e where e.oid = 'bucketgen.events'::regclass)
    and c.relkind in ('r', 'p', 'S')
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'i')
    and not case c.relkind when 'S' then has_sequence_privilege(c.oid, p.privilege) else has_table_privilege(c.oid, p.privilege) end
order by c.relname, p.privilege;

-- name: CompatibilityOldestProgram :one
-- The oldest program that the tables admit, by the migration that it was written for.
select c.oldest_program from bucketgen.compatibility c;
