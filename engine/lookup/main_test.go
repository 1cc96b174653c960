package lookup_test

import (
	"context"
	"os"
	"testing"

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

// world is a database with an engine, and a clock that only the test moves.
type world struct {
	*enginetest.World
	t testing.TB
}

func newWorld(t testing.TB, config engine.Config) *world {
	t.Helper()
	r := registrytest.Build(t, pro, regulars, dormant, testers)
	config.NoDelivery = true
	return &world{enginetest.New(t, pgtest.New(t), r, enginetest.Options{Config: config}), t}
}

// another starts a further engine.
func (w *world) another(config engine.Config) *engine.Engine {
	w.t.Helper()
	config.NoClock, config.NoDelivery = true, true
	return w.Start(config, nil)
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

func (w *world) ref(id string) registry.Ref { return registrytest.Ref(w.t, w.Registry, id) }

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
	tx, err := w.Pool.Begin(t.Context())
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
