package lookup_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/lookup"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// The vocabulary and buckets of tests here.
var (
	plan     = bucket.Text("plan")
	visit    = bucket.Event("visit")
	pro      = bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")})
	regulars = bucket.Define(bucket.Spec{ID: "regulars", Criteria: visit.Within(bucket.Hour).AtLeast(2), Entry: bucket.Once()})
	dormant  = bucket.Define(bucket.Spec{ID: "dormant", Criteria: bucket.All(visit.Exists(), visit.Within(bucket.Day).Never())})
	testers  = bucket.Define(bucket.Spec{ID: "testers", Kind: bucket.Manual, MaxDwell: bucket.Week})
)

// world is engines on a database of their own, with a clock that only the test moves.
type world struct {
	t        testing.TB
	pool     *pgxpool.Pool
	registry *registry.Registry
	clock    *enginetest.Clock
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{
		t: t, pool: pgtest.New(t), registry: registrytest.Build(t, pro, regulars, dormant, testers),
		clock: enginetest.NewClock(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)),
	}
}

func (w *world) advance(d time.Duration) { w.clock.Advance(d) }

func (w *world) engine(c engine.Config) *engine.Engine {
	w.t.Helper()
	c.Now, c.VirtualTime, c.NoDelivery = w.clock.Now, true, true
	e, err := engine.New(w.pool, w.registry, c)
	if err == nil {
		err = e.Start(w.t.Context())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { waitfor.Stop(w.t, e) })
	return e
}

func (w *world) lookup(e *engine.Engine, c lookup.Config) *lookup.Lookup {
	w.t.Helper()
	l, err := lookup.New(e, c)
	if err == nil {
		err = l.Start(w.t.Context())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := l.Stop(context.Background()); err != nil {
			w.t.Error(err)
		}
	})
	return l
}

func (w *world) ref(id string) registry.Ref { return registrytest.Ref(w.t, w.registry, id) }

func (w *world) ingest(e *engine.Engine, events ...engine.Event) {
	w.t.Helper()
	if _, err := e.IngestBatch(w.t.Context(), events); err != nil {
		w.t.Fatal(err)
	}
}

// ids returns the ids of refs.
func ids(refs []registry.Ref) []string {
	out := []string{}
	for _, ref := range refs {
		out = append(out, ref.ID())
	}
	return out
}

// eventually waits for what another goroutine brings about.
var eventually = waitfor.That

// join lets a user join, by an engine that notifies others, or by a transaction that does not.
func join(t testing.TB, w *world, e *engine.Engine, user string, notifies bool) {
	t.Helper()
	if notifies {
		w.ingest(e, isPro(user))
		return
	}
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.IngestTx(t.Context(), tx, isPro(user)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}
