package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// scale is how much is seeded.
type scale struct{ users, buckets int }

// each returns how many buckets a group has.
func (s scale) each() int { return max(s.buckets/groups, 2) }

// heavy is a user with a long history.
const heavy = 1

// seeds make users who are in one bucket of each group, as an engine would have left them after 60
// days: the nearer a time is to now, the more stays began. Three in ten users left another bucket
// when they entered one of theirs; one user did 2,000 times. The largest bucket has about one in
// seven users.
//
// The first table holds the stays. All others are made of it, so that what the API returns is
// exact. Rows are written in the order of time, as they are when they come in.
var seeds = []string{
	`create unlogged table bucketgen.seed as
		select row_number() over (order by s.entered_at, s.contact_id, s.entry_count) as id, s.*, b.no as bucket_no
		from (
			select u.i::bigint as contact_id, u.grp, u.n, 1 as entry_count, u.at as entered_at, null::timestamptz as left_at
			from (
				select i, g as grp, floor(@each * power(bucketgen.seed_draw(i, g), 4))::integer as n,
					@now::timestamptz - interval '1 minute' - interval '60 days' * power(bucketgen.seed_draw(i, g + 10), 2) as at
				from generate_series(1, @users) i cross join generate_series(0, @groups - 1) g
			) u
		) s
		join bucketgen.buckets b on b.id = format('group-%s-segment-%s', s.grp, lpad(s.n::text, 4, '0'))`,
	`insert into bucketgen.seed (id, contact_id, grp, n, entry_count, entered_at, left_at, bucket_no)
		select (select count(*) from bucketgen.seed) + row_number() over (order by s.contact_id), s.contact_id, s.grp, s.n, 1, s.entered_at - interval '10 days', s.entered_at, b.no
		from (
			select k.contact_id, k.grp, (k.n + 1) % @each as n, k.entered_at from bucketgen.seed k
			where k.contact_id % 10 < 3 and k.grp = k.contact_id % @groups
		) s
		join bucketgen.buckets b on b.id = format('group-%s-segment-%s', s.grp, lpad(s.n::text, 4, '0'))`,
	`insert into bucketgen.seed (id, contact_id, grp, n, entry_count, entered_at, left_at, bucket_no)
		select (select count(*) from bucketgen.seed) + g, @heavy, 0, s.n, g, @now::timestamptz - interval '100 days' + g * interval '20 minutes',
			@now::timestamptz - interval '100 days' + g * interval '20 minutes' + interval '10 minutes', b.no
		from generate_series(1, 2000) g
		cross join (select (k.n + 2) % @each as n from bucketgen.seed k where k.contact_id = @heavy and k.grp = 0 and k.left_at is null) s
		join bucketgen.buckets b on b.id = format('group-0-segment-%s', lpad(s.n::text, 4, '0'))
		where @each > 2`,
	`insert into bucketgen.contacts (id, user_id, email, properties, created_at, updated_at, written_at, generation)
		overriding system value
		select s.contact_id, 'user-' || lpad(s.contact_id::text, 7, '0'), 'user-' || lpad(s.contact_id::text, 7, '0') || '@example.com',
			jsonb_object_agg('group_' || s.grp, s.n::text) || '{"country": "DE", "language": "de", "plan": "pro", "seats": 12}',
			min(s.entered_at) - interval '1 day', max(s.entered_at), max(s.entered_at), (select g.no from bucketgen.generation g)
		from bucketgen.seed s
		where s.left_at is null
		group by 1 order by 1`,
	`insert into bucketgen.changes (contact_id, property_no, was, changed_at)
		select s.contact_id, p.no, null, s.entered_at
		from bucketgen.seed s join bucketgen.properties p on p.name = 'group_' || s.grp
		where s.left_at is null order by s.contact_id, s.grp`,
	`insert into bucketgen.memberships (id, contact_id, bucket_no, entry_count, entered_at, left_at, source, reason)
		overriding system value
		select s.id, s.contact_id, s.bucket_no, s.entry_count, s.entered_at, s.left_at, 'event', case when s.left_at is not null then 'criteria' end
		from bucketgen.seed s order by s.entered_at, s.id`,
	`insert into bucketgen.transitions (id, contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source, reason)
		overriding system value
		select row_number() over (order by t.at, t.kind desc, t.membership_id), t.contact_id, t.bucket_no, t.entry_count, t.kind, t.membership_id, t.at, t.at, 'event', t.reason
		from (
			select s.contact_id, s.bucket_no, s.entry_count, 'entered' as kind, s.id as membership_id, s.entered_at as at, null as reason from bucketgen.seed s
			union all
			select s.contact_id, s.bucket_no, s.entry_count, 'left', s.id, s.left_at, 'criteria' from bucketgen.seed s where s.left_at is not null
		) t
		order by 1`,
	`insert into bucketgen.due (contact_id, bucket_no, due_at)
		select s.contact_id, s.bucket_no, s.entered_at + interval '90 days' from bucketgen.seed s where s.left_at is null and s.n % 8 = 1
		order by s.entered_at`,
	`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
		select e.contact_id, n.no, e.at, e.at, 'track', '{"screen": "home", "session": 4711}'
		from (
			select i % @users + 1 as contact_id, @now::timestamptz - interval '1 minute' - interval '60 days' * bucketgen.seed_draw(i, 20) as at
			from generate_series(1, @users * 2) i
			union all
			select @heavy, @now::timestamptz - interval '40 days' - g * interval '10 minutes' from generate_series(1, 5000) g
		) e
		join bucketgen.event_names n on n.name = @opened
		order by e.at`,
	`insert into bucketgen.rollups (bucket_no, hour, entered, "left", dwell)
		select t.bucket_no, date_bin('1 hour', t.at, '2000-01-01T00:00:00Z'), count(*) filter (where t.kind = 'entered'), count(*) filter (where t.kind = 'left'),
			coalesce(sum(extract(epoch from t.at - s.entered_at) * 1000000) filter (where t.kind = 'left'), 0)
		from bucketgen.transitions t join bucketgen.seed s on s.id = t.membership_id
		group by 1, 2 order by 2, 1`,
	`insert into bucketgen.sizes (bucket_no, members)
		select s.bucket_no, count(*) filter (where s.left_at is null) from bucketgen.seed s group by 1 order by 1
		on conflict (bucket_no) do update set members = excluded.members`,
	`update bucketgen.rollup_progress set up_to = t.id, known = t.id from (select max(id) as id from bucketgen.transitions) t`,
	`select setval(pg_get_serial_sequence('bucketgen.' || c.name, 'id'), c.id)
		from (
			select 'contacts' as name, max(id) as id from bucketgen.contacts
			union all select 'memberships', max(id) from bucketgen.memberships
			union all select 'transitions', max(id) from bucketgen.transitions
		) c`,
	`drop table bucketgen.seed`, `drop function bucketgen.seed_draw`, `vacuum analyze`, `checkpoint`,
}

// draw is a number in [0, 1) for each user and purpose, the same on each machine.
const draw = `create function bucketgen.seed_draw(i bigint, purpose integer) returns double precision language sql immutable
	return ((hashint8extended(i, purpose) >> 11) & 9007199254740991)::double precision / 9007199254740992.0`

// seed fills the tables of an engine that has run on them before, and knows no user.
func seed(ctx context.Context, pool *pgxpool.Pool, size scale, now time.Time, log func(string)) error {
	args := pgx.NamedArgs{
		"users": size.users, "groups": groups, "each": size.each(), "now": now, "heavy": heavy, "opened": opened,
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, sql := range append([]string{"set synchronous_commit = off", "set work_mem = '512MB'", draw}, seeds...) {
		began := time.Now()
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeExec, only(args, sql)); err != nil {
			return fmt.Errorf("seed: %w\n%s", err, sql)
		}
		if took := time.Since(began); took > time.Second {
			first, _, _ := strings.Cut(sql, "\n")
			log(fmt.Sprintf("%6.1f s  %.60s", took.Seconds(), first))
		}
	}
	return nil
}

// only returns the arguments that a statement has.
func only(args pgx.NamedArgs, sql string) pgx.NamedArgs {
	some := pgx.NamedArgs{}
	for name, value := range args {
		if strings.Contains(sql, "@"+name) {
			some[name] = value
		}
	}
	return some
}
