package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// recent is a bucket whose members are timed.
var recent = bucket.Define(bucket.Spec{ID: "recent", Criteria: visit.Within(bucket.Hour).Exists(), FastExpiry: true})

// timers are the timers that were started.
type timers chan engine.ExpiryTimer

func (c timers) start(_ context.Context, all []engine.ExpiryTimer) error {
	for _, a := range all {
		c <- a
	}
	return nil
}

func (c timers) next(t *testing.T) engine.ExpiryTimer {
	t.Helper()
	return waitfor.Next(t, c)
}

// newTimedWorld is a world whose engine reports expiry timers. It has no clock.
func newTimedWorld(t *testing.T, definitions ...bucket.Definition) (*world, timers) {
	t.Helper()
	w, c := newWorld(t, definitions...), make(timers, 1000)
	w.Engine = w.start(engine.Config{NoClock: true, NoDelivery: true}, func(e *engine.Engine) { must(t, e.Clock().OnExpiryTimer(c.start)) })
	return w, c
}

func (w *world) expire(a engine.ExpiryTimer) engine.TimerOutcome {
	w.t.Helper()
	came, err := w.Clock().FireTimer(w.t.Context(), a)
	if err != nil {
		w.t.Fatal(err)
	}
	return came
}

// TestTimerOfAMember follows one timer after the other through a stay.
func TestTimerOfAMember(t *testing.T) {
	t.Parallel()
	w, started := newTimedWorld(t, recent, regulars)
	w.identify("ada", map[string]any{"email": "ada@example.com"})
	w.track("ada", "visit")
	first := started.next(t)
	id := w.count("select id from bucketgen.memberships where left_at is null")
	equal(t, "started", first, engine.ExpiryTimer{
		MembershipID: int64(id), BucketID: "recent", UserID: "ada", UserEmail: "ada@example.com", ExpiresAt: epoch.Add(time.Hour),
	})
	w.clock.Advance(30 * time.Minute)
	equal(t, "a second visit", w.track("ada", "visit"), []string{"entered regulars 1"}) // whose members are not timed
	w.clock.Advance(30*time.Minute - time.Microsecond)
	equal(t, "too early", w.expire(first), engine.ExpiryEarly)
	w.clock.Advance(time.Microsecond)
	equal(t, "after the second visit", w.expire(first), engine.ExpiryStays)
	second := started.next(t)
	equal(t, "started again", []any{second.MembershipID, second.ExpiresAt}, []any{first.MembershipID, epoch.Add(90 * time.Minute)})
	equal(t, "the first again", w.expire(first), engine.ExpiryStale)
	w.clock.Advance(30 * time.Minute)
	equal(t, "an hour after it", w.expire(second), engine.ExpiryLeft)
	equal(t, "once more", w.expire(second), engine.ExpiryStale)
	w.track("ada", "visit")
	third := started.next(t)
	w.clock.Advance(time.Hour)
	second.ExpiresAt = third.ExpiresAt
	equal(t, "of an earlier stay", w.expire(second), engine.ExpiryStale)
	equal(t, "of this one", w.expire(third), engine.ExpiryLeft)
	var of []string
	for _, line := range w.history("ada") {
		if strings.Contains(line, "recent") {
			of = append(of, line)
		}
	}
	equal(t, "history", of, []string{"entered recent 1", "left recent 1 by criteria", "entered recent 2", "left recent 2 by criteria"})
	equal(t, "started in all", len(started), 0)
}

// TestStaleTimers has timers of users who are gone, and of unknown buckets.
func TestStaleTimers(t *testing.T) {
	t.Parallel()
	w, started := newTimedWorld(t, recent)
	w.track("ada", "visit")
	a := started.next(t)
	w.clock.Advance(time.Hour)
	must(t, w.Delete(t.Context(), "ada"))
	equal(t, "deleted", w.expire(a), engine.ExpiryStale)
	unknown := a
	unknown.UserID = "unknown"
	equal(t, "unknown", w.expire(unknown), engine.ExpiryStale)
	a.BucketID = "nope"
	if _, err := w.Clock().FireTimer(t.Context(), a); !errors.Is(err, engine.ErrUnknownBucket) {
		t.Errorf("unknown bucket: got %v", err)
	}
}

// TestTimersAndClock lets timers expire, each twice and in several goroutines, while a clock
// settles the same users: everybody leaves once.
func TestTimersAndClock(t *testing.T) {
	t.Parallel()
	w, started := newTimedWorld(t, recent)
	in := make(inbox, 1000)
	handled := w.start(fast, func(e *engine.Engine) {
		must(t, e.OnLeave(w.ref("recent"), engine.LeaveHandler{Name: "left", Func: in.handle}))
	})
	const users = 200
	var events []engine.Event
	for i := range users {
		events = append(events, engine.Event{UserID: "u" + itoa(i), Name: "visit"})
	}
	ingestAll(t, w.Engine, events)
	var timed []engine.ExpiryTimer
	for range users {
		timed = append(timed, started.next(t))
	}
	w.start(engine.Config{NoDelivery: true, ClockPoll: time.Millisecond}, nil)
	w.clock.Advance(time.Hour)
	var group sync.WaitGroup
	for half := range 4 {
		group.Go(func() {
			for _, a := range timed[half%2*users/2 : half%2*users/2+users/2] {
				if came, err := w.Clock().FireTimer(t.Context(), a); err != nil || came == engine.ExpiryEarly || came == engine.ExpiryStays {
					t.Errorf("%s: got %q, %v", a.UserID, came, err)
				}
			}
		})
	}
	group.Wait()
	equal(t, "members", w.count("select count(*) from bucketgen.memberships where left_at is null"), 0)
	equal(t, "leaves", w.count("select count(*) from bucketgen.transitions where kind = 'left'"), users)
	eventually(t, func() bool { return handled.Stats().Delivered == users })
	equal(t, "announced", len(in), users)
}

// TestTimersOfATransaction takes events in by transactions of the caller: whether they count is not
// known before they are committed, so their users are left to the clock.
func TestTimersOfATransaction(t *testing.T) {
	t.Parallel()
	w, started := newTimedWorld(t, recent)
	for user, end := range map[string]func(pgx.Tx, context.Context) error{"ada": pgx.Tx.Commit, "bob": pgx.Tx.Rollback} {
		tx, err := w.pool.Begin(t.Context())
		must(t, err)
		_, err = w.IngestTx(t.Context(), tx, engine.Event{UserID: user, Name: "visit"})
		must(t, err)
		must(t, end(tx, t.Context()))
	}
	w.track("cy", "visit")
	equal(t, "started", started.next(t).UserID, "cy")
	eventually(t, func() bool { return w.Stats().TimersWaiting == 0 })
	equal(t, "other users started", len(started), 0)
	w.clock.Advance(time.Hour)
	w.settle()
	equal(t, "the clock", w.history("ada"), []string{"entered recent 1", "left recent 1 by criteria"})
}

// TestTimersThatCannotBeArmed has a function that fails, and then one that panics: both are
// counted, and the next timers are reported.
func TestTimersThatCannotBeArmed(t *testing.T) {
	t.Parallel()
	w, started := newWorld(t, recent), make(timers, 10)
	calls := 0
	e := w.start(engine.Config{NoClock: true, NoDelivery: true}, func(e *engine.Engine) {
		must(t, e.Clock().OnExpiryTimer(func(ctx context.Context, all []engine.ExpiryTimer) error {
			switch calls++; calls {
			case 1:
				return errors.New("no route to host")
			case 2:
				panic("no thanks")
			default:
				return started.start(ctx, all)
			}
		}))
	})
	for i, user := range []string{"ada", "bob"} {
		ingestAll(t, e, []engine.Event{{UserID: user, Name: "visit"}})
		eventually(t, func() bool { return e.Stats().TimersDropped == int64(i+1) })
	}
	ingestAll(t, e, []engine.Event{{UserID: "cy", Name: "visit"}})
	equal(t, "started", started.next(t).UserID, "cy")
}

func TestOnArmIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, recent)
	e, err := engine.New(w.pool, w.registry, fast)
	must(t, err)
	start := make(timers).start
	if _, err := e.Clock().FireTimer(t.Context(), engine.ExpiryTimer{BucketID: "recent"}); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("expire before it runs: got %v", err)
	}
	must(t, e.Clock().OnExpiryTimer(start))
	for want, err := range map[string]error{
		"there is one already": e.Clock().OnExpiryTimer(start), "is nil": e.Clock().OnExpiryTimer(nil), "before the engine starts": w.Clock().OnExpiryTimer(start),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
