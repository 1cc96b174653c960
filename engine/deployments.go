package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/rollout"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Backfill takes all users through the last deployment who have not followed it yet, and returns
// it. Any number of processes share the work, beside everything else that they do, and the others
// take over the part of one that dies. Engines that run do so by themselves; this is for programs
// that wait for it.
//
// progress is called now and then, by one goroutine at a time; it may be nil. The engine need not
// have been started.
func (g *Deployments) Backfill(ctx context.Context, progress func(Deployment)) (Deployment, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return Deployment{}, fmt.Errorf("backfill: %w", err)
	}
	if progress == nil {
		progress = func(Deployment) {}
	}
	d, err := e.rollout().Backfill(ctx, progress)
	if err != nil {
		return d, fmt.Errorf("backfill: %w", err)
	}
	return d, nil
}

// rollout returns the service that takes users through deployments. The engine must be open.
func (e *Engine) rollout() *rollout.Service {
	return &rollout.Service{
		Runner: e.runner, Options: e.options(true), Now: e.config.Now, Log: e.log, Refresh: e.refresh,
		Attempts: e.attempts,
		Workers:  e.config.BackfillWorkers, Poll: e.config.DeployPoll, Process: e.processID, Lease: e.config.Lease,
		Repaired: func(n int64) { e.stats.Repaired.Add(n) },
	}
}

// OnDeploy registers a function, before the engine starts, that is called when this process finds a
// deployment which users have still to follow: once for each, by one goroutine, which does nothing
// else meanwhile. After an error it is called again. Without it, or beside it, engines take users
// through deployments by themselves, unless [Config.NoJobs] or [Config.NoClock] is set.
func (g *Deployments) OnDeploy(f func(ctx context.Context, d Deployment) error) error {
	e := (*Engine)(g)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case f == nil:
		return errors.New("on deploy: the function is nil")
	case e.phase.Load() != fresh:
		return errors.New("on deploy: functions are registered before the engine starts")
	case e.onDeploy != nil:
		return errors.New("on deploy: there is one already")
	}
	e.onDeploy = f
	return nil
}

// Reconciliation is a derivation of all memberships anew.
type Reconciliation = bucketgen.Reconciliation

// Reconcile derives every membership of every user anew and repairs what differs: joins and leaves
// have the source [SourceReconcile], and missing due instants are set. In a healthy system there is
// nothing to repair; this is for databases that were changed by hand, restored, or written to by a
// program with a mistake. Buckets that are paused are left alone.
//
// There is one reconciliation at a time. One that was interrupted continues where it was, and if
// another process has one, this waits for it. Engines reconcile by themselves as often as the most
// impatient of their buckets asks for by ReconcileEvery.
//
// progress is called now and then with how many users were checked; it may be nil. The engine must
// be running.
func (g *Deployments) Reconcile(ctx context.Context, progress func(Reconciliation)) (Reconciliation, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
	}
	if d, err := e.refresh(ctx); err != nil {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
	} else if !d.Agreed {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", ErrNotDeployed)
	}
	if progress == nil {
		progress = func(Reconciliation) {}
	}
	r, err := e.rollout().Reconcile(ctx, progress)
	if err != nil {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
	}
	return r, nil
}

// List goes through the deployments, the newest first, a page at a time. One that is made meanwhile
// is not in it.
func (g *Deployments) List(ctx context.Context) iter.Seq2[Deployment, error] {
	return pages(func(p Page) ([]Deployment, int64, error) { return g.ListPage(ctx, p) })
}

// ListPage returns a page of what [Deployments.List] goes through.
func (g *Deployments) ListPage(ctx context.Context, p Page) ([]Deployment, int64, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return nil, 0, fmt.Errorf("deployments: %w", err)
	}
	rows, err := e.store.Queries(e.pool).DeploymentsProgress(ctx, db.DeploymentsProgressParams{AfterNo: p.After, Size: p.limit()})
	if err != nil {
		return nil, 0, fmt.Errorf("deployments: %w", err)
	}
	all := make([]Deployment, len(rows))
	for i, row := range rows {
		all[i] = rollout.Deployment(row)
	}
	return all, p.next(len(all), func() int64 { return int64(all[len(all)-1].No) }), nil
}

// ErrUnknownDeployment says that there is no deployment of a number.
var ErrUnknownDeployment = bucketgen.ErrUnknownDeployment

// Get returns a deployment by its number.
func (g *Deployments) Get(ctx context.Context, no int) (Deployment, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return Deployment{}, fmt.Errorf("deployment %d: %w", no, err)
	}
	d, err := e.rollout().Deployment(ctx, int32(no))
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrUnknownDeployment
	}
	if err != nil {
		return Deployment{}, fmt.Errorf("deployment %d: %w", no, err)
	}
	return d, nil
}

// Pause stops a bucket, for all processes on the database and until it is resumed: no user joins or
// leaves, ticks and deliveries wait, Add and Remove give [ErrPaused]. Deliveries that are under way
// are not broken off. Pausing a paused bucket does nothing.
func (g *Deployments) Pause(ctx context.Context, bucket registry.BucketRef) error {
	e := (*Engine)(g)
	return e.setPaused(ctx, "pause", bucket, (*store.Store).Pause)
}

// Resume ends the pause of a bucket. Users are evaluated anew, as they are when its definition has
// changed: what they would have joined or left in the meantime they join or leave now, announced as
// the last deployment says, and ticks that were missed come as one. [Deployments.Backfill] and
// running engines evaluate the users who do nothing. Resuming a bucket that is not paused does
// nothing.
func (g *Deployments) Resume(ctx context.Context, bucket registry.BucketRef) error {
	e := (*Engine)(g)
	return e.setPaused(ctx, "resume", bucket, (*store.Store).Resume)
}

func (e *Engine) setPaused(ctx context.Context, verb string, ref registry.BucketRef,
	change func(*store.Store, context.Context, store.Conn, table.BucketIndex, table.Instant) (int32, error),
) error {
	b, err := e.bucket(ref)
	if err == nil {
		err = e.open(ctx)
	}
	if err == nil && e.store.Deployment().No == 0 {
		err = ErrNotDeployed
	}
	if err == nil {
		_, err = e.redeploy(ctx, func(tx pgx.Tx) (int32, error) { return change(e.store, ctx, tx, b, e.now()) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

// Retirement is how many users left a bucket that is not deployed any more.
type Retirement = bucketgen.Retirement

// Retire makes all members leave a bucket that is not deployed any more, for the reason
// [ReasonRetired], and returns how many did. Until then its members stay as they are: a definition
// that was removed by mistake finds them again when it is back. It may be called again if it was
// interrupted. progress, if not nil, is called now and then with what has been done so far. The
// engine need not have been started.
func (g *Deployments) Retire(ctx context.Context, bucketID string, progress func(Retirement)) (Retirement, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return Retirement{BucketID: bucketID}, fmt.Errorf("retire bucket %q: %w", bucketID, err)
	}
	r, err := e.rollout().Retire(ctx, bucketID, e.staysOnly, progress)
	if err != nil {
		return r, fmt.Errorf("retire bucket %q: %w", bucketID, err)
	}
	return r, nil
}

// Process is an engine that runs on the database.
type Process struct {
	Host        string    `json:"host"`
	PID         int       `json:"pid"`
	Fingerprint string    `json:"fingerprint"` // of its definitions
	Deployed    bool      `json:"deployed"`    // they are what is deployed
	StartedAt   time.Time `json:"startedAt"`
	SeenAt      time.Time `json:"seenAt"`

	// ClockAheadMs is by how many milliseconds its clock was ahead of the database's at its last
	// heartbeat, negative if it was behind.
	ClockAheadMs int64 `json:"clockAheadMs"`

	Version string `json:"version"` // of the engine
	Buckets int    `json:"buckets"` // that its definitions have

	// These are as of the last heartbeat, and the rate since the one before.
	ClockLagMs      int64   `json:"clockLagMs"`      // how many milliseconds the earliest due instant has been waiting
	Waiting         int     `json:"waiting"`         // events that wait to be written
	EventsPerSecond float64 `json:"eventsPerSecond"` // that were stored
}

// Processes returns the engines that run on the database, the oldest first.
func (g *Deployments) Processes(ctx context.Context) ([]Process, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	last, _, err := e.Deployments().ListPage(ctx, Page{Size: 1})
	if err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	rows, err := e.heartbeat.Running(ctx)
	if err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	all := make([]Process, len(rows))
	for i, row := range rows {
		all[i] = Process{
			Host: row.Host, PID: int(row.Pid), Fingerprint: row.Fingerprint, StartedAt: row.StartedAt.Time.UTC(), SeenAt: row.SeenAt.Time.UTC(),
			ClockAheadMs: row.AheadUs / 1000, Version: row.Version, Buckets: int(row.Buckets), ClockLagMs: row.LagUs / 1000,
			Waiting: int(row.Waiting), EventsPerSecond: row.Rate,
			Deployed: len(last) > 0 && last[0].Fingerprint == row.Fingerprint,
		}
	}
	return all, nil
}

// newHeartbeat returns the heartbeat of this process.
func (e *Engine) newHeartbeat() *rollout.Heartbeat {
	return rollout.NewHeartbeat(rollout.HeartbeatDeps{
		Pool: e.pool, Log: e.log, Store: func() *store.Store { return e.store }, Now: e.config.Now, Health: e.health,
		Answering: e.link.Answering, Process: e.processID, Fingerprint: e.registry.Fingerprint,
		Buckets: len(e.registry.Buckets), Figures: func() rollout.Figures {
			s := e.stats.Stats()
			return rollout.Figures{Events: s.Events, Waiting: e.ingest.Waiting(), ClockLag: s.ClockLag}
		},
	})
}

// Definition is what a bucket was defined as for a while.
type Definition struct {
	BucketID    string    `json:"bucketId"`
	Name        string    `json:"name"`
	Fingerprint string    `json:"fingerprint"`
	Words       []string  `json:"words"` // its criteria and its policy
	Since       int       `json:"since"` // the number of the deployment that brought it
	SinceAt     time.Time `json:"sinceAt"`
	Until       int       `json:"until,omitempty"` // that of the one that ended it; 0: it is deployed
	UntilAt     time.Time `json:"untilAt,omitzero"`
}

// Definitions returns what was ever deployed, by bucket and time.
func (g *Deployments) Definitions(ctx context.Context) ([]Definition, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	rows, err := e.store.Queries(e.pool).DefinitionsHistory(ctx)
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	all := make([]Definition, len(rows))
	for i, row := range rows {
		all[i] = Definition{
			BucketID: row.ID, Name: row.Name, Fingerprint: row.Fingerprint, Words: row.Words, Since: int(row.SinceNo), SinceAt: row.Since.Time.UTC(),
		}
		if row.UntilNo != nil {
			all[i].Until, all[i].UntilAt = int(*row.UntilNo), row.Until.Time.UTC()
		}
	}
	return all, nil
}
