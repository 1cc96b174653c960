-- name: ExportRows :many
-- Every row about a person, as JSON, with the names of what it refers to by numbers. It is one
-- statement, so that all of it is of one moment.
select 'contacts'::text as place, (to_jsonb(c))::jsonb as content
from bucketgen.contacts c
where c.id = any (@ids::bigint[])
union all
select 'identities'::text as place, (to_jsonb(i))::jsonb as content
from bucketgen.identities i
where i.contact_id = any (@ids::bigint[])
union all
select 'merges'::text as place, (to_jsonb(g))::jsonb as content
from bucketgen.merges g
where g.contact_id = any (@ids::bigint[])
union all
select 'changes'::text as place, (to_jsonb(t) || jsonb_build_object('property', p.name))::jsonb as content
from bucketgen.changes t join bucketgen.properties p on p.no = t.property_no
where t.contact_id = any (@ids::bigint[])
union all
select 'events'::text as place, (to_jsonb(e) || jsonb_build_object('name', n.name))::jsonb as content
from bucketgen.events e left join bucketgen.event_names n on n.no = e.event_no
where e.contact_id = any (@ids::bigint[])
union all
select 'idempotency_keys'::text as place, (to_jsonb(t))::jsonb as content
from bucketgen.idempotency_keys t
where t.contact_id = any (@ids::bigint[])
union all
select 'occurrences'::text as place, (to_jsonb(t) || jsonb_build_object('signal', s.key))::jsonb as content
from bucketgen.occurrences t join bucketgen.signals s on s.no = t.signal_no
where t.contact_id = any (@ids::bigint[])
union all
select 'totals'::text as place, (to_jsonb(t) || jsonb_build_object('signal', s.key))::jsonb as content
from bucketgen.totals t join bucketgen.signals s on s.no = t.signal_no
where t.contact_id = any (@ids::bigint[])
union all
select 'groups'::text as place, (to_jsonb(t) || jsonb_build_object('signal', s.key))::jsonb as content
from bucketgen.groups t join bucketgen.signals s on s.no = t.signal_no
where t.contact_id = any (@ids::bigint[])
union all
select 'sums'::text as place, (to_jsonb(t) || jsonb_build_object('signal', s.key))::jsonb as content
from bucketgen.sums t join bucketgen.signals s on s.no = t.signal_no
where t.contact_id = any (@ids::bigint[])
union all
select 'progress'::text as place, (to_jsonb(t) || jsonb_build_object('sequence', s.key))::jsonb as content
from bucketgen.progress t join bucketgen.sequences s on s.no = t.sequence_no
where t.contact_id = any (@ids::bigint[])
union all
select 'advances'::text as place, (to_jsonb(t) || jsonb_build_object('sequence', s.key))::jsonb as content
from bucketgen.advances t join bucketgen.sequences s on s.no = t.sequence_no
where t.contact_id = any (@ids::bigint[])
union all
select 'memberships'::text as place, (to_jsonb(t) || jsonb_build_object('bucket', b.id))::jsonb as content
from bucketgen.memberships t join bucketgen.buckets b on b.no = t.bucket_no
where t.contact_id = any (@ids::bigint[])
union all
select 'due'::text as place, (to_jsonb(t))::jsonb as content
from bucketgen.due t
where t.contact_id = any (@ids::bigint[])
union all
select 'transitions'::text as place, (to_jsonb(t) || jsonb_build_object('bucket', b.id))::jsonb as content
from bucketgen.transitions t left join bucketgen.buckets b on b.no = t.bucket_no
where t.contact_id = any (@ids::bigint[])
union all
select 'deliveries'::text as place, (to_jsonb(t) || jsonb_build_object('bucket', b.id, 'subscription', s.name))::jsonb as content
from bucketgen.deliveries t left join bucketgen.buckets b on b.no = t.bucket_no join bucketgen.subscriptions s on s.no = t.subscription_no
where t.contact_id = any (@ids::bigint[])
union all
select 'size_changes'::text as place, (to_jsonb(t))::jsonb as content
from bucketgen.size_changes t
where t.contact_id = any (@ids::bigint[])
union all
select 'hidings', to_jsonb(t)
from bucketgen.hidings t
where t.user_id = any (@names::text[])
union all
select 'job_users', to_jsonb(t)
from bucketgen.job_users t
where t.user_id = any (@names)
union all
select 'audit', to_jsonb(t)
from bucketgen.audit t
where t.user_id = any (@names);
