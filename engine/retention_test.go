package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestOldLogMayGo lets the same happen to two databases, from one of which the log goes as soon as no window reaches back to it:
// nobody can tell them apart. What is asked of all times is kept in totals, and what sequences have come to beside the log.
func TestOldLogMayGo(t *testing.T) {
	t.Parallel()
	const window = 2 * bucket.Day
	amount := purchase.Number("amount")
	large := purchase.Where(amount.AtLeast(50))
	var definitions []bucket.Definition
	for id, criteria := range map[string]bucket.Criteria{
		"count":        visit.Within(window).AtLeast(3),
		"absence":      bucket.All(visit.Exists(), visit.Within(window).Never()),
		"ago":          visit.Ago(window, bucket.Day).AtLeast(2),
		"ever":         visit.AtLeast(20),
		"never":        bucket.All(visit.Exists(), purchase.Never()),
		"first-time":   purchase.FirstTimeWithin(window),
		"first":        amount.Of(purchase.First()).AtLeast(50),
		"last":         amount.Of(purchase.Last()).AtLeast(50),
		"large":        large.Within(window).AtLeast(2),
		"large-ever":   large.AtLeast(10),
		"sum":          purchase.Within(window).Sum(amount).AtLeast(200),
		"sum-ever":     purchase.Sum(amount).AtLeast(1000),
		"sequence":     visit.ThenWithin(bucket.Day, purchase).Exists(),
		"not-followed": visit.ThenNot(purchase).Within(bucket.Day).Exists(),
	} {
		definitions = append(definitions, bucket.Define(bucket.Spec{ID: id, Criteria: criteria}))
	}
	var worlds [2]*world
	for i := range worlds {
		worlds[i] = newWorld(t, definitions...)
		worlds[i].Engine = worlds[i].start(engine.Config{NoClock: true, NoDelivery: true, CacheBytes: 1}, nil) // remembers nobody
	}
	whole, pruned := worlds[0], worlds[1]
	rng := rand.New(rand.NewPCG(1, 1))
	gone := 0
	for i := range 400 {
		ev := engine.Event{UserID: "u" + itoa(rng.IntN(3)), Name: []string{"visit", "purchase", "other"}[rng.IntN(3)], Properties: map[string]any{"amount": rng.IntN(100)}}
		pause := time.Duration(rng.ExpFloat64() * float64(6*time.Hour))
		for _, w := range worlds {
			w.clock.Advance(pause)
			w.settle()
		}
		equal(t, fmt.Sprintf("event %d", i), pruned.ingest(ev), whole.ingest(ev))
		tag, err := pruned.pool.Exec(t.Context(), "delete from bucketgen.events where occurred_at < $1", pruned.clock.Now().Add(-window))
		must(t, err)
		gone += int(tag.RowsAffected())
	}
	for _, user := range []string{"u0", "u1", "u2"} {
		equal(t, user, pruned.history(user), whole.history(user))
	}
	r, err := pruned.Reconcile(t.Context(), nil)
	must(t, err)
	equal(t, "repaired", r.Repaired, 0)
	for _, d := range definitions {
		if pruned.count(`select count(*) from bucketgen.memberships m join bucketgen.buckets b on b.no = m.bucket_no where b.id = $1`, d.ID()) == 0 {
			t.Errorf("nobody was ever in %s", d.ID())
		}
	}
	if gone < 300 {
		t.Errorf("%d events of 400 went, want most", gone)
	}
}
