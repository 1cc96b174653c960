package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Bucket is a bucket of the engine's registry, as it is now.
type Bucket = bucketgen.Bucket

// Buckets returns the buckets of the engine's registry, by their ids.
func (e *Engine) Buckets(ctx context.Context) ([]Bucket, error) {
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("buckets: %w", err)
	}
	if _, err := e.refresh(ctx); err != nil {
		return nil, fmt.Errorf("buckets: %w", err)
	}
	all := make([]Bucket, len(e.registry.Buckets))
	for i := range all {
		all[i] = e.described(table.BucketIndex(i))
	}
	return all, nil
}

// words returns what a bucket is, as people read it.
func (e *Engine) words(b table.BucketIndex) []string { return words.Bucket(e.registry, b) }

func (e *Engine) described(b table.BucketIndex) Bucket {
	row := &e.registry.Buckets[b]
	d := Bucket{
		ID: row.ID, Name: row.Name, Description: row.Description, Manual: row.Kind == table.Manual, Fingerprint: row.Fingerprint,
		Words: e.words(b), Paused: e.paused(b),
	}
	d.Other = !d.Paused && e.store.Deployment().Frozen(b)
	return d
}

// Counts returns how many users are in each bucket of the engine's registry, by the ids of the
// buckets. It counts them all, which takes time in proportion; see [Engine.BucketStats] for one
// that does not.
func (e *Engine) Counts(ctx context.Context) (map[string]int64, error) {
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	rows, err := e.store.Queries(e.reads()).MembershipsCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	counts := make(map[string]int64, len(e.registry.Buckets))
	for i := range e.registry.Buckets {
		counts[e.registry.Buckets[i].ID] = 0
	}
	for _, row := range rows {
		if b, known := e.store.Index(row.BucketNo); known {
			counts[e.registry.Buckets[b].ID] = row.Members
		}
	}
	return counts, nil
}

// BucketStats is how a bucket is doing.
type BucketStats struct {
	Members   int64         // now
	Hour      Flow          // since the hour began, in UTC
	Day       Flow          // in this hour and the 23 before
	Ever      Flow          // since the bucket was first deployed
	MeanDwell time.Duration // of all stays that ended; 0 if none did
}

// BucketStats returns how a bucket is doing. Unlike [Engine.Count] it does not count the members.
func (e *Engine) BucketStats(ctx context.Context, bucket registry.BucketRef) (BucketStats, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return BucketStats{}, fmt.Errorf("bucket stats: %w", err)
	}
	now := e.config.Now()
	h, err := e.rollup.History(ctx, e.store.Bucket(b), now.Add(-23*time.Hour), now, time.Hour)
	if err != nil {
		return BucketStats{}, fmt.Errorf("bucket stats: %w", err)
	}
	last := h.Points[len(h.Points)-1]
	stats := BucketStats{Members: last.Members, Hour: Flow{Entered: last.Entered, Left: last.Left}, Ever: h.Ever, MeanDwell: h.MeanDwell}
	for _, p := range h.Points {
		stats.Day.Entered += p.Entered
		stats.Day.Left += p.Left
	}
	return stats, nil
}
