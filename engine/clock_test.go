package engine_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestClockByItself runs two engines on the real clock: users join and leave by it alone, at the
// exact instants.
func TestClockByItself(t *testing.T) {
	t.Parallel()
	const window = 150 * time.Millisecond
	active := bucket.Define(bucket.Spec{ID: "active", Criteria: visit.Within(window).Exists()})
	away := bucket.Define(bucket.Spec{ID: "away", Criteria: bucket.All(visit.Exists(), visit.Within(2*window).Never())})
	pool := pgtest.New(t)
	r := registrytest.Build(t, active, away)
	in := make(inbox, 100)
	var engines []*engine.Engine
	for range 2 {
		engines = append(engines, startEngine(t, pool, r, engine.Config{ClockPoll: 5 * time.Millisecond, DeliveryPoll: 5 * time.Millisecond}, func(e *engine.Engine) {
			must(t, e.OnLeave(registrytest.Ref(t, r, "active"), engine.LeaveHandler{Name: "left", Func: in.handle}))
			must(t, e.OnEnter(registrytest.Ref(t, r, "away"), engine.EnterHandler{Name: "away", Func: in.handle}))
		}))
	}
	const users = 20
	visits := map[string]time.Time{}
	for i := range users {
		result, err := engines[i%2].Ingest(t.Context(), engine.Event{UserID: "u" + itoa(i), Name: "visit"})
		must(t, err)
		visits["u"+itoa(i)] = result.Transitions[0].At
	}
	for range 2 * users {
		tr := in.next(t)
		due := visits[tr.UserID].Add(window)
		if tr.BucketID == "away" {
			due = due.Add(window)
		}
		if !tr.At.Equal(due) || tr.DecidedAt.Before(due) || tr.Source != engine.SourceClock {
			t.Errorf("%s: got %+v, want it at %s", tr.UserID, tr, due)
		}
	}
	equal(t, "more", len(in), 0)
}

// TestLagIsMeasured holds the lock of a user who is due, so that the clock cannot settle them.
func TestLagIsMeasured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	w.track("ada", "visit")
	w.track("ada", "visit")
	tx, err := w.pool.Begin(t.Context())
	must(t, err)
	defer tx.Rollback(t.Context())
	_, err = w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "other"})
	must(t, err)
	w.clock.Advance(time.Hour + 3*time.Second)
	e := w.start(engine.Config{ClockPoll: time.Millisecond, NoDelivery: true}, nil)
	eventually(t, func() bool { return e.Stats().ClockLag == 3*time.Second })
	must(t, tx.Rollback(t.Context()))
	eventually(t, func() bool { return e.Stats().ClockLag == 0 && e.Stats().Settled > 0 })
	equal(t, "history", w.history("ada"), []string{"entered regulars 1", "left regulars 1 by criteria"})
}

// TestRefreshedWindowIsNotWrittenAgain shows that a due instant stands until it comes, although the
// window moved on.
func TestRefreshedWindowIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	w.track("ada", "visit")
	w.track("ada", "visit")
	due := func() int {
		return w.count("select extract(epoch from max(due_at) - $1)::int from bucketgen.due", epoch)
	}
	equal(t, "due", due(), 3600)
	w.clock.Advance(10 * time.Minute)
	w.track("ada", "visit")
	w.track("ada", "visit")
	equal(t, "due after more visits", due(), 3600)
	w.clock.Advance(50 * time.Minute)
	w.settle()
	equal(t, "due after that", due(), 4200)
	equal(t, "member", w.has("regulars", "ada"), true)
	w.clock.Advance(10 * time.Minute)
	w.settle()
	equal(t, "member at the end", w.has("regulars", "ada"), false)
	equal(t, "due at the end", w.count("select count(*) from bucketgen.due"), 0)
}

// TestMissedTicksComeAsOne lets an engine on a real clock find ticks that it was not there for.
func TestMissedTicksComeAsOne(t *testing.T) {
	t.Parallel()
	ticking := bucket.Define(bucket.Spec{ID: "ticking", Criteria: plan.Exists(), Dwell: []bucket.Tick{bucket.Every(bucket.Hour), bucket.After(90 * bucket.Minute)}})
	w := newWorld(t, ticking)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.clock.Advance(5*time.Hour + time.Minute)
	live := startEngine(t, w.pool, w.registry, engine.Config{Now: w.clock.Now, NoClock: true, NoDelivery: true}, nil)
	_, err := live.Clock().RunDue(t.Context())
	must(t, err)
	equal(t, "after a downtime", w.history("ada")[1:], []string{"dwell ticking 1 after-90m#1", "dwell ticking 1 every-1h#5"})
	w.clock.Advance(time.Hour)
	_, err = live.Clock().RunDue(t.Context())
	must(t, err)
	equal(t, "in time", w.history("ada")[3:], []string{"dwell ticking 1 every-1h#6"})
	w.clock.Advance(2 * time.Hour)
	w.settle() // by the engine in virtual time, where nothing is missed
	equal(t, "in virtual time", w.history("ada")[4:], []string{"dwell ticking 1 every-1h#7", "dwell ticking 1 every-1h#8"})
}
