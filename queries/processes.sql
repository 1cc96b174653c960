-- name: ProcessesNote :exec
insert into bucketgen.processes (id, host, pid, fingerprint, started_at, seen_at)
values (@id, @host, @pid, @fingerprint, @now, @now)
on conflict (id) do update set seen_at = excluded.seen_at;

-- name: ProcessesForget :exec
-- Forgets one that ends, and those that have not been seen for long.
delete from bucketgen.processes p where p.id = @id or p.seen_at < @before;

-- name: ProcessesSeen :many
select p.id, p.host, p.pid, p.fingerprint, p.started_at, p.seen_at
from bucketgen.processes p
where p.seen_at >= @after
order by p.started_at, p.id;
