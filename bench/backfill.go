package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
)

// backfill measures how fast users follow a deployment: each of them has ten events of the past two
// months, and a bucket is deployed that asks for a property and counts those of the last days.
func backfill(ctx context.Context, pool *pgxpool.Pool, o options) error {
	e, err := started(ctx, pool, o, pros())
	if err != nil {
		return err
	}
	defer e.Stop(ctx)
	for _, sql := range []string{
		`insert into bucketgen.event_names (name) values ('purchase')`,
		`insert into bucketgen.contacts (user_id, properties, created_at, updated_at, generation)
			select 'user-' || lpad(i::text, 8, '0'), '{"plan": "pro", "seats": 12}', now() - interval '60 days', now() - interval '60 days', 1
			from generate_series(1, ` + strconv.Itoa(o.backfill) + `) i`,
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
			select c.id, n.no, a.at, now(), 'track', '{"amount": 12, "currency": "EUR"}'
			from bucketgen.contacts c cross join bucketgen.event_names n cross join generate_series(1, 10) i
			cross join lateral (select now() - random() * interval '60 days' + (i + c.id) * interval '0 s' as at) a
			where n.name = 'purchase'`,
		`vacuum analyze`, `checkpoint`,
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	n, err := engineFor(pool, o, pros(), buyers(o.window))
	if err != nil {
		return err
	}
	fmt.Printf("%d users of 10 events each, a property and a count within %s of 60 days\n", o.backfill, o.window)
	best := 0.0
	var derived int64
	for _, y := range derivations {
		rate, joined, err := y.run(ctx, pool, o.window)
		if err != nil {
			return fmt.Errorf("yardstick: %w", err)
		}
		fmt.Printf("yardstick, %s: %.0f users/s\n", y, rate)
		best, derived = max(best, rate), joined
	}
	if err := profiled(o.profile, func() error { return backfillOnce(ctx, n, pool, o, best, derived) }); err != nil {
		return err
	}
	if err := printSizes(ctx, pool, o.backfill); err != nil {
		return err
	}
	// Afterwards, because it leaves room in the pages of contacts, which would help the engine.
	y := derivation{connections: 2, notes: true}
	rate, _, err := y.run(ctx, pool, o.window)
	fmt.Printf("yardstick, %s, into the room that was left: %.0f users/s\n", y, rate)
	return err
}

// backfillOnce deploys, waits until all users have followed, and prints the cost beside the best
// yardstick rate.
func backfillOnce(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool, o options, best float64, derived int64) error {
	used, err := newCost(ctx, pool)
	if err != nil {
		return err
	}
	done := newLoad(ctx, pool)
	stop, began := used.count(), time.Now()
	shown, next := time.Now(), int64(0)
	progress := func(d engine.Deployment) {
		if d.Followed < next {
			return
		}
		next += int64(o.backfill / 10)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Printf("%9d users, %6s: heap %3d MB, resident %3d MB\n", d.Followed, time.Since(shown).Round(10*time.Millisecond), m.HeapAlloc>>20, resident()>>20)
	}
	var d engine.Deployment
	err = done.count(ctx, func() error {
		if _, err := e.Deploy(ctx, engine.DeployOptions{}); err != nil {
			return err
		}
		d, err = e.Deployments().Backfill(ctx, progress)
		return err
	})
	if err != nil {
		return err
	}
	span := time.Since(began)
	stop()
	rate := float64(o.backfill) / span.Seconds()
	fmt.Printf("backfill: %.0f users/s, %d joined, %d by SQL a moment before\n", rate, d.Joined, derived)
	used.print(int64(o.backfill), "user")
	done.print(int64(o.backfill), "user")
	fmt.Printf("ratio to the best derivation by SQL: %.3f\n", rate/best)
	return nil
}

// printSizes prints what the tables and indexes take that hold more than next to nothing.
func printSizes(ctx context.Context, pool *pgxpool.Pool, users int) error {
	if _, err := pool.Exec(ctx, "vacuum"); err != nil {
		return err
	}
	rows, err := pool.Query(ctx, `select c.relname::text, pg_table_size(c.oid), pg_indexes_size(c.oid) from pg_class c
		where c.relnamespace = 'bucketgen'::regnamespace and c.relkind = 'r' and pg_total_relation_size(c.oid) > 1000000 order by 1`)
	if err != nil {
		return err
	}
	var table string
	var data, indexes int64
	_, err = pgx.ForEachRow(rows, []any{&table, &data, &indexes}, func() error {
		fmt.Printf("%s: %d bytes a user, and %d in indexes\n", table, data/int64(users), indexes/int64(users))
		return nil
	})
	return err
}

// pros are users of a plan, and buyers those of them who have bought several times lately.
func pros() ir.Definition { return ir.Definition{ID: "pros", Kind: ir.Dynamic, Criteria: isPro()} }

func buyers(window time.Duration) ir.Definition {
	bought := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "purchase", Operator: ir.Gte, Count: 3, Window: &ir.Window{Last: window}}}
	return ir.Definition{ID: "buyers", Kind: ir.Dynamic, Criteria: &ir.Node{Op: ir.OpAll, Children: []*ir.Node{isPro(), bought}}}
}

func isPro() *ir.Node {
	pro := "pro"
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &pro}}}
}

func started(ctx context.Context, pool *pgxpool.Pool, o options, definitions ...ir.Definition) (*engine.Engine, error) {
	e, err := engineFor(pool, o, definitions...)
	if err != nil {
		return nil, err
	}
	return e, e.Start(ctx)
}

func engineFor(pool *pgxpool.Pool, o options, definitions ...ir.Definition) (*engine.Engine, error) {
	r, err := registryOf(definitions...)
	if err != nil {
		return nil, err
	}
	return engine.New(pool, r, engine.Config{NoClock: true, NoDelivery: true, BackfillWorkers: o.workers})
}

func registryOf(definitions ...ir.Definition) (*registry.Registry, error) {
	f := &ir.File{Version: ir.Version, Definitions: definitions}
	if errs := check.Errors(check.Problems(f)); len(errs) > 0 {
		return nil, fmt.Errorf("the workload's buckets are wrong: %v", errs[0])
	}
	return registry.New(plan.Build(f).Registry), nil
}

// resident is how much memory of this process is in the machine's, in bytes, or 0 where that is not
// known.
func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}
