package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/registry"
)

// outboxed is a database with an outbox of one size.
type outboxed struct {
	pool        *pgxpool.Pool
	registry    *registry.Registry
	users       int
	backlog     int
	transitions int    // what there is to deliver, in a cycle
	next        int    // how many of them went into the outbox, counting those that went in again
	delivered   int    // deliveries that left it
	target      string // where webhooks go
}

const outboxBucket = "outbox"

// openOutboxes creates a database for each backlog, all with the same users and transitions.
func openOutboxes(ctx context.Context, server *postgres.Server, users int, sizes []int, target string) (all []*outboxed, err error) {
	r, err := outboxRegistry()
	if err != nil {
		return nil, err
	}
	admin, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, admin.Close(ctx)) }()
	transitions := max(sizes[len(sizes)-1], users)
	origin := fmt.Sprintf("outbox_%d", users)
	if _, err := admin.Exec(ctx, "create database "+origin); err != nil {
		return nil, err
	}
	if err := makeTransitions(ctx, server.Database(origin), r, users, transitions); err != nil {
		return nil, fmt.Errorf("make users and transitions: %w", err)
	}
	for _, size := range sizes {
		name := fmt.Sprintf("%s_%d", origin, size)
		b := &outboxed{registry: r, users: users, backlog: size, transitions: transitions, target: target}
		if _, err := admin.Exec(ctx, fmt.Sprintf("create database %s template %s", name, origin)); err != nil {
			return nil, err
		}
		if b.pool, err = connect(ctx, server.Database(name)); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// outboxRegistry has one bucket.
func outboxRegistry() (*registry.Registry, error) {
	plan := "pro"
	return registryOf(ir.Definition{ID: outboxBucket, Kind: ir.Dynamic, Criteria: &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{
		Name: "plan", Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &plan},
	}}})
}

// makeTransitions fills a database with transitions of users who enter and leave one bucket.
func makeTransitions(ctx context.Context, url string, r *registry.Registry, users, transitions int) error {
	pool, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := migrate.Up(ctx, pool, migrate.Options{}); err != nil {
		return err
	}
	if err := with(ctx, pool, r, engine.Config{NoClock: true, NoDelivery: true}, func(*engine.Engine) error { return nil }); err != nil {
		return err
	}
	numbers := strings.NewReplacer("@users", strconv.Itoa(users), "@transitions", strconv.Itoa(transitions))
	for _, sql := range []string{
		`insert into bucketgen.contacts (user_id, email, properties, created_at, updated_at, generation)
			select 'user-' || i, 'user-' || i || '@example.com', jsonb_build_object('plan', case when last.n % 2 = 1 then 'pro' else 'free' end), now(), localtimestamp, g.no
			from bucketgen.generation g, generate_series(1, @users) i, lateral (select (@transitions + @users - i) / @users as n) last`,
		`insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, left_at, source, reason)
			select u + 1, b.no, e + 1, at.began, at.ended, 'event', case when at.ended is not null then 'criteria' end
			from bucketgen.buckets b, generate_series(0, @transitions - 1) i, lateral (select i % @users as u, i / @users / 2 as e, i / @users % 2 as left) x,
				lateral (
					select now() - interval '1 day' + i * interval '10 ms' as began,
						case when i + @users < @transitions then now() - interval '1 day' + (i + @users) * interval '10 ms' end as ended
				) at
			where x.left = 0`,
		`insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source, reason)
			select m.contact_id, m.bucket_no, m.entry_count, case x.left when 0 then 'entered' else 'left' end, m.id, at.at, at.at + interval '0', 'event',
				case x.left when 1 then 'criteria' end
			from generate_series(0, @transitions - 1) i, lateral (select i % @users as u, i / @users / 2 as e, i / @users % 2 as left) x
			join bucketgen.memberships m on m.contact_id = x.u + 1 and m.entry_count = x.e + 1,
				lateral (select now() - interval '1 day' + i * interval '10 ms' as at) at
			order by i`,
		`vacuum analyze`,
	} {
		if _, err := pool.Exec(ctx, numbers.Replace(sql)); err != nil {
			return err
		}
	}
	return nil
}

// fill empties the outbox and inserts the backlog by many transactions, with an equal part for each
// subscription. VACUUM ANALYZE follows, as autovacuum runs within a minute of such a load.
func (b *outboxed) fill(ctx context.Context, w way) error {
	if err := b.subscribe(ctx, w); err != nil {
		return err
	}
	if _, err := b.pool.Exec(ctx, "truncate bucketgen.deliveries"); err != nil {
		return err
	}
	b.next, b.delivered = 0, 0
	const chunk = 5_000
	for b.waiting(w) < b.backlog {
		if err := b.add(ctx, w, min(b.backlog-b.waiting(w), chunk)); err != nil {
			return err
		}
	}
	for _, sql := range []string{"vacuum analyze bucketgen.deliveries", "checkpoint"} {
		if _, err := b.pool.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// waiting returns how many deliveries were inserted, without those that always fail.
func (b *outboxed) waiting(w way) int {
	n := b.next
	if w.failing {
		n -= (b.next + b.users - 1) / b.users // those of the first user
	}
	return n * w.subscriptions
}

// add inserts the next deliveries, due now, as ingest does: a whole number for each subscription.
func (b *outboxed) add(ctx context.Context, w way, deliveries int) error {
	from := b.next % b.transitions
	n := min((deliveries+w.subscriptions-1)/w.subscriptions, b.transitions-from)
	_, err := b.pool.Exec(ctx, `insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at)
		select t.contact_id, s.no, t.bucket_no, t.id, now()
		from bucketgen.transitions t, bucketgen.subscriptions s
		where t.id > $1::bigint and t.id <= $1::bigint + $2::bigint
		order by t.id, s.no`, from, n)
	if err != nil {
		return fmt.Errorf("fill the outbox: %w", err)
	}
	b.next += n
	return nil
}
