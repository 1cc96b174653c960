package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
)

// axes are what can grow while all else stays as it is.
var axes = map[string]struct {
	unit  string
	first int
	at    func(size int, o options) site
}{
	"buckets": {"buckets", 10, func(size int, o options) site {
		return site{workload: workload{users: o.users, segments: size / segmentBuckets}, buckets: size, stored: o.stored, callers: o.callers}
	}},
	"users": {"users", 1000, func(size int, o options) site {
		return site{workload: workload{users: size}, buckets: o.buckets, stored: o.stored, callers: o.callers}
	}},
	"crowd": {"users, 1,000 of them active", 1000, func(size int, o options) site {
		return site{workload: workload{users: size, active: 1000}, buckets: o.buckets, stored: o.stored, callers: o.callers}
	}},
	"history": {"events of the user", 10, func(size int, o options) site {
		const users = 4
		return site{workload: workload{users: users}, buckets: o.buckets, stored: users * size, callers: users}
	}},
}

// site is one size of what grows, on a database of its own.
type site struct {
	workload
	size, buckets, stored, callers int

	pool   *pgxpool.Pool
	engine *engine.Engine
	used   *cost
	events int64
	rates  []float64
	took   []time.Duration
}

// grow measures what an event costs as something grows, ten times from each size to the next. All
// sizes are measured in turns, so that whatever else goes on concerns them alike.
func grow(ctx context.Context, server *postgres.Server, o options) (err error) {
	axis, known := axes[o.grow]
	if !known {
		return fmt.Errorf("-grow is %q; use buckets, users, crowd or history", o.grow)
	}
	var sites []*site
	defer func() {
		for _, s := range sites {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	for size := axis.first; size <= o.to; size *= 10 {
		s := axis.at(size, o)
		s.size = size
		sites = append(sites, &s)
		if err := s.open(ctx, server, o); err != nil {
			return err
		}
	}
	if len(sites) < 2 {
		return fmt.Errorf("-to is %d; use %d at least", o.to, 10*axis.first)
	}
	for round := range o.rounds {
		for _, s := range sites {
			if err := s.round(ctx, o, uint64(round)+1); err != nil {
				return err
			}
		}
	}
	c := curve{unit: axis.unit}
	for _, s := range sites {
		c.points = append(c.points, s.print(axis.unit))
	}
	first, last := c.points[0], c.points[len(c.points)-1]
	fmt.Printf("ratio of what an event costs at %d to what it costs at %d: %.2f\n", last.size, first.size, last.sum()/first.sum())
	if o.svg == "" {
		return nil
	}
	return os.WriteFile(o.svg, c.svg(), 0o644)
}

// open makes a database with users and a past, and an engine that has known its users for a while.
func (s *site) open(ctx context.Context, server *postgres.Server, o options) error {
	admin, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("grown_%d", s.size)
	_, err = admin.Exec(ctx, "create database "+name)
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return err
	}
	if s.pool, err = connect(ctx, server.Database(name)); err != nil {
		return err
	}
	if _, err := migrate.Up(ctx, s.pool, migrate.Options{}); err != nil {
		return err
	}
	r, err := s.registry(s.buckets)
	if err != nil {
		return err
	}
	if s.engine, err = engine.New(s.pool, r, engine.Config{NoClock: true, NoDelivery: true, Flushers: o.flushers}); err != nil {
		return err
	}
	if err := s.engine.Start(ctx); err != nil {
		return err
	}
	if err := copyUsers(ctx, s.pool, s.workload); err != nil {
		return err
	}
	if err := storePast(ctx, s.pool, s.workload, s.stored); err != nil {
		return err
	}
	if s.used, err = newCost(ctx, s.pool); err != nil {
		return err
	}
	o.span, o.callers = o.warm, s.callers
	_, _, err = ingest(ctx, s.engine, s.workload.events(0, growSample), o, 0)
	return err
}

const growSample = 50_000 // events of a round, which is begun again if it runs out

func (s *site) round(ctx context.Context, o options, seed uint64) error {
	events := s.workload.events(seed, growSample)
	o.callers = s.callers
	stop := s.used.count()
	rate, took, err := ingest(ctx, s.engine, events, o, 0)
	stop()
	s.rates, s.took, s.events = append(s.rates, rate), append(s.took, took...), s.events+int64(len(took))
	return err
}

// print prints what was measured and returns it.
func (s *site) print(unit string) point {
	p50, p99 := percentiles(s.took)
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(s.events) }
	p := point{size: s.size, here: each(s.used.used.client), there: each(s.used.used.server)}
	stats := s.engine.Stats()
	fmt.Printf("%8d %s: %6.0f events/s, p50 %s, p99 %s, %.1f candidates an event; processor time an event %.1f us here, %.1f us in PostgreSQL\n",
		s.size, unit, median(s.rates), p50, p99, float64(stats.Candidates)/float64(stats.Events), p.here, p.there)
	return p
}

func (s *site) close(ctx context.Context) error {
	var err error
	if s.engine != nil {
		err = s.engine.Stop(ctx)
	}
	if s.pool != nil {
		s.pool.Close()
	}
	return err
}

// copyUsers makes the users, as if they had come long ago.
func copyUsers(ctx context.Context, pool *pgxpool.Pool, w workload) error {
	var generation int32
	if err := pool.QueryRow(ctx, "select no from bucketgen.generation").Scan(&generation); err != nil {
		return err
	}
	at := time.Now().Add(-60 * 24 * time.Hour)
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"bucketgen", "contacts"},
		[]string{"user_id", "properties", "created_at", "updated_at", "generation"},
		pgx.CopyFromSlice(w.users, func(i int) ([]any, error) {
			u := w.user(i)
			return []any{u.UserID, u.Traits, at, at, generation}, nil
		}))
	if err != nil {
		return fmt.Errorf("make users: %w", err)
	}
	return nil
}
