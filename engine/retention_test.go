package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
)

// TestOldLogMayGo lets the same happen to two databases. In one of them the log is partitioned by
// days, and each day is dropped as soon as no window reaches back to it: both give the same
// results. What is asked of all times is kept in totals, and what sequences have come to beside the
// log.
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
		worlds[i].Engine = worlds[i].start(engine.Config{NoClock: true, NoDelivery: true, CacheBytes: 1}, nil) // caches no user
	}
	whole, pruned := worlds[0], worlds[1]
	const days = 90
	partitionLog(t, pruned, epoch, days, bucket.Day)
	rng := rand.New(rand.NewPCG(1, 1))
	gone := 0
	for i := range 250 {
		ev := engine.Event{UserID: "u" + itoa(rng.IntN(3)), Name: []string{"visit", "purchase", "other"}[rng.IntN(3)], Properties: map[string]any{"amount": rng.IntN(100)}}
		pause := time.Duration(rng.ExpFloat64() * float64(5*time.Hour))
		for _, w := range worlds {
			w.clock.Advance(pause)
			w.settle()
		}
		equal(t, fmt.Sprintf("event %d", i), pruned.ingest(ev), whole.ingest(ev))
		for ; epoch.Add(time.Duration(gone+1) * bucket.Day).Before(pruned.clock.Now().Add(-window)); gone++ {
			execSQL(t, pruned, fmt.Sprintf("drop table bucketgen.events_%d", gone))
		}
	}
	for _, user := range []string{"u0", "u1", "u2"} {
		equal(t, user, pruned.history(user), whole.history(user))
	}
	r, err := pruned.Deployments().Reconcile(t.Context(), nil)
	must(t, err)
	equal(t, "repaired", r.Repaired, 0)
	for _, d := range definitions {
		if pruned.count(`select count(*) from bucketgen.memberships m join bucketgen.buckets b on b.no = m.bucket_no where b.id = $1`, d.ID()) == 0 {
			t.Errorf("no user was ever in %s", d.ID())
		}
	}
	if left, of := pruned.count("select count(*) from bucketgen.events"), whole.count("select count(*) from bucketgen.events"); left*10 > of {
		t.Errorf("%d events of %d are left, want few", left, of)
	}
}

// partitionLog puts a log that is partitioned by time, from an instant on, in the place of the log,
// which must be empty.
func partitionLog(t testing.TB, w *world, from time.Time, partitions int, each time.Duration) {
	t.Helper()
	execSQL(t, w, `alter table bucketgen.events rename to events_whole`)
	execSQL(t, w, `create table bucketgen.events (like bucketgen.events_whole including all) partition by range (occurred_at)`)
	for i := range partitions {
		upto := from.Add(each)
		execSQL(t, w, fmt.Sprintf(`create table bucketgen.events_%d partition of bucketgen.events for values from ('%s') to ('%s')`,
			i, from.Format(time.RFC3339), upto.Format(time.RFC3339)))
		from = upto
	}
}

// BenchmarkPartitions asks for the newest occurrences of users in a log of 390 days in one
// partition, in 13 and in 61, in turns: as the engine does, and with a bound by which PostgreSQL
// can pass over old ones. It reports the medians for one user, in µs.
func BenchmarkPartitions(b *testing.B) {
	const span, users = 390 * bucket.Day, 500
	bounded := strings.Replace(db.EventsNewest, "and e.event_no = w.event_no", "and e.event_no = w.event_no and e.occurred_at > $5::timestamptz", 1)
	names, contacts, events, newest := make([]string, users), make([]int64, users), make([]int32, users), make([]int32, users)
	took := map[string][]time.Duration{}
	worlds := map[int]*world{}
	for _, n := range []int{1, 13, 61} {
		w := newWorld(b, pro)
		worlds[n] = w
		partitionLog(b, w, epoch.Add(-span), n, span/time.Duration(n))
		execSQL(b, w, `insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind)
			select 1 + i % 20000, 1 + i / 20000 % 5, '`+epoch.Format(time.RFC3339)+`'::timestamptz - (1 + (i * 7919::bigint) % 9360000) * interval '3.6 s', now(), 'track'
			from generate_series(1, 400000) i`)
		execSQL(b, w, "vacuum analyze bucketgen.events")
	}
	for k := 0; b.Loop(); k += users {
		for i := range users {
			contacts[i], events[i], newest[i] = int64(1+(k+i)%20000), 1, 3
		}
		for n, w := range worlds {
			for sql, args := range map[string][]any{db.EventsNewest: {names, contacts, events, newest}, bounded: {names, contacts, events, newest, epoch.Add(-30 * bucket.Day)}} {
				start := time.Now()
				if _, err := w.pool.Exec(b.Context(), sql, args...); err != nil {
					b.Fatal(err)
				}
				key := fmt.Sprintf("%d-all-µs", n)
				if sql == bounded {
					key = fmt.Sprintf("%d-bounded-µs", n)
				}
				took[key] = append(took[key], time.Since(start)/users)
			}
		}
	}
	for key, t := range took {
		slices.Sort(t)
		b.ReportMetric(float64(t[len(t)/2].Nanoseconds())/1000, key)
	}
}
