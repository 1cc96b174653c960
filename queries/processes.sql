-- name: ProcessesNote :one
-- Records the heartbeat of a process, and returns the time by the database's clock.
insert into bucketgen.processes (id, host, pid, fingerprint, started_at, seen_at, ahead_us, version, buckets, lag_us, waiting, rate)
values (
    @id, @host, @pid, @fingerprint, @now, @now, (extract(epoch from sqlc.arg('own_clock')::timestamptz - clock_timestamp()) * 1000000)::bigint,
    @version, @buckets, @lag_us, @waiting, @rate
)
on conflict (id) do update
set seen_at = excluded.seen_at, ahead_us = excluded.ahead_us, lag_us = excluded.lag_us, waiting = excluded.waiting, rate = excluded.rate
returning clock_timestamp()::timestamptz as at;

-- name: ProcessesForget :exec
-- Forgets one that ends, and those that have not been seen for long.
delete from bucketgen.processes p where p.id = @id or p.seen_at < @before;

-- name: ProcessesSeen :many
select p.id, p.host, p.pid, p.fingerprint, p.started_at, p.seen_at, p.ahead_us, p.version, p.buckets, p.lag_us, p.waiting, p.rate
from bucketgen.processes p
where p.seen_at >= @after
order by p.started_at, p.id;
