// Package service runs background work: turn after turn, until it is stopped.
package service

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
)

// Idle is the wait of a loop that has nothing to do until it is woken.
const Idle time.Duration = math.MaxInt64

// Failed is the message of every turn that failed. The attribute component says whose it was.
const Failed = "background work failed, retrying"

// Loop is background work in turns. Its fields are set before it starts.
type Loop struct {
	// Component names the loop in the log.
	Component string

	// Log takes a line for each turn that fails.
	Log *slog.Logger

	// Turn does some of the work and returns how long to wait for the next turn, unless the loop is
	// woken before. A turn that fails is retried with backoff.
	Turn func(ctx context.Context) (wait time.Duration, err error)

	// First is the wait before the first turn. Defaults to none.
	First time.Duration

	// Backoff is the wait after a turn that fails. Defaults to 5 ms up to 1 s. It begins anew after
	// a turn that succeeds, and with Progress.
	Backoff retry.Backoff

	// Interrupt says that a turn may take long and can be continued later, so that Stop cancels its
	// context. Otherwise Stop lets the turn finish.
	Interrupt bool

	// Failed is called with the error of each turn that fails. Nil: it is only logged.
	Failed func(err error)

	// Last is called once the loop was stopped, unless its context has ended. Nil: nothing is left
	// to do.
	Last func(ctx context.Context) error

	once    sync.Once
	wake    chan struct{}
	quit    chan struct{}
	attempt int                     // failures since the last success
	failing atomic.Pointer[Failing] // failing is nil while turns succeed
}

// Failing says that the turns of a loop fail.
type Failing struct {
	Component string
	Since     time.Time // Since is when the first of them failed after the last success
	Attempts  int       // Attempts is how many have failed since
	Err       error     // Err is the error of the last
}

// init makes the channels, so that a loop can be woken and stopped before it runs.
func (l *Loop) init() {
	l.once.Do(func() { l.wake, l.quit = make(chan struct{}, 1), make(chan struct{}) })
}

// Wake ends the wait for the next turn. During a turn it makes another follow at once. It never
// blocks.
func (l *Loop) Wake() {
	l.init()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// stop ends the loop after the turn that runs.
func (l *Loop) stop() {
	l.init()
	close(l.quit)
}

// Stopping is closed when the loop is stopped, for turns that do so much that they ask in between.
func (l *Loop) Stopping() <-chan struct{} {
	l.init()
	return l.quit
}

// run runs turns until the loop is stopped or ctx ends.
func (l *Loop) run(ctx context.Context) {
	l.init()
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	if l.Interrupt {
		finished := make(chan struct{})
		defer func() { cancel(); <-finished }()
		go func() {
			defer close(finished)
			select {
			case <-l.quit:
				cancel()
			case <-working.Done():
			}
		}()
	}
	for wait := l.First; l.sleep(ctx, wait); {
		var err error
		if wait, err = l.Turn(working); err != nil && working.Err() == nil {
			wait = l.failed(ctx, err)
		} else {
			l.Progress()
		}
	}
	if l.Last == nil || ctx.Err() != nil {
		return
	}
	if err := l.Last(ctx); err != nil && ctx.Err() == nil {
		l.Log.ErrorContext(ctx, "background work not finished", "component", l.Component, "reason", blame.Reason(err), "error", err)
	}
}

// Progress makes the next failure the first one. A turn that lasts, as one on a connection does
// until that is lost, calls it once it works.
func (l *Loop) Progress() {
	if l.attempt > 0 {
		l.failing.Store(nil)
	}
	l.attempt = 0
	l.Backoff.Reset()
}

// failed reports a turn that failed, and returns the wait for the next.
func (l *Loop) failed(ctx context.Context, err error) time.Duration {
	l.attempt++
	f := Failing{l.Component, time.Now(), l.attempt, err}
	if before := l.failing.Load(); before != nil {
		f.Since = before.Since
	}
	l.failing.Store(&f)
	wait := l.Backoff.Next()
	l.Log.ErrorContext(ctx, Failed, "component", l.Component, "attempt", l.attempt, "retry_in", wait, "reason", blame.Reason(err), "error", err)
	if l.Failed != nil {
		l.Failed(err)
	}
	return wait
}

// sleep waits for the next turn, and reports whether there is one.
func (l *Loop) sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select { // to be stopped comes before everything else that may be ready
	case <-l.quit:
		return false
	case <-ctx.Done():
		return false
	default:
	}
	select {
	case <-timer.C:
		return true
	case <-l.wake:
		return true
	case <-l.quit:
		return false
	case <-ctx.Done():
		return false
	}
}

// Group is loops that stop together. The zero value is ready.
type Group struct {
	mu      sync.Mutex
	stopped bool
	loops   []*Loop
	running sync.WaitGroup
}

// Start runs a loop in the background until Stop, or until ctx ends, which also cancels a turn.
// After Stop it does nothing.
func (g *Group) Start(ctx context.Context, l *Loop) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	l.init()
	g.loops = append(g.loops, l)
	g.running.Go(func() { l.run(ctx) })
}

// Stop ends all loops after the turns that run, and waits for none.
func (g *Group) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	g.stopped = true
	for _, l := range g.loops {
		l.stop()
	}
}

// Failing returns the loops whose last turn failed, and how many loops there are.
func (g *Group) Failing() (failing []Failing, loops int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.loops {
		if f := l.failing.Load(); f != nil {
			failing = append(failing, *f)
		}
	}
	return failing, len(g.loops)
}

// Wait waits until all loops have ended.
func (g *Group) Wait() { g.running.Wait() }
