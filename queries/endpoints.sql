-- name: EndpointsCreate :one
insert into bucketgen.endpoints (name, url, buckets, kinds, batch, created_at)
values (@name, @url, @buckets::text[], @kinds::text[], @batch, @now)
returning no;

-- name: EndpointsAll :many
select e.no, e.name, e.url, e.buckets, e.kinds, e.created_at, e.disabled_at, e.disabled_reason, e.batch
from bucketgen.endpoints e
order by e.no;

-- name: EndpointsLock :one
-- An endpoint by its number or its name, for who changes it.
select e.no, e.name, e.url, e.buckets, e.kinds, e.created_at, e.disabled_at, e.disabled_reason, e.batch
from bucketgen.endpoints e
where e.no = sqlc.narg('no') or e.name = sqlc.narg('name')
for update;

-- name: EndpointsTarget :one
-- Where webhooks of an endpoint go now, and what they are signed with, the newest secret first.
select e.url, e.batch, e.disabled_at, array(
    select s.secret
    from bucketgen.endpoint_secrets s
    where s.endpoint_no = e.no and (s.ends_at is null or s.ends_at > @now)
    order by s.id desc
)::text[] as secrets
from bucketgen.endpoints e
where e.no = @no;

-- name: EndpointsChange :exec
update bucketgen.endpoints e
set url = @url, kinds = @kinds::text[], batch = @batch
where e.no = @no;

-- name: EndpointsDisable :execrows
update bucketgen.endpoints e
set disabled_at = @now, disabled_reason = @reason
where e.no = @no and e.disabled_at is null;

-- name: EndpointsEnable :execrows
update bucketgen.endpoints e
set disabled_at = null, disabled_reason = null
where e.no = @no and e.disabled_at is not null;

-- name: EndpointsDelete :exec
with secrets as (
    delete from bucketgen.endpoint_secrets s where s.endpoint_no = @no
)
delete from bucketgen.endpoints e where e.no = @no;

-- name: EndpointSecretsRotate :exec
-- Makes a secret, and lets those before it go on until a time; what had ended is forgotten.
with old as (
    update bucketgen.endpoint_secrets s
    set ends_at = @until
    where s.endpoint_no = @endpoint_no and (s.ends_at is null or s.ends_at > @until)
), ended as (
    delete from bucketgen.endpoint_secrets s
    where s.endpoint_no = @endpoint_no and s.ends_at <= @now
)
insert into bucketgen.endpoint_secrets (endpoint_no, secret, created_at)
values (@endpoint_no, @secret, @now);
