-- name: GenerationNo :one
select g.no from bucketgen.generation g;

-- name: GenerationSeen :one
-- The number of the last deployment, and the time of the database's clock. It is read after the
-- locks of users, so that the time is not before what any earlier holder of the locks has read.
select g.no, clock_timestamp()::timestamptz as at from bucketgen.generation g;

-- name: GenerationLock :one
-- Deployments, pauses and resumes take this lock, one after the other.
select g.no from bucketgen.generation g for update;

-- name: GenerationSet :exec
update bucketgen.generation set no = @no;

-- name: DeploymentsAll :many
select d.no, d.kind, d.fingerprint, d.emit, d.at from bucketgen.deployments d order by d.no;

-- name: DeploymentsInsert :exec
insert into bucketgen.deployments (no, kind, fingerprint, emit, at, rate, contacts, finished_at)
values (@no, @kind, @fingerprint, @emit, @at, @rate, @contacts, sqlc.narg('finished_at'));

-- name: DeploymentsUnfinished :many
-- Deployments that users still have to follow, up to one. The last of them stands for all: a user
-- who has followed it has followed the others. A later one is left to processes that know it,
-- because no user appears to be behind it in others.
select d.no, d.kind, d.at, d.rate, d.contacts, d.upto_id, d.followed, d.joined, d.gone
from bucketgen.deployments d
where d.finished_at is null and d.no <= @known_no
order by d.no desc;

-- name: DeploymentsProgress :many
-- A page of deployments, the newest first: those before one, or the last ones.
select d.no, d.kind, d.fingerprint, d.emit, d.at, d.rate, d.contacts, d.upto_id, d.followed, d.joined, d.gone, d.finished_at
from bucketgen.deployments d
where @after_no::bigint = 0 or d.no < @after_no
order by d.no desc
limit @size::integer;

-- name: DeploymentsCursor :one
select d.cursor_id, d.rate from bucketgen.deployments d where d.no = @no;

-- name: ContactsNext :one
-- How many users come after one, up to a number, and the last of them.
select count(*)::bigint as users, coalesce(max(c.id), 0)::bigint as last_id
from (select k.id from bucketgen.contacts k where k.id > @after_id order by k.id limit @size::integer) c;

-- name: DeploymentsClaim :one
-- Takes users, from the cursor on, unless another worker has just done so. It commits at once, so
-- that any number of workers share the work without waiting for each other, at the rate that all of
-- them together may have. A worker that dies leaves users behind, whom the last check finds.
update bucketgen.deployments d
set cursor_id = @upto_id,
    next_at = case when d.rate > 0
        then greatest(coalesce(d.next_at, @now), @now) + make_interval(secs => @seconds::float8) end
where d.no = @no and d.cursor_id = @after_id
returning d.next_at;

-- name: DeploymentsReport :exec
update bucketgen.deployments d
set followed = d.followed + @followed, joined = d.joined + @joined, gone = d.gone + @gone, upto_id = greatest(d.upto_id, @upto_id)
where d.no = @no;

-- name: DeploymentsRewind :exec
-- Goes back to users who were left behind.
update bucketgen.deployments d set cursor_id = least(d.cursor_id, @cursor_id) where d.no = @no;

-- name: TransactionNo :one
select pg_current_xact_id()::text;

-- name: TransactionsOver :one
-- Whether every transaction is over that had begun before another.
select (cast(sqlc.arg(xid)::text as xid8) < pg_snapshot_xmin(pg_current_snapshot()))::boolean;

-- name: DeploymentsFinish :exec
update bucketgen.deployments d set finished_at = @now where d.no <= @no and d.finished_at is null;

-- name: ContactsBehind :many
-- Users between two ids who have not followed a deployment.
select c.id, c.user_id
from bucketgen.contacts c
where c.id > @after_id and c.id <= @upto_id and c.generation < @generation::integer
order by c.id
limit @size::integer;

-- name: ContactsFirstBehind :one
select c.id from bucketgen.contacts c where c.generation < @generation order by c.id limit 1;

-- name: ContactsFollow :exec
-- Sets the deployment that users have followed, and the last one that a process with other
-- definitions knew when it changed them, or -1.
update bucketgen.contacts c
set generation = f.generation, foreign_generation = nullif(f.foreign_generation, -1)
from (
    select unnest(@contact_ids::bigint[]) as contact_id, unnest(@generations::integer[]) as generation,
        unnest(@foreign_generations::integer[]) as foreign_generation
) f
where c.id = f.contact_id;

-- name: ContactsCount :one
select count(*) from bucketgen.contacts;

-- name: BucketsDeployed :many
-- What is deployed, and of some buckets what they are in any case.
select b.no, b.id, b.name, b.fingerprint, b.since_no, b.paused_at
from bucketgen.buckets b
where b.fingerprint is not null or b.no = any (@nos::integer[])
order by b.id;

-- name: BucketsDeploy :exec
update bucketgen.buckets b
set fingerprint = nullif(d.fingerprint, ''), since_no = d.since_no, name = coalesce(nullif(d.name, ''), b.name)
from (
    select unnest(@nos::integer[]) as no, unnest(@fingerprints::text[]) as fingerprint, unnest(@since_nos::integer[]) as since_no,
        unnest(@names::text[]) as name
) d
where b.no = d.no;

-- name: BucketsPause :execrows
update bucketgen.buckets b set paused_at = @at where b.no = @no and b.paused_at is null;

-- name: BucketsResume :execrows
update bucketgen.buckets b set paused_at = null, since_no = @since_no where b.no = @no and b.paused_at is not null;

-- name: DefinitionsEnd :exec
update bucketgen.definitions d set until_no = @until_no where d.bucket_no = any (@bucket_nos::integer[]) and d.until_no is null;

-- name: DefinitionsBegin :exec
insert into bucketgen.definitions (bucket_no, since_no, fingerprint, name, words)
values (@bucket_no, @since_no, @fingerprint, @name, @words::text[]);

-- name: DefinitionsCurrent :many
select d.bucket_no, d.since_no, d.fingerprint, d.name, d.words from bucketgen.definitions d where d.until_no is null;

-- name: DefinitionsHistory :many
select b.id, d.since_no, d.until_no, d.fingerprint, d.name, d.words, s.at as since, u.at as until
from bucketgen.definitions d
join bucketgen.buckets b on b.no = d.bucket_no
join bucketgen.deployments s on s.no = d.since_no
left join bucketgen.deployments u on u.no = d.until_no
order by b.id, d.since_no;

-- name: DerivedSince :many
select k.name, k.since_no from bucketgen.derived k;

-- name: DerivedForget :exec
delete from bucketgen.derived k where not k.name = any (@names::text[]);

-- name: DerivedAdd :exec
insert into bucketgen.derived (name, since_no)
select k.name, @since_no from (select unnest(@names::text[]) as name) k
on conflict (name) do nothing;

-- name: EventsOf :many
-- Everything that users ever did under some names, to be gone through in the order of arrival.
select e.contact_id, e.event_no, e.id, e.occurred_at, e.properties
from (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@event_nos::integer[]) as event_no) w
cross join lateral (
    select * from bucketgen.events k where k.contact_id = w.contact_id and k.event_no = w.event_no offset 0
) e
order by e.id;

-- name: TotalsForget :exec
delete from bucketgen.totals t
using (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@signal_nos::integer[]) as signal_no) f
where t.contact_id = f.contact_id and t.signal_no = f.signal_no;

-- name: OccurrencesForget :exec
delete from bucketgen.occurrences o
using (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@signal_nos::integer[]) as signal_no) f
where o.contact_id = f.contact_id and o.signal_no = f.signal_no;

-- name: GroupsForget :exec
delete from bucketgen.groups g
using (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@signal_nos::integer[]) as signal_no) f
where g.contact_id = f.contact_id and g.signal_no = f.signal_no;

-- name: ProgressForget :exec
delete from bucketgen.progress p
using (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@sequence_nos::integer[]) as sequence_no) f
where p.contact_id = f.contact_id and p.sequence_no = f.sequence_no;

-- name: AdvancesForget :exec
delete from bucketgen.advances a
using (select unnest(@contact_ids::bigint[]) as contact_id, unnest(@sequence_nos::integer[]) as sequence_no) f
where a.contact_id = f.contact_id and a.sequence_no = f.sequence_no;

-- name: DeploymentsOne :one
select d.no, d.kind, d.fingerprint, d.emit, d.at, d.rate, d.contacts, d.upto_id, d.followed, d.joined, d.gone, d.finished_at
from bucketgen.deployments d
where d.no = @no;
