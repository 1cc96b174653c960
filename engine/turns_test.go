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

// TestMergesLeaveConnections merges 300 users into one at once, the first of them with 40,000
// events, by an engine with four connections. While the lock of the one is held, and while the
// 40,000 events move, events of other users are taken in, and the engine is ready. Merges beyond
// the bounded line are refused with ErrBusy; the others are done once the lock is free.
func TestMergesLeaveConnections(t *testing.T) {
	t.Parallel()
	const merges, waiting, long = 300, 100, 40_000
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
	e := startEngine(t, pool, registrytest.Build(t, pro, regulars), engine.Config{NoClock: true, NoDelivery: true, MaxMergesWaiting: waiting, DeployPoll: time.Hour}, nil)
	track := func(user string) {
		t.Helper()
		if _, err := e.Ingest(t.Context(), engine.Event{UserID: user, Name: "visit"}); err != nil {
			t.Fatal(err)
		}
	}
	track("ada")
	first := make([]engine.Event, merges)
	for i := range first {
		first[i] = engine.Event{UserID: "anon" + itoa(i), Name: "visit"}
	}
	ingestAll(t, e, first)
	if _, err := pool.Exec(t.Context(), `insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
		select c.id, n.no, now() - i * interval '1 s', now(), 'track', '{}'
		from bucketgen.contacts c, bucketgen.event_names n, generate_series(2, $1::int) i where c.user_id = 'anon0' and n.name = 'visit'`, long); err != nil {
		t.Fatal(err)
	}
	other := pgtest.Open(t, url)
	tx, err := other.Begin(t.Context())
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
	merge := func(i int) {
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
	merge(0)
	eventually(t, func() bool { // it runs, and waits for the lock
		var waits bool
		err := other.QueryRow(t.Context(), "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')").Scan(&waits)
		return err == nil && waits
	})
	for i := range merges - 1 {
		merge(i + 1)
	}
	eventually(t, func() bool { // one merge runs, as one of four connections is for merges
		mu.Lock()
		defer mu.Unlock()
		return busy == merges-waiting-1
	})
	others := func() {
		t.Helper()
		for i := range 50 {
			track("user" + itoa(i))
		}
		if err := e.Ready(t.Context()); err != nil {
			t.Errorf("the engine is not ready: %v", err)
		}
	}
	others()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	others()
	group.Wait()
	if done != waiting+1 {
		t.Errorf("%d merges were done, want %d", done, waiting+1)
	}
	var events int
	if err := pool.QueryRow(t.Context(), `select count(*) from bucketgen.events e
		join bucketgen.contacts c on c.id = e.contact_id where c.user_id = 'ada'`).Scan(&events); err != nil {
		t.Fatal(err)
	}
	if want := 1 + long + waiting; events != want {
		t.Errorf("ada has %d events, want %d", events, want)
	}
}
