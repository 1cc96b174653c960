package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestMergesLeaveConnections holds the lock of a user into whom many are merged, by an engine with four connections. Meanwhile
// events of others are taken in, and the engine is ready. Merges beyond the bounded line are refused for the moment; the others
// are done once the lock is free.
func TestMergesLeaveConnections(t *testing.T) {
	t.Parallel()
	const merges, waiting = 40, 10
	url := pgtest.NewURL(t)
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	e := startEngine(t, pool, registrytest.Build(t, pro), engine.Config{NoClock: true, NoDelivery: true, MaxMergesWaiting: waiting, DeployPoll: time.Hour}, nil)
	track := func(user string) {
		t.Helper()
		if _, err := e.Ingest(t.Context(), engine.Event{UserID: user, Name: "visit"}); err != nil {
			t.Fatal(err)
		}
	}
	track("ada")
	for i := range merges {
		track("anon" + itoa(i))
	}
	tx, err := pgtest.Open(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it is over already, unless the test fails
	if _, err := tx.Exec(t.Context(), "select from bucketgen.contacts where user_id = 'ada' for update"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	busy, done := 0, 0
	for i := range merges {
		group.Go(func() {
			_, err := e.Merge(t.Context(), "anon"+itoa(i), "ada")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done++
			case errors.Is(err, engine.ErrBusy) && engine.Transient(err):
				busy++
			default:
				t.Error(err)
			}
		})
	}
	eventually(t, func() bool { // one merge runs, as one of four connections is for merges
		mu.Lock()
		defer mu.Unlock()
		return busy == merges-waiting-1
	})
	for i := range 50 {
		track("user" + itoa(i))
	}
	if err := e.Ready(t.Context()); err != nil {
		t.Errorf("the engine is not ready: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	if done != waiting+1 {
		t.Errorf("%d merges were done, want %d", done, waiting+1)
	}
}
