package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// ExpiryTimer says that a member of a bucket with FastExpiry is to be looked at when an instant comes.
type ExpiryTimer struct {
	MembershipID int64
	BucketID     string
	UserID       string
	UserEmail    string
	ExpiresAt    time.Time
}

// TimerOutcome is what an expired timer came to.
type TimerOutcome string

// What an expired timer comes to.
const (
	ExpiryLeft  TimerOutcome = "left"  // the member left
	ExpiryStays TimerOutcome = "stays" // the member stays; if there is another instant to look at them, that is armed
	ExpiryStale TimerOutcome = "stale" // it stands no more, or somebody else was faster; nothing was done by this call
	ExpiryEarly TimerOutcome = "early" // by the clock of this process it has not expired; nothing was done
)

// OnExpiryTimer registers who is told, before the engine starts, that members of buckets with FastExpiry are to be looked at when
// some instant comes, by a timer that is to call [Clock.FireTimer] then. f is called by one goroutine after the transaction that
// says so was committed, with up to 100 of them.
//
// It is a matter of speed and no more: what is lost on the way, because the process dies, or f cannot keep up or returns an
// error, the clock of any process settles all the same. What IngestTx brings about is left to the clock, because it holds
// only once the caller commits.
func (g *Clock) OnExpiryTimer(f func(ctx context.Context, arms []ExpiryTimer) error) error {
	e := (*Engine)(g)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case f == nil:
		return errors.New("on expiry timer: the function is nil")
	case e.phase.Load() != fresh:
		return errors.New("on expiry timer: functions are registered before the engine starts")
	case e.armer != nil:
		return errors.New("on expiry timer: there is one already")
	}
	a := &armer{engine: e, call: f, waiting: map[armed]bool{}, most: armMost}
	a.loop = service.Loop{Component: "timers", Log: e.log, First: service.Idle, Turn: a.turn}
	e.armer = a
	return nil
}

// FireTimer is called when a timer has expired. If what it was armed for still stands, the user is settled as the clock does it.
// Several calls do no harm, nor does a clock that is at it at the same time.
func (g *Clock) FireTimer(ctx context.Context, a ExpiryTimer) (TimerOutcome, error) {
	e := (*Engine)(g)
	came, err := e.expire(ctx, a)
	if err != nil {
		return "", fmt.Errorf("fire timer: %w", err)
	}
	return came, nil
}

func (e *Engine) expire(ctx context.Context, a ExpiryTimer) (TimerOutcome, error) {
	if err := e.ready(); err != nil {
		return "", err
	}
	b, known := e.registry.Bucket(a.BucketID)
	if !known {
		return "", fmt.Errorf("bucket %q: %w", a.BucketID, ErrUnknownBucket)
	}
	row, active, err := e.dueOf(ctx, b, a)
	switch {
	case err != nil:
		return "", err
	case !active || !row.DueAt.Time.Equal(a.ExpiresAt):
		return ExpiryStale, nil
	case e.now() < table.At(a.ExpiresAt):
		return ExpiryEarly, nil
	}
	t := &transact.Task{Want: store.Request{User: row.UserID}, Options: e.options(true), Step: (*decide.Session).Clock}
	if err := e.commitAll(ctx, []*transact.Task{t}, func(*transact.Task) { e.stats.settled.Add(1) }); err != nil {
		return "", err
	}
	if slices.ContainsFunc(t.Result.Transitions, func(t decide.Transition) bool { return t.Bucket == b && t.Kind == Left }) {
		return ExpiryLeft, nil
	}
	switch _, active, err = e.dueOf(ctx, b, a); {
	case err != nil:
		return "", err
	case !active: // somebody else settled the user since we looked
		return ExpiryStale, nil
	default:
		return ExpiryStays, nil
	}
}

// dueOf returns when the stay of a timer is to be looked at, zero if never, and whose it is by now, and whether it still lasts.
func (e *Engine) dueOf(ctx context.Context, b table.BucketIndex, a ExpiryTimer) (row db.MembershipsArmRow, active bool, err error) {
	row, err = e.store.Queries(e.pool).MembershipsArm(ctx, db.MembershipsArmParams{UserID: a.UserID, BucketNo: e.store.Bucket(b)})
	switch {
	case noRow(err):
		return row, false, nil
	case err != nil:
		return row, false, fmt.Errorf("read when a member is to be looked at: %w", err)
	}
	return row, row.ID == a.MembershipID, nil
}

// armer tells of members who are to be looked at when some instant comes.
type armer struct {
	engine *Engine
	loop   service.Loop
	call   func(context.Context, []ExpiryTimer) error

	mu      sync.Mutex
	fast    map[int32]bool // numbers of the buckets with FastExpiry; none before the engine starts
	waiting map[armed]bool
	most    int  // that may wait
	calling int  // that were taken and are not told of yet
	unheard bool // the last could not be told of, which is logged once; only turn reads it
}

// armed is a stay of which is to be told.
type armed struct {
	contact int64
	bucket  int32
}

// Of so many stays is told at once, and so many wait for that at most.
const (
	armBatch = 100
	armMost  = 100_000
)

// prepare finds out which buckets it is about.
func (a *armer) prepare() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fast = map[int32]bool{}
	for i := range a.engine.registry.Buckets {
		if a.engine.registry.Buckets[i].FastExpiry {
			a.fast[a.engine.store.Bucket(table.BucketIndex(i))] = true
		}
	}
}

// notice takes note of what was written. It never waits.
func (a *armer) notice(w *store.Write) {
	some := false
	a.mu.Lock()
	if len(a.fast) > 0 {
		w.Arm(a.fast, func(contact int64, bucket int32) {
			some = a.put(armed{contact, bucket}) || some
		})
	}
	a.mu.Unlock()
	if some {
		a.loop.Wake()
	}
}

// put lets a stay wait, if there is room. It is called under a.mu.
func (a *armer) put(stay armed) bool {
	if len(a.waiting) >= a.most && !a.waiting[stay] {
		a.engine.stats.unarmed.Add(1)
		return false
	}
	a.waiting[stay] = true
	return true
}

// take returns stays that wait.
func (a *armer) take() db.MembershipsArmedParams {
	a.mu.Lock()
	defer a.mu.Unlock()
	var p db.MembershipsArmedParams
	for s := range a.waiting {
		p.ContactIds, p.BucketNos = append(p.ContactIds, s.contact), append(p.BucketNos, s.bucket)
		delete(a.waiting, s)
		if len(p.BucketNos) == armBatch {
			break
		}
	}
	a.calling = len(p.BucketNos)
	return p
}

// pending returns of how many stays is still to be told.
func (a *armer) pending() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return int64(len(a.waiting) + a.calling)
}

// turn reports the stays that wait.
func (a *armer) turn(ctx context.Context) (time.Duration, error) {
	for p := a.take(); len(p.BucketNos) > 0; p = a.take() {
		a.outcome(ctx, len(p.BucketNos), a.tell(ctx, p))
		select {
		case <-a.loop.Stopping():
			return service.Idle, nil
		default:
		}
	}
	return service.Idle, nil
}

// outcome counts stays that could not be told of, and logs that once until some can be.
func (a *armer) outcome(ctx context.Context, stays int, err error) {
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		a.engine.stats.unarmed.Add(int64(stays))
	}
	if err != nil && !a.unheard {
		a.engine.log.WarnContext(ctx, "timers cannot be armed; the clock settles their users all the same", "members", stays, "error", err)
	}
	a.unheard = err != nil
}

// tell reads when those stays that last are to be looked at, and tells of it. If that panics, nothing was told.
func (a *armer) tell(ctx context.Context, p db.MembershipsArmedParams) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	rows, err := a.engine.store.Queries(a.engine.pool).MembershipsArmed(ctx, p)
	if err != nil {
		return fmt.Errorf("read when members are to be looked at: %w", err)
	}
	arms := make([]ExpiryTimer, 0, len(rows))
	for _, row := range rows {
		if table.At(row.DueAt.Time) > table.Latest {
			continue // JSON cannot say when; the clock settles it
		}
		b, _ := a.engine.store.Index(row.BucketNo) // it is one of ours
		arms = append(arms, ExpiryTimer{
			MembershipID: row.ID, BucketID: a.engine.registry.Buckets[b].ID, UserID: row.UserID, UserEmail: deref(row.Email),
			ExpiresAt: row.DueAt.Time.UTC(),
		})
	}
	if len(arms) == 0 {
		return nil
	}
	return a.call(ctx, arms)
}
