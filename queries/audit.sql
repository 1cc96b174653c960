-- name: AuditBegin :one
insert into bucketgen.audit (at, by_name, key_no, via, action, bucket_id, user_id, object, detail)
values (@at, @by_name, sqlc.narg('key_no'), @via, @action, @bucket_id, @user_id, @object, @detail)
returning id;

-- name: AuditEnd :exec
update bucketgen.audit a
set outcome = @outcome, bucket_id = @bucket_id, user_id = @user_id, object = @object, detail = @detail
where a.id = @id;

-- name: AuditPage :many
-- The log, the newest entries first.
select a.id, a.at, a.by_name, a.key_no, a.via, a.action, a.bucket_id, a.user_id, a.object, a.detail, a.outcome
from bucketgen.audit a
where (@before_id::bigint = 0 or a.id < @before_id)
    and (@by_name::text = '' or a.by_name = @by_name)
    and (@action::text = '' or a.action = @action)
    and (@bucket_id::text = '' or a.bucket_id = @bucket_id)
    and (@user_id::text = '' or a.user_id = @user_id)
order by a.id desc
limit @size::integer;

-- name: AuditForget :execrows
-- Deletes old entries. Ids grow with time, so only the first of them are read.
delete from bucketgen.audit a
using (select k.id, k.at from bucketgen.audit k order by k.id limit @most::integer) first
where a.id = first.id and first.at < @before::timestamptz;
