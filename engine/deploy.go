package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/erase"
	"github.com/bucketgen/bucketgen/internal/feed"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Emit says what is announced of the joins and leaves that follow from a deployment. Whatever is
// announced, all of them happen and are logged.
type Emit = bucketgen.Emit

// What is announced.
const (
	EmitSilent = bucketgen.EmitSilent // nothing
	EmitLeaves = bucketgen.EmitLeaves // leaves: users who matched all along are no news, users who are no longer in are
	EmitAll    = bucketgen.EmitAll    // joins and leaves
)

// DeployOptions say how to deploy.
type DeployOptions struct {
	// Emit is what is announced. Defaults to EmitLeaves.
	Emit Emit

	// Rate is how many users a second are evaluated, at most, by all processes together. Defaults
	// to as many as there is time for.
	Rate int
}

// Deployment is a change of what the engines of a database do, and how far users have followed it.
type Deployment = bucketgen.Deployment

// Deploy makes the engine's registry what is deployed: from now on, processes that have other
// definitions of a bucket leave it alone, and users are evaluated against those that are new or
// have changed. A user who matches a new bucket joins it at the time of the deployment, however
// late the evaluation is. An event of a user evaluates that user first. [Deployments.Backfill]
// evaluates all others, and so do running engines, by themselves.
//
// If what the engine has is deployed already, nothing happens, and the last deployment is returned.
// Several processes may deploy at the same time, one does so after the other.
//
// The engine need not have been started. The first engine that starts on a database to which
// nothing was ever deployed deploys what it has, unless [Config.NoDeploy] is set.
func (e *Engine) Deploy(ctx context.Context, o DeployOptions) (Deployment, error) {
	switch o.Emit {
	case "":
		o.Emit = EmitLeaves
	case EmitSilent, EmitLeaves, EmitAll:
	default:
		return Deployment{}, fmt.Errorf("deploy: there is no way to emit called %q; use silent, leaves or all", o.Emit)
	}
	if o.Rate < 0 {
		return Deployment{}, fmt.Errorf("deploy: the rate is %d; it must be positive, or zero for no limit", o.Rate)
	}
	if err := e.open(ctx); err != nil {
		return Deployment{}, fmt.Errorf("deploy: %w", err)
	}
	d, err := e.deploy(ctx, o)
	if err != nil {
		return Deployment{}, fmt.Errorf("deploy: %w", err)
	}
	return d, nil
}

func (e *Engine) deploy(ctx context.Context, o DeployOptions) (Deployment, error) {
	return e.redeploy(ctx, func(tx pgx.Tx) (int32, error) {
		return e.store.Deploy(ctx, tx, e.now(), string(o.Emit), o.Rate, e.words)
	})
}

// redeploy changes what is deployed, and lets this process know at once.
func (e *Engine) redeploy(ctx context.Context, change func(pgx.Tx) (int32, error)) (Deployment, error) {
	var no int32
	err := pgx.BeginTxFunc(ctx, e.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		var err error
		no, err = change(tx)
		return err
	})
	if err != nil {
		return Deployment{}, err
	}
	if _, err := e.refresh(ctx); err != nil {
		return Deployment{}, err
	}
	return e.rollout().Deployment(ctx, no)
}

// refresh finds out what is deployed, and lets the clock and the outbox know if that is news.
func (e *Engine) refresh(ctx context.Context) (*store.Deployment, error) {
	ctx, cancel := e.link.Answering(ctx)
	defer cancel()
	before := e.store.Deployment()
	d, err := e.store.Refresh(ctx, e.pool)
	if err == nil && d != before {
		e.clock.Wake()
		e.outbox.Wake()
	}
	return d, err
}

// open makes the buckets of the registry known to the database, and finds out what is deployed. An
// engine that was not started does so when it is first asked for something that needs it.
func (e *Engine) open(ctx context.Context) error {
	if e.phase.Load() == running {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase.Load() == stopped {
		return ErrStopped
	}
	return e.openLocked(ctx)
}

func (e *Engine) openLocked(ctx context.Context) error {
	if e.store != nil {
		_, err := e.store.Refresh(ctx, e.pool)
		return err
	}
	if err := e.link.Check(ctx); err != nil {
		return err
	}
	if err := e.checkTables(ctx); err != nil {
		return err
	}
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	s, err := store.New(ctx, conn, e.config.Schema, e.registry, e.config.CacheBytes, e.config.names())
	if err != nil {
		return err
	}
	s.OwnTime, s.FeedAge = e.config.VirtualTime, e.config.FeedAge
	if secret := e.config.SuppressionSecret; secret != "" {
		s.Suppressor = store.NewSuppressor(secret)
	}
	if err := erase.CheckSecret(ctx, s.Queries(conn), s.Suppressor, e.config.Now()); err != nil {
		return err
	}
	if _, err := s.Refresh(ctx, conn); err != nil {
		return err
	}
	e.store = s
	e.feed = feed.New(feed.Deps{
		Pool: e.pool, Schema: e.config.Schema, Poll: e.config.FeedPoll, Age: e.config.FeedAge, Pooled: e.link.Pooled(), Log: e.log,
	})
	e.runner = e.newRunner(s, e.registry, nil)
	e.clock = e.newClock()
	e.runner.Decided, e.runner.Committed = e.decided, e.committed
	return nil
}

// checkTables returns an error if the server or the tables are too old, or the program is.
func (e *Engine) checkTables(ctx context.Context) error {
	facts, err := store.QueriesIn(e.pool, e.config.Schema).ServerFacts(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the server: %w", err)
	}
	if err := store.CheckServer(facts.Version, facts.VersionText); err != nil {
		return err
	}
	_, err = store.CheckVersion(ctx, e.pool, e.config.Schema)
	if outdated, ok := errors.AsType[*store.OutdatedError](err); ok {
		return fmt.Errorf("%w; call migrate.Up", outdated)
	}
	return err
}

// deployIfFirst deploys what the engine has if nothing was ever deployed, and says so in the log if
// something else is.
func (e *Engine) deployIfFirst(ctx context.Context) error {
	d := e.store.Deployment()
	if d.No == 0 && !e.config.NoDeploy {
		_, err := e.redeploy(ctx, func(tx pgx.Tx) (int32, error) {
			if no, err := e.store.Queries(tx).GenerationLock(ctx); err != nil || no > 0 {
				return no, err // another was faster, with whatever it has
			}
			return e.store.Deploy(ctx, tx, e.now(), store.EmitLeaves, 0, e.words)
		})
		if err != nil {
			return err
		}
		d = e.store.Deployment()
	}
	if !d.Agreed {
		e.log.WarnContext(ctx, "bucket definitions differ from the deployed ones, differing buckets are skipped until they are deployed", "component", "rollout",
			"fingerprint", e.registry.Fingerprint, "deployment", d.No, "buckets", len(e.registry.Buckets), "active", len(d.Active))
	}
	return nil
}
