package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

func open(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TestSmallPools does everything at once by pools that have fewer connections than an engine has
// workers.
func TestSmallPools(t *testing.T) {
	t.Parallel()
	for size := 1; size <= 4; size++ {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			pool := open(t, pgtest.NewURL(t)+fmt.Sprintf("&pool_max_conns=%d", size))
			soon := bucket.Define(bucket.Spec{ID: "soon", Criteria: visit.Within(time.Second).AtLeast(1)})
			r := registrytest.Build(t, pro, regulars, soon)
			var entered, left atomic.Int64
			e := startEngine(t, pool, r, engine.Config{}, func(e *engine.Engine) {
				ref := registrytest.Ref(t, r, "soon")
				if err := e.OnEnter(ref, engine.EnterHandler{Name: "enter", Func: func(context.Context, engine.Transition) error { entered.Add(1); return nil }}); err != nil {
					t.Fatal(err)
				}
				if err := e.OnLeave(ref, engine.LeaveHandler{Name: "leave", Func: func(context.Context, engine.Transition) error { left.Add(1); return nil }}); err != nil {
					t.Fatal(err)
				}
			})
			var group sync.WaitGroup
			for caller := range 8 {
				group.Go(func() {
					for n := range 20 {
						user := fmt.Sprintf("u%d", (caller+n)%10)
						if _, err := e.Ingest(t.Context(), engine.Event{UserID: user, Name: "visit", Traits: map[string]any{"plan": "pro"}}); err != nil {
							t.Error(err)
						}
						if _, err := e.Has(t.Context(), registrytest.Ref(t, r, "pro"), user); err != nil {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			eventually(t, func() bool { return entered.Load() >= 10 && left.Load() >= 10 && e.Ready(t.Context()) == nil })
			equal(t, "connections", pool.Stat().MaxConns(), int32(size))
		})
	}
}

// failOnError fails a test that logs an error.
type failOnError struct {
	slog.Handler

	t *testing.T
}

func (h failOnError) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		h.t.Errorf("error logged: %s", r.Message)
	}
	return h.Handler.Handle(ctx, r)
}

// TestSerializable runs two engines on a database whose transactions are SERIALIZABLE unless they
// say otherwise.
func TestSerializable(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	admin := open(t, url)
	if _, err := admin.Exec(t.Context(), "alter database "+admin.Config().ConnConfig.Database+" set default_transaction_isolation = 'serializable'"); err != nil {
		t.Fatal(err)
	}
	r := registrytest.Build(t, pro, bucket.Define(bucket.Spec{ID: "soon", Criteria: visit.Within(time.Second).AtLeast(1)}))
	engines := make(chan *engine.Engine, 2)
	log := slog.New(failOnError{slog.NewTextHandler(t.Output(), nil), t})
	var starting sync.WaitGroup
	for range 2 {
		pool := open(t, url)
		starting.Go(func() { engines <- startEngine(t, pool, r, engine.Config{Logger: log}, nil) })
	}
	starting.Wait()
	if t.Failed() {
		return
	}
	var group sync.WaitGroup
	for range 2 {
		e := <-engines
		for caller := range 4 {
			group.Go(func() {
				for n := range 20 {
					if _, err := e.Ingest(t.Context(), engine.Event{UserID: fmt.Sprintf("u%d", n%5), Name: "visit", Key: fmt.Sprintf("%p-%d-%d", e, caller, n)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	count := func(sql string) (n int) {
		if err := admin.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	equal(t, "stored", count("select count(*) from bucketgen.events"), 160)
	eventually(t, func() bool { return count("select count(*) from bucketgen.memberships where left_at is null") == 0 }) // by the clock
}

// TestStartOfASupersededProgram starts a program that the tables do not admit any more.
func TestStartOfASupersededProgram(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), "update bucketgen.compatibility set oldest_program = 9000"); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(pool, registrytest.Build(t, pro), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "admit programs of version 9000 or later, and this program has") {
		t.Errorf("got %v", err)
	}
}

// TestQueryExecModes refuses pools by which events could not be sent, and works with all others.
func TestQueryExecModes(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	r := registrytest.Build(t, pro)
	for _, mode := range []string{"exec", "simple_protocol"} {
		_, err := engine.New(open(t, url+"&default_query_exec_mode="+mode), r, engine.Config{})
		if err == nil || !strings.Contains(err.Error(), "default_query_exec_mode="+mode) || !strings.Contains(err.Error(), "cache_describe") {
			t.Errorf("%s: got %v, want an error that says what to set", mode, err)
		}
	}
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec"} {
		e := startEngine(t, open(t, url+"&default_query_exec_mode="+mode), r, engine.Config{}, nil)
		for n := range 3 {
			if _, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Name: mode, Traits: map[string]any{"plan": []string{"pro", "free"}[n%2]}}); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
		}
	}
}
