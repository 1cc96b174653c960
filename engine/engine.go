package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	_ "time/tzdata" // criteria name time zones, which must be there on every machine

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/catalog"
	"github.com/bucketgen/bucketgen/internal/erase"
	"github.com/bucketgen/bucketgen/internal/feed"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/ingest"
	"github.com/bucketgen/bucketgen/internal/link"
	"github.com/bucketgen/bucketgen/internal/metrics"
	"github.com/bucketgen/bucketgen/internal/outbox"
	"github.com/bucketgen/bucketgen/internal/recent"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/rollout"
	"github.com/bucketgen/bucketgen/internal/rollup"
	"github.com/bucketgen/bucketgen/internal/scheduler"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/sizes"
	"github.com/bucketgen/bucketgen/internal/slots"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Engine runs a registry of buckets on a database. [New] makes one.
type Engine struct {
	pool     *pgxpool.Pool
	handle   *registry.Registry
	registry *table.Registry // of the handle
	config   Config
	log      *slog.Logger

	handlers   []handler
	forwarders []*Forwarder
	names      []string          // of the subscriptions of both
	timers     *scheduler.Timers // nil: no function sets timers
	onDeploy   func(context.Context, Deployment) error

	ingest *ingest.Service
	stats  metrics.Counters
	health *health.Health
	link   *link.Link
	merges *slots.Slots

	telemetry *metrics.Instruments
	unobserve func() // ends the reading of instruments

	phase     atomic.Int32
	mu        sync.Mutex // of Start, Stop and the registration of handlers and forwarders
	store     *store.Store
	runner    *transact.Runner // of the store
	outbox    *outbox.Outbox
	processID pgtype.UUID // processID identifies this process in the database
	clock     *scheduler.Clock
	feed      *feed.Feed
	rollup    *rollup.Rollup
	sizeCache sizes.Cache       // sizeCache holds lists of buckets that callers read again and again
	catalog   *catalog.Recorder // nil: nothing is counted
	recent    *recent.Events    // nil: none are kept
	dropped   *erase.Dropped    // dropped counts events of users who are suppressed

	heartbeat *rollout.Heartbeat

	workers  []*service.Loop // workers do jobs; none if other processes do
	erasing  *service.Loop   // erasing deletes long logs; nil if other processes do
	services service.Group
	cancel   context.CancelFunc // ends everything that runs in the background
	others   sync.WaitGroup
}

// The phases of an engine.
const (
	fresh int32 = iota
	running
	stopped
)

// New makes an engine. It does nothing until it is started, but handlers can be registered.
func New(pool *pgxpool.Pool, r *registry.Registry, config Config) (*Engine, error) {
	if pool == nil {
		return nil, errors.New("engine.New: the pool is nil")
	}
	if r == nil {
		return nil, errors.New("engine.New: the registry is nil; pass gen.Registry")
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	for _, p := range []*pgxpool.Pool{pool, config.Reader} {
		if p == nil {
			continue
		}
		if err := link.CheckMode(p); err != nil {
			return nil, err
		}
	}
	config = config.withDefaults()
	telemetry, err := metrics.NewInstruments(config.Meters, config.Tracers)
	if err != nil {
		config.Logger.Warn(metrics.Missing, "component", "telemetry", "error", err)
	}
	e := &Engine{
		pool:     pool,
		handle:   r,
		registry: r.Tables(),
		config:   config,
		log:      config.Logger,

		merges:    slots.New(mergesAtOnce(config.MaxMerges, pool.Config().MaxConns), config.MaxMergesWaiting),
		telemetry: telemetry,
		processID: newProcess(),
	}
	e.catalog = catalog.NewRecorder(catalog.Deps{
		Pool: pool, Schema: config.Schema, Registry: e.registry, Rows: config.CatalogRows, Every: config.CatalogFlush, Now: config.Now,
		Log: config.Logger,
	})
	e.recent = recent.New(config.RecentBytes)
	e.dropped = &erase.Dropped{Pool: pool, Schema: config.Schema, Now: config.Now, Log: config.Logger}
	e.rollup = rollup.New(rollup.Deps{Pool: pool, Reader: e.reads(), Schema: config.Schema, Log: config.Logger})
	e.health = health.New(health.Deps{Pool: pool, Store: func() *store.Store { return e.store }, Wake: func() { e.heartbeat.Wake() }})
	e.link = link.New(link.Deps{
		Pool: pool, Schema: config.Schema, Log: config.Logger, Store: func() *store.Store { return e.store }, Now: e.now, Health: e.health,
		AnswerTimeout: config.AnswerTimeout, Confirms: config.QueueSize, Held: ingest.Replace,
	})
	e.heartbeat = e.newHeartbeat()
	e.outbox = e.newOutbox()
	e.ingest = e.newIngest()
	return e, nil
}

// Start checks the database, makes the buckets and handlers known to it, and starts to work. ctx is
// for that only: the engine runs until it is stopped. An engine is started once.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase.Load() != fresh {
		return errors.New("start: the engine was started before; make another with engine.New")
	}
	r := e.attempts("start")
	for err := e.prepare(ctx); err != nil; err = e.prepare(ctx) {
		if !blame.Starting(err) {
			return fmt.Errorf("start: %w", err)
		}
		if err := r.Again(ctx, err); err != nil { // it waits until the server has started, or another process has
			return fmt.Errorf("start: %w", err)
		}
	}
	background, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.ingest.Start(background)
	for _, loop := range e.loops() {
		e.services.Start(background, loop)
	}
	e.outbox.Start()
	e.phase.Store(running)
	if err := e.observe(); err != nil {
		e.log.WarnContext(ctx, metrics.Missing, "component", "telemetry", "error", err)
	}
	return nil
}

// loops returns what the engine does in the background.
func (e *Engine) loops() []*service.Loop {
	all := append(e.feed.Loops(), e.heartbeat.Loop(), e.rollout().Watching(!e.config.NoClock && !e.config.NoJobs, e.onDeploy))
	all = append(append(all, e.catalog.Loops()...), e.dropped.Loop(), e.forgettingNames())
	if !e.config.NoJobs {
		e.workers = e.jobLoops()
		all = append(all, e.workers...)
	}
	if e.timers != nil {
		all = append(all, e.timers.Loop())
	}
	if e.config.NoClock {
		return all
	}
	e.erasing = e.erasingLoop()
	all = append(all, e.clock.Loop(), e.forgetting(), e.rollup.Loop(), e.erasing)
	if l := e.rollout().Reconciling(); l != nil && !e.config.NoJobs {
		all = append(all, l)
	}
	return all
}

// prepare makes what the engine and the database must agree on known to both.
func (e *Engine) prepare(ctx context.Context) error {
	if err := e.openLocked(ctx); err != nil {
		return err
	}
	if err := e.deployIfFirst(ctx); err != nil {
		return err
	}
	if err := e.prepareOutbox(ctx); err != nil {
		return err
	}
	if e.timers != nil {
		e.timers.Prepare(e.runner)
	}
	return nil
}

// Stop ends the work: events that were handed over are written, handlers that run may finish. If
// ctx ends first, what is not done is dropped, and its callers get errors. Deliveries stay in the
// outbox, and another process continues the backfill of a deployment. Stopping again does nothing.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase.Swap(stopped) != running {
		return nil
	}
	e.unobserve()
	e.ingest.Close()
	e.services.Stop()
	e.outbox.Stop()
	finished := make(chan struct{})
	go func() {
		e.ingest.Wait()
		e.services.Wait()
		e.outbox.Wait()
		e.others.Wait()
		close(finished)
	}()
	var err error
	select {
	case <-finished:
	case <-ctx.Done():
		err = fmt.Errorf("stop: %w", ctx.Err())
	}
	e.cancel()
	e.outbox.Abandon()
	<-finished
	return err
}

// Registry returns the registry that the engine runs.
func (e *Engine) Registry() *registry.Registry { return e.handle }

// ready returns an error unless the engine is running.
func (e *Engine) ready() error {
	if e.phase.Load() != running {
		return ErrStopped
	}
	return nil
}

// bucket returns the place in the registry of the bucket that a ref names.
func (e *Engine) bucket(ref registry.BucketRef) (table.BucketIndex, error) {
	b, known := e.handle.Resolve(ref)
	if !known {
		if ref == nil {
			return 0, fmt.Errorf("no bucket was given: %w", ErrUnknownBucket)
		}
		return 0, fmt.Errorf("bucket %q: %w", ref.ID(), ErrUnknownBucket)
	}
	return b, nil
}

// noRow reports whether a query that returns at most one row found none.
func noRow(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// newRunner returns a runner of transactions over the buckets of a store.
func (e *Engine) newRunner(s *store.Store, r *table.Registry, view *store.Deployment) *transact.Runner {
	return &transact.Runner{Pool: e.pool, Store: s, Registry: r, View: view, Now: e.now, Log: e.log, Links: e.link}
}

// reads returns the pool of what people look up, whose database may be behind.
func (e *Engine) reads() *pgxpool.Pool { return cmp.Or(e.config.Reader, e.pool) }

// readRunner returns a runner that only consults, on the pool of what people look up.
func (e *Engine) readRunner() *transact.Runner {
	r := *e.runner
	r.Pool = e.reads()
	return &r
}

// staysOnly returns a runner over buckets of which only the stays matter, whatever is deployed.
// What is decided about a bucket is decided by the one decide, which needs a registry that has it.
func (e *Engine) staysOnly(buckets []db.BucketgenBucket) *transact.Runner {
	s := store.StaysOnly(e.config.Schema, buckets)
	s.OwnTime, s.FeedAge = e.config.VirtualTime, e.config.FeedAge
	return e.newRunner(s, s.Registry(), s.Standalone())
}

// commitAll commits tasks however long their users are locked.
func (e *Engine) commitAll(ctx context.Context, tasks []*transact.Task, done func(*transact.Task)) error {
	return e.runner.CommitAll(ctx, e.attempts("reconcile"), tasks, done)
}

// decided counts what a session did.
func (e *Engine) decided(candidates, evaluations int) {
	e.stats.Candidates.Add(int64(candidates))
	e.stats.Evaluations.Add(int64(evaluations))
}

// committed wakes the loops of this process that a write concerns.
func (e *Engine) committed(w *store.Write) {
	if at, written := w.Due(); written {
		e.clock.Notice(at)
	}
	if e.timers != nil {
		e.timers.Notice(w)
	}
	if n := w.Transitions(); n > 0 {
		e.stats.Transitions.Add(int64(n))
		e.outbox.Wake()
	}
	if w.Ends() && e.erasing != nil {
		e.erasing.Wake()
	}
	if w.ChangesMembership() {
		e.feed.Wake()
	}
}

// attempts returns those of a call of the API, which are given up when the engine stops.
func (e *Engine) attempts(component string) *retry.Attempts {
	return &retry.Attempts{Component: component, Log: e.log, Stopping: func() bool { return e.phase.Load() == stopped }}
}
