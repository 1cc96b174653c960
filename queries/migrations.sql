-- name: MigrationsVersion :one
select coalesce(max(m.version_id), 0)::bigint from bucketgen.migrations m where m.is_applied;
