package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

func (w *world) sizes(id string, from, to time.Time, step engine.Step) []engine.SizePoint {
	w.t.Helper()
	points, err := w.MembershipHistory(w.t.Context(), w.ref(id), from, to, step)
	if err != nil {
		w.t.Fatal(err)
	}
	return points
}

func (w *world) rollUp() {
	w.t.Helper()
	if err := w.Clock().RollUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// rollUpAll adds up all that is in the log, once whatever else is going on in the database server
// lets that be done.
func (w *world) rollUpAll(t *testing.T) {
	t.Helper()
	eventually(t, func() bool {
		w.rollUp()
		return w.count("select coalesce(max(id), 0) - (select up_to from bucketgen.rollup_progress) from bucketgen.transitions") == 0
	})
}

// rolledUp returns how many joins and leaves were added up.
func (w *world) rolledUp() int {
	w.t.Helper()
	return w.count(`select coalesce(sum(entered + "left"), 0) from bucketgen.rollups`)
}

// sizesOf works out what MembershipHistory should say, by a scan of all stays for each point.
func sizesOf(stays []pastStay, deleted map[string]time.Time, id string, from, until time.Time, step time.Duration) []engine.SizePoint {
	points := []engine.SizePoint{}
	for at := from; at.Before(until); at = at.Add(step) {
		end, dwell := at.Add(step), time.Duration(0)
		within := func(t time.Time) bool { return !t.Before(at) && t.Before(end) }
		p := engine.SizePoint{At: at}
		for _, s := range stays {
			if s.bucket != id {
				continue
			}
			gone, isDeleted := deleted[s.user]
			if within(s.entered) {
				p.Entered++
			}
			if within(s.left) {
				p.Left++
				dwell += s.left.Sub(s.entered)
			}
			if s.entered.Before(end) && !s.left.Before(end) && (!isDeleted || !gone.Before(end)) {
				p.Members++
			}
		}
		if p.Left > 0 {
			p.MeanDwell = (dwell / time.Duration(p.Left)).Truncate(time.Microsecond)
		}
		points = append(points, p)
	}
	return points
}

// TestMembershipHistory lets users come and go while the log is added up at random moments, by two
// engines, and compares the results with a scan of all stays: some of it was added up, some was
// not.
func TestMembershipHistory(t *testing.T) {
	t.Parallel()
	short := bucket.Define(bucket.Spec{ID: "short", Criteria: visit.Within(bucket.Hour).AtLeast(1), Entry: bucket.Once(), MaxDwell: 45 * bucket.Minute})
	w := newWorld(t, regulars, short, testers)
	engines := []*engine.Engine{w.Engine, w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)}
	rng := rand.New(rand.NewPCG(3, 4))
	deleted := map[string]time.Time{}
	equal(t, "before anything happened", w.sizes("short", time.Time{}, time.Time{}, engine.Hourly), []engine.SizePoint{})
	for i := range 400 {
		user := "u" + itoa(rng.IntN(30))
		_, isDeleted := deleted[user]
		switch n := rng.IntN(40); {
		case n < 3 && !isDeleted:
			add(t, w, user)
		case n < 5 && !isDeleted:
			remove(t, w, user)
		case n == 5 && i > 200 && !isDeleted:
			w.track(user, "visit")
			if err := w.Delete(t.Context(), user); err != nil {
				t.Fatal(err)
			}
			deleted[user] = w.clock.Now()
		case n < 10:
			if err := engines[rng.IntN(2)].Clock().RollUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		default:
			w.track(user, "visit")
		}
		w.clock.Advance(time.Duration(rng.IntN(60*60*1000)) * time.Millisecond)
		if i%100 == 99 {
			w.settle()
			compareSizes(t, w, deleted)
		}
	}
	w.rollUpAll(t)
	if n := w.rolledUp(); n < 200 {
		t.Errorf("only %d transitions were added up", n)
	}
	compareSizes(t, w, deleted)
	if _, err := w.Restore(t.Context(), "u1"); err != nil {
		t.Fatal(err)
	}
	delete(deleted, "u1")
	w.settle()
	compareSizes(t, w, deleted)
}

func compareSizes(t *testing.T, w *world, deleted map[string]time.Time) {
	t.Helper()
	stays, now := allStays(t, w), w.clock.Now()
	for _, id := range []string{"regulars", "short", "testers"} {
		for _, step := range []engine.Step{engine.Hourly, engine.Daily} {
			span := time.Duration(step)
			until := now.Truncate(span).Add(span)
			late := epoch.AddDate(0, 0, 1)
			equal(t, fmt.Sprintf("%s by %s", id, span), w.sizes(id, epoch.Add(-time.Minute), time.Time{}, step), sizesOf(stays, deleted, id, epoch.Add(-span), until, span))
			equal(t, fmt.Sprintf("%s by %s later", id, span), w.sizes(id, late.Add(time.Minute), now, step), sizesOf(stays, deleted, id, late, until, span))
			all := w.sizes(id, time.Time{}, time.Time{}, step)
			equal(t, fmt.Sprintf("all of %s by %s", id, span), all, sizesOf(stays, deleted, id, all[0].At, until, span))
			if all[0].Entered == 0 {
				t.Errorf("all of %s by %s begins too early", id, span)
			}
		}
		compareStats(t, w, id, stays, deleted)
	}
}

func compareStats(t *testing.T, w *world, id string, stays []pastStay, deleted map[string]time.Time) {
	t.Helper()
	got, err := w.BucketStats(t.Context(), w.ref(id))
	if err != nil {
		t.Fatal(err)
	}
	hour := w.clock.Now().Truncate(time.Hour)
	ever := sizesOf(stays, deleted, id, epoch.Add(-time.Hour), hour.Add(time.Hour), hour.Add(2*time.Hour).Sub(epoch))[0]
	day := sizesOf(stays, deleted, id, hour.Add(-23*time.Hour), hour.Add(time.Hour), 24*time.Hour)[0]
	now := sizesOf(stays, deleted, id, hour, hour.Add(time.Hour), time.Hour)[0]
	equal(t, "stats of "+id, got, engine.BucketStats{
		Members: ever.Members, Hour: engine.Flow{Entered: now.Entered, Left: now.Left}, Day: engine.Flow{Entered: day.Entered, Left: day.Left},
		Ever: engine.Flow{Entered: ever.Entered, Left: ever.Left}, MeanDwell: ever.MeanDwell,
	})
	n, err := w.Count(t.Context(), w.ref(id))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "members of "+id, got.Members, n)
}

// TestRollupSkipsNothing adds the log up while a transaction is open whose transitions have smaller
// ids than others that are there already.
func TestRollupSkipsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	enter := func(user string) engine.Event {
		return engine.Event{UserID: user, Traits: map[string]any{"plan": "pro"}}
	}
	upTo := func() int { return w.count("select up_to from bucketgen.rollup_progress") }
	members := func(want int64) {
		t.Helper()
		points := w.sizes("pro", epoch, time.Time{}, engine.Daily)
		equal(t, "points", points, []engine.SizePoint{{At: epoch, Entered: want, Members: want}})
	}
	w.ingest(enter("first"))
	w.rollUpAll(t)
	equal(t, "added up", upTo(), 1)

	open, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Rollback(t.Context()) }()
	if _, err := w.IngestTx(t.Context(), open, enter("slow")); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		w.ingest(enter("quick" + itoa(i)))
		w.rollUp()
		w.rollUp()
		members(int64(i) + 2)
		equal(t, "added up while a transaction is open", upTo(), 1)
	}
	if err := open.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	members(5)
	w.rollUpAll(t)
	members(5)
	equal(t, "rolled up", w.rolledUp(), 5)
}

// TestRollupOfACopy adds up the log of a database that was copied to another server, whose
// transactions have other numbers.
func TestRollupOfACopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("ada", map[string]any{"plan": "pro"})
	execSQL(t, w, "update bucketgen.rollup_progress set known = 1, before = '9000000000000'")
	w.rollUpAll(t)
	equal(t, "rolled up", w.rolledUp(), 1)
}

// TestRollupWhileWriting adds the log up by several engines at once while others write.
func TestRollupWhileWriting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	const users, changes = 8, 40
	var writers, adders sync.WaitGroup
	stop := make(chan struct{})
	for _, e := range []*engine.Engine{w.Engine, other} {
		adders.Go(func() {
			for {
				if err := e.Clock().RollUp(t.Context()); err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		for i := range users {
			writers.Go(func() {
				for k := range changes {
					ev := engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": []string{"pro", "free"}[k%2]}}
					if _, err := e.Ingest(t.Context(), ev); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	writers.Wait()
	close(stop)
	adders.Wait()
	w.rollUpAll(t)
	made := w.count("select count(*) from bucketgen.transitions")
	equal(t, "rolled up", w.rolledUp(), made)
	if made < changes {
		t.Errorf("only %d transitions were made", made)
	}
}

// TestRollupInTheBackground sees that an engine with a clock adds up by itself.
func TestRollupInTheBackground(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.start(engine.Config{NoDelivery: true}, nil)
	eventually(t, func() bool { return w.rolledUp() == 1 })
}

// TestRollupOnDemand asks for sizes when much is not added up yet.
func TestRollupOnDemand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, testers)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.sizes("pro", epoch, time.Time{}, engine.Daily)
	equal(t, "added up of little", w.rolledUp(), 0)
	execSQL(t, w, `insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source)
		select i, b.no, 1, 'entered', i, '2026-01-01T00:00:01Z', now(), 'event'
		from generate_series(1000, 111000) i, bucketgen.buckets b where b.id = 'testers'`)
	eventually(t, func() bool {
		equal(t, "size", w.sizes("testers", epoch, time.Time{}, engine.Daily), []engine.SizePoint{{At: epoch, Entered: 110001, Members: 110001}})
		return w.rolledUp() == 110002
	})
}

func TestMembershipHistoryRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, test := range []struct {
		name     string
		from, to time.Time
		step     engine.Step
		want     string
	}{
		{"a step that is none", epoch, epoch, engine.Step(time.Minute), "membership history: a step of 1m0s is neither Hourly nor Daily"},
		{"from after to", epoch.Add(2 * time.Hour), epoch, engine.Hourly, "membership history: to is before from"},
		{"too much", epoch, epoch.AddDate(200, 0, 0), engine.Hourly, "membership history: there are more than 1000000 steps of 1h0m0s"},
	} {
		_, err := w.MembershipHistory(t.Context(), w.ref("pro"), test.from, test.to, test.step)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	stats, err := w.BucketStats(t.Context(), w.ref("pro"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stats of a bucket that no user entered", stats, engine.BucketStats{})
}

// TestSizesAreReadByIndex lets PostgreSQL explain how it reads the past of a bucket: by the hours
// of that bucket and what is not added up yet, whatever the number of transitions, stays and users.
func TestSizesAreReadByIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, sql := range []string{
		`insert into bucketgen.contacts (user_id, created_at, updated_at, deleted_at)
			select 'h' || i, now(), now(), case when i % 1000 = 0 then now() end from generate_series(1, 30000) i`,
		`insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, source)
			select i, b, 1, now(), 'event' from generate_series(1, 30000) i, generate_series(1, 2) b`,
		`insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source)
			select i, b, 1, 'entered', i, now(), now(), 'event' from generate_series(1, 30000) i, generate_series(1, 2) b`,
		`insert into bucketgen.rollups (bucket_no, hour, entered, "left", dwell)
			select b, '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 hour', 1, 0, 0 from generate_series(1, 100) i, generate_series(1, 300) b`,
		`update bucketgen.rollup_progress set up_to = 59990`,
		`analyze`,
	} {
		execSQL(t, w, sql)
	}
	q := hotQueries()["RollupsOf"]
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		plan := explainBy(t, w, "explain (analyze, costs off, timing off)", q.sql, mode, q.args)
		if n := mostRows(t, plan); n > 150 || readsAll(plan) {
			t.Errorf("%d rows are touched (%s):\n%s", n, mode, plan)
		}
	}
}
