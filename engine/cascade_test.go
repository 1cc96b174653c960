package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestCascade lets buckets that ask about each other in a long row follow an event, the clock, Add
// and Remove: all in the transaction that changed the first of them, by no more round trips than
// one bucket needs.
func TestCascade(t *testing.T) {
	t.Parallel()
	const row, maxTrips = 12, 3
	config, err := pgxpool.ParseConfig(pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	count := &tally{}
	config.ConnConfig.Tracer = count
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	visit := bucket.Event("visit")
	definitions := []bucket.Definition{
		bucket.Define(bucket.Spec{ID: "z00", Criteria: visit.Within(2 * bucket.Day).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "vip", Kind: bucket.Manual}),
		bucket.Define(bucket.Spec{ID: "known", Criteria: bucket.All(visit.Exists(), bucket.InBucket("vip"))}),
	}
	for i := 1; i < row; i++ { // the deeper, the earlier by id; each has needs of its own
		definitions = append(definitions, bucket.Define(bucket.Spec{
			ID:       fmt.Sprintf("%c%02d", 'z'-i, i),
			Criteria: bucket.All(bucket.InBucket(fmt.Sprintf("%c%02d", 'z'-i+1, i-1)), bucket.Event(fmt.Sprintf("never %d", i)).Within(bucket.Day).Never()),
		}))
	}
	r := registrytest.Build(t, definitions...)
	c := newClock(epoch)
	e := startEngine(t, pool, r, engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, Flushers: 1}, nil)
	warm := []engine.Event{{UserID: "other", Name: "visit"}, {UserID: "other", Name: "visit"}}
	ingestAll(t, e, warm) // names and prepared statements
	count.take()

	ingestAll(t, e, []engine.Event{{UserID: "ada", Name: "visit"}})
	count.take()
	c.Advance(time.Hour)
	results, err := e.IngestBatch(t.Context(), []engine.Event{{UserID: "ada", Name: "visit"}})
	if err != nil {
		t.Fatal(err)
	}
	if trips, _ := count.take(); trips > maxTrips {
		t.Errorf("a row of %d buckets takes %d round trips, more than %d", row, trips, maxTrips)
	}
	if got := len(results[0].Transitions); got != row {
		t.Errorf("%d transitions came of the event, want %d: %v", got, row, results[0].Transitions)
	}
	members := func(id string) int64 {
		t.Helper()
		ref, known := r.Ref(id)
		if !known {
			t.Fatalf("there is no bucket %s", id)
		}
		n, err := e.Count(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	last := fmt.Sprintf("%c%02d", 'z'-row+1, row-1)
	if got := members(last); got != 2 {
		t.Errorf("%d users are in the last bucket of the row, want 2", got)
	}

	vip := registrytest.ManualRef(t, r, "vip")
	if _, err := e.Add(t.Context(), vip, "ada"); err != nil {
		t.Fatal(err)
	}
	if got := members("known"); got != 1 {
		t.Errorf("after Add, %d users are in the bucket that asks about it, want 1", got)
	}
	if _, err := e.Remove(t.Context(), vip, "ada"); err != nil {
		t.Fatal(err)
	}
	if got := members("known"); got != 0 {
		t.Errorf("after Remove, %d users are in the bucket that asks about it, want none", got)
	}

	c.Advance(3 * bucket.Day)
	if _, err := e.Clock().RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	var instants int
	if err := pool.QueryRow(t.Context(), "select count(distinct at) from bucketgen.transitions t join bucketgen.contacts c on c.id = t.contact_id where c.user_id = 'ada' and kind = 'left' and source = 'clock'").Scan(&instants); err != nil {
		t.Fatal(err)
	}
	if got := members(last); got != 0 || instants != 1 {
		t.Errorf("once the visits are old, %d users are in the last bucket of the row, and they left at %d instants, want none and one", got, instants)
	}
}
