package engine_test

import (
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

func TestMain(m *testing.M) {
	child.Main(map[string]func(string) error{crashVar: crashWorkerMain, deployVar: deployWorkerMain, outboxVar: outboxWorkerMain, eraseVar: eraseWorkerMain, peopleVar: peopleWorkerMain})
	os.Exit(pgtest.Run(m))
}

// The vocabulary and buckets of most tests here.
var (
	plan     = bucket.Text("plan")
	seats    = bucket.Number("seats")
	visit    = bucket.Event("visit")
	purchase = bucket.Event("purchase")

	pro       = bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")})
	regulars  = bucket.Define(bucket.Spec{ID: "regulars", Criteria: visit.Within(bucket.Hour).AtLeast(2)})
	dormant   = bucket.Define(bucket.Spec{ID: "dormant", Criteria: bucket.All(visit.Exists(), visit.Within(bucket.Day).Never())})
	proBuyers = bucket.Define(bucket.Spec{ID: "pro-buyers", Criteria: bucket.All(plan.Is("pro"), purchase.Exists())})
	testers   = bucket.Define(bucket.Spec{ID: "testers", Kind: bucket.Manual, MaxDwell: bucket.Week})
)

// world is an engine on a database of its own, with a clock that only the test moves.
type world struct {
	*engine.Engine
	t        testing.TB
	pool     *pgxpool.Pool
	registry *registry.Registry
	clock    *enginetest.Clock
}

// newClock returns a clock that only the test moves.
var newClock = enginetest.NewClock

var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// newWorld starts an engine that does nothing by itself.
func newWorld(t testing.TB, definitions ...bucket.Definition) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t), registry: registrytest.Build(t, definitions...), clock: newClock(epoch)}
	w.Engine = w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	return w
}

// start starts a further engine on the database, with the clock of the world.
func (w *world) start(config engine.Config, prepare func(*engine.Engine)) *engine.Engine {
	w.t.Helper()
	config.Now, config.VirtualTime = w.clock.Now, true
	return startEngine(w.t, w.pool, w.registry, config, prepare)
}

func startEngine(t testing.TB, pool *pgxpool.Pool, r *registry.Registry, config engine.Config, prepare func(*engine.Engine)) *engine.Engine {
	t.Helper()
	e, err := engine.New(pool, r, config)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(e)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, e) })
	return e
}

// What waits for another goroutine, or another process.
var (
	eventually = waitfor.That
	stop       = waitfor.Stop
)

func (w *world) ref(id string) registry.Ref {
	w.t.Helper()
	return registrytest.Ref(w.t, w.registry, id)
}

func (w *world) manual(id string) registry.ManualRef {
	w.t.Helper()
	return registrytest.ManualRef(w.t, w.registry, id)
}

// ingest takes an event in and returns what happened, in short.
func (w *world) ingest(ev engine.Event) []string {
	w.t.Helper()
	result, err := w.Ingest(w.t.Context(), ev)
	if err != nil {
		w.t.Fatal(err)
	}
	return brief(result.Transitions)
}

func (w *world) track(user, name string) []string {
	w.t.Helper()
	return w.ingest(engine.Event{UserID: user, Name: name})
}

func (w *world) identify(user string, traits map[string]any) []string {
	w.t.Helper()
	return w.ingest(engine.Event{UserID: user, Traits: traits})
}

func (w *world) settle() int {
	w.t.Helper()
	n, err := w.Clock().RunDue(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) has(id, user string) bool {
	w.t.Helper()
	has, err := w.Has(w.t.Context(), w.ref(id), user)
	if err != nil {
		w.t.Fatal(err)
	}
	return has
}

// history returns what happened to a user, in short.
func (w *world) history(user string) []string {
	w.t.Helper()
	var all []engine.Transition
	for t, err := range w.History(w.t.Context(), user) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, t)
	}
	return brief(all)
}

// count returns the single number that a query yields.
func (w *world) count(sql string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.pool.QueryRow(w.t.Context(), sql, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// brief writes transitions as "entered pro 1", "left pro 1 by criteria", "dwell pro 1 after-1s#1".
func brief(transitions []engine.Transition) []string {
	out := []string{}
	for _, t := range transitions {
		s := string(t.Kind) + " " + t.BucketID + " " + itoa(t.EntryCount)
		if t.Reason != "" {
			s += " by " + string(t.Reason)
		}
		if t.Tick != "" {
			s += " " + t.Tick + "#" + itoa(t.DwellCount)
		}
		if t.Suppressed {
			s += " suppressed"
		}
		out = append(out, s)
	}
	return out
}
