// Package scheduler does what time brings about: it settles users whose due instants have come.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// dueBatch is how many due instants are settled by one transaction.
const dueBatch = 500

// Deps is what a clock needs.
type Deps struct {
	Runner *transact.Runner

	// Options are those of a decision at the present time.
	Options decide.Options

	// Now is the clock by which instants are due.
	Now func() time.Time

	Log *slog.Logger

	// Poll is how long the clock sleeps at most.
	Poll time.Duration

	// Workers is how many batches are settled at once.
	Workers int

	// Begin is called before each batch, and what it returns after it, with how many users there
	// were.
	Begin func(context.Context) (ctx context.Context, end func(err error, users int))

	// Lagged is called with how long the earliest instant has been due, 0 if none is.
	Lagged func(time.Duration)

	// Settled is called with the number of users who were settled.
	Settled func(users int)

	// Failed is called with each error of the loop.
	Failed func(error)
}

// Clock settles what is due, for any users. It sleeps until the earliest due instant in the
// database, and polls for those that other processes have written since. It is safe for concurrent
// use.
type Clock struct {
	Deps

	loop  service.Loop
	until atomic.Int64 // the due instant that the loop waits for
}

// New returns a clock.
func New(d Deps) *Clock {
	c := &Clock{Deps: d}
	c.loop = service.Loop{Component: "clock", Log: d.Log, Turn: c.turn, Backoff: retry.Backoff{Min: retry.Max}, Failed: d.Failed}
	return c
}

// Loop returns the loop that settles what is due.
func (c *Clock) Loop() *service.Loop { return &c.loop }

// Wake makes the loop read the earliest due instant.
func (c *Clock) Wake() { c.loop.Wake() }

// turn settles what is due and returns how long to sleep.
func (c *Clock) turn(ctx context.Context) (time.Duration, error) {
	next, err := c.NextDue(ctx)
	if err != nil {
		return 0, err
	}
	lag := c.Now().Sub(next)
	c.Lagged(max(lag, 0))
	c.until.Store(int64(table.At(next)))
	if lag < 0 {
		return min(-lag, c.Poll), nil
	}
	settled, err := c.RunDue(ctx, c.Options, c.Runner.Now, c.loop.Stopping())
	switch {
	case err != nil || settled > 0:
		return 0, err
	case !c.Runner.Store.Deployment().Agreed:
		return c.Poll, nil // or the user has to follow a deployment first that this process does not have
	default:
		return retry.Min, nil // another transaction has locked the users who are due
	}
}

// Notice takes note of a due instant that was written. If it is earlier than the one that the loop
// waits for, the loop wakes.
func (c *Clock) Notice(at table.Instant) {
	if int64(at) < c.until.Load() {
		c.loop.Wake()
	}
}

// NextDue returns the earliest due instant, or a time in the far future.
func (c *Clock) NextDue(ctx context.Context) (time.Time, error) {
	ctx, cancel := c.Runner.Links.Answering(ctx)
	defer cancel()
	s := c.Runner.Store
	at, err := s.Queries(c.Runner.Pool).DueNext(ctx, s.Deployment().Active)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return c.Now().Add(24 * time.Hour), nil
	case err != nil:
		return time.Time{}, fmt.Errorf("read the next due instant: %w", err)
	}
	return at.Time, nil
}

// RunDue settles users until nothing is due any more, several batches at once, or quit is closed.
// It returns how many users it settled.
func (c *Clock) RunDue(ctx context.Context, o decide.Options, now func() table.Instant, quit <-chan struct{}) (int, error) {
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	settled := 0
	for range c.Workers {
		group.Go(func() {
			for at := (backlog{from: table.Unset}); ; {
				did, err := c.runBatch(ctx, o, at.from, now())
				mu.Lock()
				settled += did.Users
				if err != nil {
					failed = err
				}
				stop := failed != nil
				mu.Unlock()
				select {
				case <-quit:
					return
				default:
				}
				if stop || !at.next(did) {
					return
				}
			}
		})
	}
	group.Wait()
	return settled, failed
}

// backlog is the place of a worker in what is due. A batch begins where the last one ended, so that
// settled rows, which stay in the index until vacuum, are not read again. Now and then a batch
// begins at the first instant, for users who were locked, or have become due at an earlier one.
type backlog struct {
	from    table.Instant // from is where the next batch begins; Unset is the beginning
	batches int           // batches is how many there were since the beginning
}

// anew is how many batches a worker settles before it begins anew.
const anew = 20

// next moves the place to the end of a batch. It returns false if nothing is due that can be
// settled.
func (b *backlog) next(did transact.Settled) bool {
	if did.Users == 0 && b.from == table.Unset {
		return false
	}
	if b.from, b.batches = did.Last, b.batches+1; did.Last == table.Unset || b.batches == anew {
		*b = backlog{from: table.Unset}
	}
	return true
}

// runBatch settles the users who have been due longest, from an instant on, and are not locked.
func (c *Clock) runBatch(ctx context.Context, o decide.Options, from, now table.Instant) (transact.Settled, error) {
	ctx, end := c.Begin(ctx)
	did, err := c.Runner.CommitDue(ctx, from, now, dueBatch, func(user store.Request) *transact.Task {
		return &transact.Task{Want: user, Options: o, Step: func(s *decide.Session, clock table.Instant) decide.Result {
			if !o.Live {
				clock = now
			}
			return s.Clock(clock)
		}}
	})
	end(err, did.Users)
	if err != nil || !did.Settles { // by the database's clock, nothing is due yet
		return transact.Settled{Last: table.Unset}, err
	}
	c.Settled(did.Users)
	return did, nil
}
