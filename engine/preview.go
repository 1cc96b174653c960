package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/registry"
)

// PreviewOptions say how to preview.
type PreviewOptions struct {
	// Sample is the part of the users to look at, greater than 0 and at most 1. Defaults to 1: all of them.
	Sample float64

	// Users is how many of those who would be in the bucket are named. Defaults to 5; negative for none.
	Users int

	// Progress is called now and then with how many users were looked at, and of how many. Defaults to nothing.
	Progress func(looked, users int64)
}

// Preview is who would be in a bucket if this program's buckets were deployed now.
type Preview struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Status  Status    `json:"status"` // how it differs from what is deployed
	Words   []string  `json:"words"`  // its criteria and its policy
	At      time.Time `json:"at"`
	Users   int64     `json:"users"`
	Looked  int64     `json:"looked"` // at so many of them
	Now     int64     `json:"now"`    // members, by what is deployed
	Members Estimate  `json:"members"`
	Some    []string  `json:"some,omitempty"` // of the members
}

// Preview says who would be in a bucket if the engine's registry were deployed now, whatever is deployed. Nothing is
// written. The engine need not have been started.
func (e *Engine) Preview(ctx context.Context, bucket registry.BucketRef, o PreviewOptions) (*Preview, error) {
	p, err := e.preview(ctx, bucket, o)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	return p, nil
}

func (e *Engine) preview(ctx context.Context, bucket registry.BucketRef, o PreviewOptions) (*Preview, error) {
	b, err := e.bucket(bucket)
	if err != nil {
		return nil, err
	}
	options := PlanOptions{Sample: o.Sample, Users: o.Users, Progress: o.Progress}
	if err := options.check(); err != nil {
		return nil, err
	}
	pl, err := e.newPlanner(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := pl.compare(ctx); err != nil {
		return nil, err
	}
	if err := pl.lookAtAll(ctx); err != nil {
		return nil, err
	}
	p, of := pl.finish(), pl.plan.Buckets[pl.places[b]]
	some := slices.Sorted(slices.Values(pl.counts[b].in))
	return &Preview{
		ID: of.ID, Name: of.Name, Status: of.Status, Words: e.words(b), At: p.At, Users: p.Users, Looked: p.Looked,
		Now: of.Members, Members: pl.estimate(pl.counts[b].members), Some: some,
	}, nil
}
