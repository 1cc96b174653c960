package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Timers hands due instants of members to a function that sets timers outside of the engine. It is
// safe for concurrent use.
type Timers struct {
	loop    service.Loop
	call    func(context.Context, []bucketgen.ExpiryTimer) error
	dropped func(stays int)
	log     *slog.Logger
	runner  *transact.Runner // nil before Prepare

	mu      sync.Mutex
	fast    map[int32]bool // numbers of the buckets with FastExpiry; none before Prepare
	waiting map[timedStay]bool
	most    int  // bounds waiting
	calling int  // stays that were taken from waiting and are with call
	failing bool // the last call failed, which is logged once; only turn reads it
}

// timedStay identifies a stay whose timer must be set.
type timedStay struct {
	contact int64
	bucket  int32
}

// The size of a batch, and how many stays may wait.
const (
	timerBatch = 100
	timersMost = 100_000
)

// NewTimers returns timers that call a function. dropped is called with the number of stays whose
// timers could not be set.
func NewTimers(call func(context.Context, []bucketgen.ExpiryTimer) error, dropped func(stays int), log *slog.Logger) *Timers {
	a := &Timers{call: call, dropped: dropped, log: log, waiting: map[timedStay]bool{}, most: timersMost}
	a.loop = service.Loop{Component: "timers", Log: log, First: service.Idle, Turn: a.turn}
	return a
}

// Loop returns the loop that calls the function.
func (a *Timers) Loop() *service.Loop { return &a.loop }

// Prepare finds out which buckets have FastExpiry. It is called before the loop starts.
func (a *Timers) Prepare(r *transact.Runner) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runner, a.fast = r, map[int32]bool{}
	for i := range a.runner.Registry.Buckets {
		if a.runner.Registry.Buckets[i].FastExpiry {
			a.fast[a.runner.Store.Bucket(table.BucketIndex(i))] = true
		}
	}
}

// Notice takes note of what was written. It never waits.
func (a *Timers) Notice(w *store.Write) {
	some := false
	a.mu.Lock()
	if len(a.fast) > 0 {
		w.EachDueChange(a.fast, func(contact int64, bucket int32) {
			some = a.put(timedStay{contact, bucket}) || some
		})
	}
	a.mu.Unlock()
	if some {
		a.loop.Wake()
	}
}

// put lets a stay wait, if there is room. It is called under a.mu.
func (a *Timers) put(stay timedStay) bool {
	if len(a.waiting) >= a.most && !a.waiting[stay] {
		a.dropped(1)
		return false
	}
	a.waiting[stay] = true
	return true
}

// take returns stays that wait.
func (a *Timers) take() db.MembershipsTimersParams {
	a.mu.Lock()
	defer a.mu.Unlock()
	var p db.MembershipsTimersParams
	for s := range a.waiting {
		p.ContactIds, p.BucketNos = append(p.ContactIds, s.contact), append(p.BucketNos, s.bucket)
		delete(a.waiting, s)
		if len(p.BucketNos) == timerBatch {
			break
		}
	}
	a.calling = len(p.BucketNos)
	return p
}

// Pending returns how many stays wait for their timers. Nil timers have none.
func (a *Timers) Pending() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return int64(len(a.waiting) + a.calling)
}

// turn reports the stays that wait.
func (a *Timers) turn(ctx context.Context) (time.Duration, error) {
	for p := a.take(); len(p.BucketNos) > 0; p = a.take() {
		a.outcome(ctx, len(p.BucketNos), a.set(ctx, p))
		select {
		case <-a.loop.Stopping():
			return service.Idle, nil
		default:
		}
	}
	return service.Idle, nil
}

// outcome counts stays whose timers could not be set, and logs the first of several failures.
func (a *Timers) outcome(ctx context.Context, stays int, err error) {
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		a.dropped(stays)
	}
	if err != nil && !a.failing {
		a.log.WarnContext(ctx, "timers could not be set; the clock settles their users", "component", "timers", "members", stays, "error", err)
	}
	a.failing = err != nil
}

// set reads when the stays that last are due, and calls the function. A panic is an error.
func (a *Timers) set(ctx context.Context, p db.MembershipsTimersParams) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	rows, err := a.runner.Store.Queries(a.runner.Pool).MembershipsTimers(ctx, p)
	if err != nil {
		return fmt.Errorf("read due instants of members: %w", err)
	}
	timers := make([]bucketgen.ExpiryTimer, 0, len(rows))
	for _, row := range rows {
		if table.At(row.DueAt.Time) > table.Latest {
			continue // JSON cannot say when; the clock settles it
		}
		b, _ := a.runner.Store.Index(row.BucketNo) // it is one of ours
		var email string
		if row.Email != nil {
			email = *row.Email
		}
		timers = append(timers, bucketgen.ExpiryTimer{
			MembershipID: row.ID, BucketID: a.runner.Registry.Buckets[b].ID, UserID: row.UserID, UserEmail: email,
			ExpiresAt: row.DueAt.Time.UTC(),
		})
	}
	if len(timers) == 0 {
		return nil
	}
	return a.call(ctx, timers)
}
