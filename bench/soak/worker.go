package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// workerVar is the environment variable that makes this program a worker.
const workerVar = "BUCKETGEN_SOAK_WORKER"

// The people of the run. They are numbered, and a new number comes every so often.
const (
	newcomers = 5   // a second
	present   = 300 // numbers that do something
	late      = 150 // numbers behind those who are erased again, for a worker that was killed
)

// worker is one process.
type worker struct {
	URL     string    `json:"url"`
	ID      int       `json:"id"`
	Workers int       `json:"workers"`
	Rate    int       `json:"rate"`    // events a second
	Version int       `json:"version"` // of the definitions
	Begin   time.Time `json:"begin"`   // of the run

	pool     *pgxpool.Pool
	registry *registry.Registry
	events   atomic.Int64
	handled  atomic.Int64
}

// sample is what a worker says of itself, as a line of JSON.
type sample struct {
	Goroutines int    `json:"goroutines"`
	Heap       uint64 `json:"heap"`    // bytes in use
	Events     int64  `json:"events"`  // ingested since the worker started
	Handled    int64  `json:"handled"` // calls of handlers
}

// runWorker works until it is interrupted. A hangup makes it deploy the next version, by another
// engine in the same process.
func runWorker(text string) error {
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt)
	defer end()
	var w worker
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return fmt.Errorf("read %s: %w", workerVar, err)
	}
	next := make(chan os.Signal, 1)
	signal.Notify(next, syscall.SIGHUP)
	var err error
	if w.pool, err = pgxpool.New(ctx, w.URL+"&pool_max_conns=12"); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer w.pool.Close()
	for ctx.Err() == nil {
		if err := w.serve(ctx, next); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
			return err
		}
		w.Version++
	}
	return nil
}

// serve runs an engine, and works beside it, until there is a next version.
func (w *worker) serve(ctx context.Context, next <-chan os.Signal) (err error) {
	if w.registry, err = buckets(w.Version); err != nil {
		return err
	}
	e, err := engine.New(w.pool, w.registry, engine.Config{
		AnonymousAge: 20 * time.Second, DeadLetterAge: 20 * time.Second, IdempotencyHorizon: 20 * time.Second, JobAge: 20 * time.Second,
		AuditAge: 20 * time.Second, FeedAge: 20 * time.Second, Lease: 5 * time.Second, CacheBytes: 8 << 20,
		Logger: slog.New(trouble{slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})}),
	})
	if err != nil {
		return err
	}
	pro, _ := w.registry.Ref("pro")
	if err := e.OnTransition(pro, engine.TransitionHandler{Name: "mail", MaxAttempts: 2, Func: w.handle}); err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	if _, err := e.Deploy(ctx, engine.DeployOptions{}); err != nil {
		return errors.Join(err, e.Stop(context.Background()))
	}
	working, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	failed := make(chan error, 1)
	for _, d := range w.duties(e) {
		group.Go(func() { repeat(working, d, failed) })
	}
	select {
	case <-next:
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	group.Wait()
	return errors.Join(err, e.Stop(context.Background()))
}

// trouble is a log without the dead letters that the handler causes.
type trouble struct{ slog.Handler }

func (h trouble) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "delivery given up") {
		return nil
	}
	return h.Handler.Handle(ctx, r) //nolint:wrapcheck // it is the handler's own
}

// handle fails now and then, and for some users always, so that there are dead letters.
func (w *worker) handle(_ context.Context, tr engine.Transition) error {
	w.handled.Add(1)
	if tr.MembershipID%200 == 0 {
		return errors.New("the receiver refuses it")
	}
	return nil
}

// duty is something that a worker does every so often.
type duty struct {
	every time.Duration
	do    func(context.Context) error
}

func (w *worker) duties(e *engine.Engine) []duty {
	rng := rand.New(rand.NewPCG(uint64(w.ID), uint64(time.Now().UnixNano()))) //nolint:gosec // a load, no secret
	var mu sync.Mutex
	draw := func(n int) int { mu.Lock(); defer mu.Unlock(); return rng.IntN(n) }
	gone := w.newest() - present - late
	return []duty{
		{time.Second / time.Duration(w.Rate), func(ctx context.Context) error {
			_, err := e.Ingest(ctx, w.event(draw))
			w.events.Add(1)
			return err
		}},
		{1500 * time.Millisecond, func(ctx context.Context) error { // who merges into a newer user has no id of their own any more
			n := w.newest() - draw(present/2)
			_, err := e.Merge(ctx, user(n-1), user(n))
			return err
		}},
		{700 * time.Millisecond, func(ctx context.Context) error {
			_, err := e.Add(ctx, w.manual(), user(w.newest()-draw(present)))
			return err
		}},
		{900 * time.Millisecond, func(ctx context.Context) error {
			_, err := e.Explain(ctx, w.manual(), user(w.newest()-draw(present)))
			return err
		}},
		{1100 * time.Millisecond, func(ctx context.Context) error {
			_, _, err := e.MembersPage(ctx, w.manual(), engine.Page{})
			return err
		}},
		{time.Second / newcomers, func(ctx context.Context) error { // those who are away for long are erased, by each worker its share
			for ; gone < w.newest()-present; gone++ {
				if gone%w.Workers == w.ID {
					if _, err := e.People().Erase(ctx, user(gone), engine.EraseOptions{}); err != nil && !errors.Is(err, engine.ErrUnknownUser) {
						return err
					}
				}
			}
			return nil
		}},
		{200 * time.Millisecond, func(context.Context) error { return w.report() }},
	}
}

func (w *worker) manual() registry.ManualRef {
	b, _ := w.registry.Tables().Bucket(invited.ID())
	return registry.NewManualRef(invited.ID(), b)
}

// newest returns the number of the last who came.
func (w *worker) newest() int { return int(time.Since(w.Begin) / (time.Second / newcomers)) }

func user(n int) string { return "u" + strconv.Itoa(n) }

// event returns what some person does. One in six never signs up, and others begin as visitors.
func (w *worker) event(draw func(int) int) engine.Event {
	n := w.newest() - draw(present)
	ev := engine.Event{Name: "visit", Key: strconv.Itoa(w.ID) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)}
	switch {
	case n%6 == 0 || n > w.newest()-20: // a visitor
		ev.AnonymousID = "a" + strconv.Itoa(n)
	case draw(4) == 0:
		ev.UserID, ev.AnonymousID = user(n), "a"+strconv.Itoa(n)
	default:
		ev.UserID = user(n)
	}
	switch draw(10) {
	case 0, 1:
		ev.Name, ev.Properties = "order", map[string]any{"amount": draw(80), "product": "p" + strconv.Itoa(draw(5))}
	case 2:
		ev.Traits = map[string]any{"plan": []string{"free", "pro"}[draw(2)]}
	}
	return ev
}

// repeat does a duty until it is stopped. What the state of a person refuses is
// no failure of the run.
func repeat(ctx context.Context, d duty, failed chan<- error) {
	turn := time.NewTicker(d.every)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
		}
		if err := d.do(ctx); err != nil && ctx.Err() == nil && !expected(err) {
			select {
			case failed <- err:
			default:
			}
			return
		}
	}
}

func expected(err error) bool {
	_, invalid := errors.AsType[*engine.InvalidError](err)
	return invalid || errors.Is(err, engine.ErrUnknownUser) || errors.Is(err, engine.ErrDeleted) || errors.Is(err, engine.ErrBusy)
}

// report prints how the worker is.
func (w *worker) report() error {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	is := sample{Goroutines: runtime.NumGoroutine(), Heap: m.HeapInuse, Events: w.events.Load(), Handled: w.handled.Load()}
	if err := json.NewEncoder(os.Stdout).Encode(is); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
