//go:build hatchet

package hatchet

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/internal/hatchettest"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// The tests of files that end in server_internal_test.go use a real server. Each has names of its
// own on it, and a database.

var (
	plan  = bucket.Text("plan")
	visit = bucket.Event("visit")

	lapsed = bucket.Define(bucket.Spec{
		ID: "lapsed", Name: "Lapsed", Criteria: plan.Is("lapsed"), Dwell: []bucket.Tick{bucket.After(bucket.Second)},
	})
)

// quiet keeps Hatchet's clients from reporting every run.
var quiet = zerolog.New(os.Stderr).Level(zerolog.WarnLevel)

// shared is the server of the tests that do not kill it.
var shared struct {
	once   sync.Once
	server *hatchettest.Server
	err    error
}

// useHatchet points clients at the shared server, under names that no other test has.
func useHatchet(t testing.TB) {
	t.Helper()
	shared.once.Do(func() {
		shared.server, shared.err = hatchettest.Start(context.Background())
		if shared.err == nil {
			finally = append(finally, func() {
				if err := shared.server.Stop(); err != nil {
					fmt.Fprintln(os.Stderr, "stop Hatchet:", err)
				}
			})
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	t.Setenv("HATCHET_CLIENT_TOKEN", shared.server.Token)
	t.Setenv("HATCHET_CLIENT_TLS_STRATEGY", "none")
	t.Setenv("HATCHET_CLIENT_NAMESPACE", newNamespace())
}

func newNamespace() string { return fmt.Sprintf("t%d", time.Now().UnixNano()) }

// world is an engine and its adapter on a database of its own.
type world struct {
	*engine.Engine
	pool     *pgxpool.Pool
	registry *registry.Registry
	adapter  *Adapter
}

func newWorld(t testing.TB, definitions ...bucket.Definition) *world {
	t.Helper()
	return &world{pool: pgtest.New(t), registry: registrytest.Build(t, definitions...)}
}

// start starts engine and adapter.
func (w *world) start(t testing.TB, ec engine.Config, c Config) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	ec.Logger, c.Logger = log, log
	w.Engine = enginetest.Start(t, w.pool, w.registry, ec, func(e *engine.Engine) (err error) {
		w.adapter, err = New(e, c)
		return err
	})
	if err := w.adapter.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.stop(t) })
}

// stop stops both. It may be called again.
func (w *world) stop(t testing.TB) {
	t.Helper()
	waitfor.Stop(t, w.adapter)
	waitfor.Stop(t, w.Engine)
}

func (w *world) ingest(t testing.TB, events ...engine.Event) {
	t.Helper()
	for _, ev := range events {
		if _, err := w.Ingest(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) ref(t testing.TB, id string) registry.Ref {
	t.Helper()
	return registrytest.Ref(t, w.registry, id)
}

// plans returns an event that gives a user a plan.
func plans(user, name string) engine.Event {
	return engine.Event{UserID: user, Traits: map[string]any{"plan": name}}
}

// eventually waits until something is true.
func eventually(t testing.TB, within time.Duration, what string, is func() bool) {
	t.Helper()
	deadline := time.After(within)
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", within, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// number returns the number that a query yields.
func number(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) int {
	t.Helper()
	var n int
	if err := pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
