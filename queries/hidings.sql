-- name: HidingsBetween :many
-- Users who were hidden, or shown again, between two snapshots: by transactions that were in
-- progress at the first, or later.
select h.user_id
from bucketgen.hidings h
where h.made_by = any (@late::xid8[])
union
select h.user_id
from bucketgen.hidings h
where h.made_by >= @from_xid and h.made_by < @before_xid and not h.made_by = any (@running::xid8[]);

-- name: HidingsForget :exec
delete from bucketgen.hidings h where h.at < @before;

-- name: HidingsErased :many
-- Users who were erased since a time.
select distinct h.user_id from bucketgen.hidings h where h.erased and h.at > @since;
