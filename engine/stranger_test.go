package engine_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestRememberedContactIsAnother gives a user, whom the engine remembers, another contact behind
// its back. Nothing of what the old one did or was in may count for the new one.
func TestRememberedContactIsAnother(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c := newClock(epoch)
	e := startEngine(t, pool, registrytest.Build(t, regulars), engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true}, nil)
	visits := make([]engine.Event, 50)
	for i := range visits {
		visits[i] = engine.Event{UserID: "u", Name: "visit"}
	}
	for round := range 3 {
		results, err := e.IngestBatch(t.Context(), visits)
		if err != nil {
			t.Fatal(err)
		}
		entered := 0
		for _, r := range results {
			entered += len(r.Transitions)
		}
		if entered != 1 {
			t.Errorf("round %d: an unknown contact enters %d times, want 1", round, entered)
		}
		if _, err := pool.Exec(t.Context(), "update bucketgen.contacts set id = default where user_id = 'u'"); err != nil {
			t.Fatal(err)
		}
	}
}
