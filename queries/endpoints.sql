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

-- name: EndpointAttemptsAdd :exec
-- Adds attempts, in the order in which they were made. Those of deleted endpoints are left out.
insert into bucketgen.endpoint_attempts (endpoint_no, at, took_us, status, transitions, error)
select a.no, a.at, a.took_us, a.status, a.transitions, a.error
from (
    select unnest(@numbers::integer[]) as no, unnest(@times::timestamptz[]) as at, unnest(@took_us::bigint[]) as took_us,
        unnest(@statuses::integer[]) as status, unnest(@transitions::integer[]) as transitions, unnest(@errors::text[]) as error,
        generate_subscripts(@numbers::integer[], 1) as place
) a
where exists (select from bucketgen.endpoints e where e.no = a.no)
order by a.place;

-- name: EndpointAttemptsTrim :exec
-- Deletes all attempts to post to some endpoints but the newest of each, up to a number. It leaves
-- to another service what that is just deleting.
with gone as (
    select k.endpoint_no, k.id
    from bucketgen.endpoint_attempts k
    join (select unnest(@numbers::integer[]) as no) n on k.endpoint_no = n.no
    where k.id <= (
        select o.id from bucketgen.endpoint_attempts o where o.endpoint_no = n.no order by o.id desc offset @most::bigint limit 1
    )
    order by k.endpoint_no, k.id
    for update of k skip locked
)
delete from bucketgen.endpoint_attempts a
using gone g
where a.endpoint_no = g.endpoint_no and a.id = g.id;

-- name: EndpointAttemptsPage :many
-- The attempts to post to an endpoint, the newest first, before one.
select a.id, a.at, a.took_us, a.status, a.transitions, a.error
from bucketgen.endpoint_attempts a
where a.endpoint_no = @no and a.id < @before_id
order by a.id desc
limit @size::integer;
