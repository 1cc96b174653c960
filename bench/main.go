// Command bench measures ingest against a yardstick of its own: the bare insert of the same events
// into the same table by unnest, the fastest that PostgreSQL takes them in. Both run on one server,
// durable as a real one, in turns; what counts is the ratio.
//
//	go run ./bench
//
// Or it measures how many users a second follow a deployment:
//
//	go run ./bench -backfill 1000000
//
// Or how fast users are settled who are due, at one instant and one after the other:
//
//	go run ./bench -clock 100000
//
// Or how fast anonymous contacts expire that are due at one instant, while events come in:
//
//	go run ./bench -expire 1000000
//
// Or what an event costs as buckets, users, or the history of a user grow:
//
//	go run ./bench -grow users -to 1000000
//
// Or what an anonymous id beside the user id costs:
//
//	go run ./bench -ids
//
// Or how many deliveries a second leave the outbox, beside River:
//
//	go run ./bench -outbox
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/registry"
)

// options are what is measured.
type options struct {
	buckets, users, stored, callers, batch, flushers, rounds int
	segments, ids                                            bool
	span, warm, lead                                         time.Duration
	backfill                                                 int
	workers                                                  int
	clock, expire                                            int
	rate                                                     float64
	outbox, drain                                            bool
	only                                                     string
	backlog                                                  int
	grow, svg                                                string
	to                                                       int
	window                                                   time.Duration
	profile, allocations                                     string
}

func main() {
	var o options
	flag.IntVar(&o.buckets, "buckets", 1000, "buckets")
	flag.IntVar(&o.users, "users", 20_000, "users")
	flag.IntVar(&o.stored, "stored", 1_000_000, "events that are stored before")
	flag.IntVar(&o.callers, "callers", 64, "callers of Ingest at once")
	flag.IntVar(&o.batch, "batch", 1, "events of a call: with more than one, callers use IngestBatch")
	flag.BoolVar(&o.segments, "segments", false, "let buckets ask for one of two events and a property, so that an event has five candidates, and no event change a property")
	flag.BoolVar(&o.ids, "ids", false, "measure events with a user id and an anonymous id in turns with those with a user id alone")
	flag.IntVar(&o.flushers, "flushers", 0, "flushers of the engine (default its own)")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	flag.DurationVar(&o.span, "span", 4*time.Second, "length of a measured run")
	flag.DurationVar(&o.warm, "warm", 20*time.Second, "length of the run before those that are measured, in which users come again")
	flag.DurationVar(&o.lead, "lead", 2*time.Second, "length of the run between the yardsticks and each that is measured, in which the server gets over what those wrote")
	flag.IntVar(&o.backfill, "backfill", 0, "users who are to follow a deployment, which is measured instead of ingest")
	flag.IntVar(&o.workers, "workers", 0, "workers of the engine that let users follow (default its own)")
	flag.DurationVar(&o.window, "window", 7*24*time.Hour, "what the deployed bucket counts within")
	flag.IntVar(&o.clock, "clock", 0, "users who are due at one instant, which is measured instead of ingest")
	flag.IntVar(&o.expire, "expire", 0, "anonymous contacts that expire within a second, which is measured instead of ingest")
	flag.Float64Var(&o.rate, "rate", 1000, "users a second who are due while events come in at half of their peak, with -clock")
	flag.BoolVar(&o.outbox, "outbox", false, "measure deliveries from the outbox instead of ingest, beside River")
	flag.IntVar(&o.backlog, "backlog", 1_000_000, "the largest backlog, with -outbox")
	flag.StringVar(&o.only, "only", "", "what is measured with -outbox, a regular expression that matches a part of a printed name (default all)")
	flag.BoolVar(&o.drain, "drain", false, "measure how the largest backlog is delivered with nothing coming in, tenth by tenth, with -outbox")
	flag.StringVar(&o.grow, "grow", "", "what grows while the cost of an event is measured: buckets, users who come equally often, a crowd with the same active users, or history")
	flag.IntVar(&o.to, "to", 10_000, "how far it grows")
	flag.StringVar(&o.svg, "svg", "", "draw what -grow measures into this file")
	statements := flag.Bool("statements", false, "let the private server count statements, and print them")
	url := flag.String("database", os.Getenv("BENCH_DATABASE_URL"), "server to measure on (default a private one, durable)")
	flag.StringVar(&o.allocations, "memprofile", "", "write a profile of allocations to this file, and what there was before to one more, for -base")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of what is measured to this file")
	flag.Parse()
	if err := run(context.Background(), *url, *statements, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, statements bool, o options) error {
	// As much of the tables fits into its memory as on a server that is set up as its documentation
	// advises, and logs are kept to be used again.
	settings := []string{"track_commit_timestamp=on", "shared_buffers=1GB", "min_wal_size=4GB"}
	if statements {
		settings = append(settings, "shared_preload_libraries=pg_stat_statements")
	}
	server, err := postgres.Start(ctx, postgres.Options{URL: url, Durable: true, Settings: settings})
	if err != nil {
		return err
	}
	defer server.Stop()
	switch {
	case o.grow != "":
		return grow(ctx, server, o)
	case o.outbox:
		return outbox(ctx, server, o)
	}
	pool, err := connect(ctx, server.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := migrate.Up(ctx, pool, migrate.Options{}); err != nil {
		return err
	}
	switch {
	case o.backfill > 0:
		return backfill(ctx, pool, o)
	case o.clock > 0:
		return clock(ctx, pool, o)
	case o.expire > 0:
		return expire(ctx, pool, o)
	}
	w := workload{users: o.users}
	if o.segments {
		w.segments = max(o.buckets/segmentBuckets, 1)
	}
	r, err := w.registry(o.buckets)
	if err != nil {
		return err
	}
	config := engine.Config{NoClock: true, NoDelivery: true, Flushers: o.flushers}
	if err := with(ctx, pool, r, config, func(e *engine.Engine) error { return fill(ctx, e, pool, w, o.stored) }); err != nil {
		return err
	}
	fmt.Printf("%.1f candidates an event, beside the buckets that its user is in\n", w.candidates(r))
	// Another engine than the one that made the users, whose events of the past went by it.
	return with(ctx, pool, r, config, func(e *engine.Engine) error {
		if o.ids {
			return withIDs(ctx, e, pool, w, o)
		}
		return measure(ctx, e, pool, w, o)
	})
}

// with runs something with an engine.
func with(ctx context.Context, pool *pgxpool.Pool, r *registry.Registry, c engine.Config, do func(*engine.Engine) error) error {
	e, err := engine.New(pool, r, c)
	if err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	return errors.Join(do(e), e.Stop(ctx))
}

func connect(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 16
	return pgxpool.NewWithConfig(ctx, config)
}

// measure runs the engine and its yardstick in turns and prints the medians.
func measure(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool, w workload, o options) error {
	yardsticks, did := map[string][]float64{}, tally{}
	var rates []float64
	var latencies []time.Duration
	fmt.Printf("%d buckets, %d users, %d stored events, %d callers with %d events a call, %d rounds of %s\n",
		o.buckets, o.users, o.stored, o.callers, o.batch, o.rounds, o.span)
	before := w.events(0, sample)
	if err := warm(ctx, e, pool, before, o); err != nil {
		return err
	}
	if o.allocations != "" {
		if err := writeAllocations(o.allocations + ".before"); err != nil {
			return err
		}
	}
	used, err := newCost(ctx, pool)
	if err != nil {
		return err
	}
	done := newLoad(ctx, pool)
	for round := range o.rounds {
		if err := runYardsticks(ctx, pool, o, yardsticks); err != nil {
			return err
		}
		events := w.events(uint64(round)+1, sample) // made before anything is counted
		if err := lead(ctx, e, before, o, o.lead); err != nil {
			return err
		}
		run := func() error {
			stop, was := used.count(), e.Stats()
			rate, took, err := ingest(ctx, e, events, o, 0)
			stop()
			did.add(was, e.Stats())
			rates, latencies = append(rates, rate), append(latencies, took...)
			return err
		}
		if err := profiled(o.profile, func() error { return done.count(ctx, run) }); err != nil {
			return err
		}
		fmt.Printf("round %d: %.0f events/s\n", round+1, rates[round])
	}
	best, name := bestOf(yardsticks)
	rate := median(rates)
	p50, p99 := percentiles(latencies)
	fmt.Printf("ingest: %.0f events/s, p50 %s, p99 %s, %.1f events a batch, %.2f transitions an event\n", rate, p50, p99,
		float64(did.Events)/float64(did.Batches), float64(did.Transitions)/float64(did.Events))
	fmt.Printf("buckets evaluated for each event: %.1f\n", float64(did.Candidates)/float64(did.Events))
	used.print(max(did.Events, 1), "event")
	done.print(max(did.Events, 1), "event")
	if err := reuseLogs(ctx, pool); err != nil {
		return err
	}
	if err := unhurried(ctx, e, w, o, rate); err != nil {
		return err
	}
	if o.allocations != "" {
		if err := writeAllocations(o.allocations); err != nil {
			return err
		}
	}
	fmt.Printf("ratio to the best bare insert (%s): %.3f\n", name, rate/best)
	return nil
}

// tally is what an engine did in the runs that are measured.
type tally struct{ Events, Transitions, Batches, Candidates int64 }

func (t *tally) add(before, after engine.Stats) {
	t.Events += after.Events - before.Events
	t.Transitions += after.Transitions - before.Transitions
	t.Batches += after.Batches - before.Batches
	t.Candidates += after.Candidates - before.Candidates
}

// sample is how many events a run has, which is begun again if it runs out.
const sample = 50_000

// warm lets users come who were not there before, until most have.
func warm(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool, events []engine.Event, o options) error {
	if err := lead(ctx, e, events, o, o.warm); err != nil {
		return err
	}
	return reuseLogs(ctx, pool)
}

// reuseLogs lets the server use its logs again, as one does that runs for long: a new one is
// written twice, first with zeros.
func reuseLogs(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, "checkpoint"); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// lead ingests events before others are measured: so users come again, and the server gets over
// what yardsticks have written. They are the same each time, so nothing that is new in those that
// are measured has happened by then.
func lead(ctx context.Context, e *engine.Engine, events []engine.Event, o options, span time.Duration) error {
	o.span = span
	_, _, err := ingest(ctx, e, events, o, 0)
	return err
}

// unhurried prints how long events take where more could come: at half of a peak, and from one
// caller.
func unhurried(ctx context.Context, e *engine.Engine, w workload, o options, peak float64) error {
	alone := o
	alone.callers = 1
	for _, run := range []struct {
		name string
		o    options
		pace float64
	}{{"at half of that", o, peak / 2}, {"one caller", alone, 0}} {
		const seed = 1000 // not that of a round
		rate, took, err := ingest(ctx, e, w.events(seed, sample), run.o, run.pace)
		if err != nil {
			return err
		}
		p50, p99 := percentiles(took)
		fmt.Printf("%s: %.0f events/s, p50 %s, p99 %s\n", run.name, rate, p50, p99)
	}
	return nil
}

// cost is what measured runs took, here and in PostgreSQL.
type cost struct {
	used                   cpu
	allocated, allocations uint64
	server                 int // the number of its first process
}

func newCost(ctx context.Context, pool *pgxpool.Pool) (*cost, error) {
	server, err := serverOf(ctx, pool)
	return &cost{server: server}, err
}

// count begins to count and returns how to stop.
func (c *cost) count() (stop func()) {
	start := cpuNow(c.server)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	return func() {
		took := cpuNow(c.server).since(start)
		c.used.client, c.used.server = c.used.client+took.client, c.used.server+took.server
		runtime.ReadMemStats(&after)
		c.allocated += after.TotalAlloc - before.TotalAlloc
		c.allocations += after.Mallocs - before.Mallocs
	}
}

// print prints the cost of each event.
func (c *cost) print(events int64, what string) {
	each := time.Duration(events)
	fmt.Printf("processor time for each %s: %s here, %s in PostgreSQL\n", what, (c.used.client / each).Round(100*time.Nanosecond), (c.used.server / each).Round(100*time.Nanosecond))
	fmt.Printf("allocations for each %s: %d, %d bytes\n", what, c.allocations/uint64(events), c.allocated/uint64(events))
}

func writeAllocations(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.Lookup("allocs").WriteTo(f, 0)
}

// profiled runs something and writes a CPU profile of it, if a file is named; the last one stays.
func profiled(name string, run func() error) error {
	if name == "" {
		return run()
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return run()
}

// percentiles returns what half of some durations do not exceed, and what 99 of a hundred do not.
func percentiles(took []time.Duration) (p50, p99 time.Duration) {
	if len(took) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	return took[len(took)/2].Round(10 * time.Microsecond), took[len(took)*99/100].Round(10 * time.Microsecond)
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}
