package engine

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/rollout"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
)

// PlanOptions say how to plan.
type PlanOptions = bucketgen.PlanOptions

// Status is how a bucket of the engine's registry differs from what is deployed.
type Status = bucketgen.Status

// How buckets differ.
const (
	StatusNew       = bucketgen.StatusNew
	StatusChanged   = bucketgen.StatusChanged
	StatusUnchanged = bucketgen.StatusUnchanged
	StatusRemoved   = bucketgen.StatusRemoved // it is deployed, and the registry does not have it
)

// Plan is the effect of a deployment. Its String is for people.
type Plan bucketgen.Plan

// Changes reports whether a deployment would change anything.
func (p *Plan) Changes() bool { return (*bucketgen.Plan)(p).Changes() }

// String returns the plan as people read it: a part for each bucket, those that would change first.
func (p *Plan) String() string { return rollout.PlanText((*bucketgen.Plan)(p)) }

// BucketPlan is the effect of a deployment on a bucket.
type BucketPlan = bucketgen.BucketPlan

// Estimate is a number of users. Unless all of them were evaluated, it is within PlusMinus of the
// truth, nineteen times out of twenty.
type Estimate = bucketgen.Estimate

// Reaction is what a subscription would receive of a bucket's transitions.
type Reaction = bucketgen.Reaction

// PreviewOptions say how to preview.
type PreviewOptions = bucketgen.PreviewOptions

// Preview is who would be in a bucket if this program's buckets were deployed now. Its String is
// for people.
type Preview bucketgen.Preview

// String returns the preview as people read it.
func (p *Preview) String() string { return rollout.PreviewText((*bucketgen.Preview)(p)) }

// Plan returns what Deploy would do if it were called now: which buckets are new, changed, or gone,
// how their definitions differ, who would join and leave, and what each subscription would receive.
// It evaluates every user, or a sample of them, as the deployment would. Nothing is written.
//
// The engine need not have been started.
func (e *Engine) Plan(ctx context.Context, o PlanOptions) (*Plan, error) {
	planner, err := e.newPlanner(ctx)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	p, err := planner.Plan(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return (*Plan)(p), nil
}

// Preview returns who would be in a bucket if the engine's registry were deployed now, whatever is
// deployed. Nothing is written. The engine need not have been started.
func (g *Deployments) Preview(ctx context.Context, bucket registry.BucketRef, o PreviewOptions) (*Preview, error) {
	e := (*Engine)(g)
	b, err := e.bucket(bucket)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	planner, err := e.newPlanner(ctx)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	p, err := planner.Preview(ctx, b, o)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	return (*Preview)(p), nil
}

// newPlanner returns a planner on a store of its own, because the database may not know the buckets
// of the registry. The numbers that it needs for names are written in a transaction that is rolled
// back.
func (e *Engine) newPlanner(ctx context.Context) (*rollout.Planner, error) {
	if err := e.checkTables(ctx); err != nil {
		return nil, err
	}
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer tx.Rollback(ctx)
	s, err := store.New(ctx, tx, e.config.Schema, e.registry, e.config.CacheBytes, e.config.names())
	if err != nil {
		return nil, err
	}
	s.OwnTime = e.config.VirtualTime
	current, err := s.ReadDeployed(ctx, tx)
	if err != nil {
		return nil, err
	}
	return &rollout.Planner{
		Runner: e.newRunner(s, e.registry, nil), Current: current, Options: e.options(true), Workers: e.config.BackfillWorkers,
	}, nil
}
