package engine

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// PlanOptions say how to plan.
type PlanOptions struct {
	// Emit is what would be announced. Defaults to EmitLeaves.
	Emit Emit

	// Sample is the part of the users to look at, greater than 0 and at most 1. The rest is estimated from them. Defaults to
	// 1: all of them.
	Sample float64

	// Users is how many of those who would join, and of those who would leave, are named for each bucket. Defaults to 5;
	// negative for none.
	Users int

	// Progress is called now and then, by one goroutine at a time, with how many users were looked at, and of how many.
	// Defaults to nothing.
	Progress func(looked, users int64)
}

// Status is how a bucket of the engine's registry differs from what is deployed.
type Status string

// How buckets differ.
const (
	StatusNew       Status = "new"
	StatusChanged   Status = "changed"
	StatusUnchanged Status = "unchanged"
	StatusRemoved   Status = "removed" // it is deployed, and the registry does not have it
)

// Plan is what a deployment would do.
type Plan struct {
	Deployed string    `json:"deployed"` // the fingerprint of what is; empty: nothing was ever deployed
	Compiled string    `json:"compiled"` // that of what would be
	Emit     Emit      `json:"emit"`
	At       time.Time `json:"at"`
	Users    int64     `json:"users"`
	Looked   int64     `json:"looked"` // at so many of them

	Buckets []BucketPlan `json:"buckets"` // by their ids
}

// Changes reports whether a deployment would change anything.
func (p *Plan) Changes() bool {
	return p.Deployed != p.Compiled || slices.ContainsFunc(p.Buckets, func(b BucketPlan) bool { return b.Status != StatusUnchanged })
}

// BucketPlan is what a deployment would do to a bucket.
type BucketPlan struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Status Status   `json:"status"`
	Paused bool     `json:"paused,omitempty"` // nobody would move until somebody resumes it
	Words  []string `json:"words"`            // its criteria and its policy, as they would be; of one that is removed, as they are
	Was    []string `json:"was,omitempty"`    // as they are, if they would change

	Members int64    `json:"members"` // now
	Joins   Estimate `json:"joins"`
	Leaves  Estimate `json:"leaves"`
	Held    Estimate `json:"held"` // would leave, but stay for the minimal dwell

	Joining []string `json:"joining,omitempty"` // some of them
	Leaving []string `json:"leaving,omitempty"`

	Reactions []Reaction `json:"reactions,omitempty"`
}

// Estimate is a number of users. Unless all of them were looked at, it is within PlusMinus of the truth, nineteen times out
// of twenty.
type Estimate struct {
	Count     int64 `json:"count"`
	PlusMinus int64 `json:"plusMinus,omitempty"`
}

// Reaction is what somebody is told of a bucket's transitions.
type Reaction struct {
	Name      string   `json:"name"` // of the subscription
	Kinds     []string `json:"kinds"`
	Emissions Estimate `json:"emissions"`
}

// Plan says what Deploy would do if it were called now: which buckets are new, changed, or gone, what is different about
// them, who would join and leave, and what would be announced of it to whom. It looks at every user, or at a sample of
// them, as the deployment would. Nothing is written.
//
// The engine need not have been started.
func (e *Engine) Plan(ctx context.Context, o PlanOptions) (*Plan, error) {
	p, err := e.plan(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return p, nil
}

func (e *Engine) plan(ctx context.Context, o PlanOptions) (*Plan, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	pl, err := e.newPlanner(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := pl.compare(ctx); err != nil {
		return nil, err
	}
	if pl.plan.Changes() {
		if err := pl.lookAtAll(ctx); err != nil {
			return nil, err
		}
	}
	return pl.finish(), nil
}

// check returns what is wrong with options, and sets defaults.
func (o *PlanOptions) check() error {
	if o.Sample == 0 {
		o.Sample = 1
	}
	if o.Users == 0 {
		o.Users = 5
	}
	if o.Emit == "" {
		o.Emit = EmitLeaves
	}
	switch {
	case !(o.Sample > 0 && o.Sample <= 1):
		return fmt.Errorf("the sample is %v; it must be more than 0 and at most 1", o.Sample)
	case !slices.Contains([]Emit{EmitSilent, EmitLeaves, EmitAll}, o.Emit):
		return fmt.Errorf("there is no way to emit called %q; use silent, leaves or all", o.Emit)
	}
	return nil
}
