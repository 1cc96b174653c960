-- name: ReconciliationsBegin :exec
-- Begins one, unless one is under way, or the last began after a time.
insert into bucketgen.reconciliations (started_at, users, upto_id)
select @now, c.users, c.upto_id
from (select count(*) as users, coalesce(max(k.id), 0) as upto_id from bucketgen.contacts k) c
where not exists (select from bucketgen.reconciliations r where r.started_at > @unless_after::timestamptz)
on conflict do nothing;

-- name: ReconciliationsTake :one
-- Takes the one that is under way, unless a process has it that still keeps it.
update bucketgen.reconciliations r
set lease = @lease, leased_until = @until
where r.finished_at is null and (r.lease is null or r.lease = @lease or r.leased_until <= @now)
returning r.no, r.started_at, r.users, r.upto_id, r.cursor_id, r.checked, r.repaired, r.finished_at;

-- name: ReconciliationsReport :execrows
update bucketgen.reconciliations r
set cursor_id = @cursor_id, checked = r.checked + @checked, repaired = r.repaired + @repaired, leased_until = @until
where r.no = @no and r.lease = @lease;

-- name: ReconciliationsFinish :exec
update bucketgen.reconciliations r set finished_at = @now, lease = null, leased_until = null where r.no = @no and r.lease = @lease;

-- name: ReconciliationsLast :one
select r.no, r.started_at, r.users, r.upto_id, r.cursor_id, r.checked, r.repaired, r.finished_at
from bucketgen.reconciliations r
order by r.no desc
limit 1;
