package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

// Step is the length of a step of time.
type Step time.Duration

// The steps of histories: hours and days of UTC.
const (
	Hourly = Step(time.Hour)
	Daily  = Step(24 * time.Hour)
)

// SizePoint is what happened to a bucket within an hour or a day.
type SizePoint = bucketgen.SizePoint

// Flow is how many users entered and left a bucket.
type Flow = bucketgen.Flow

// MembershipHistory returns how many members a bucket had, and how many users entered and left it,
// hour by hour or day by day: for each one from that of from to that of to. A zero from begins with
// the first transition, a zero to ends now.
//
// The time that it takes grows with the number of hours in which anything happened, and not with the
// number of members. The result is up to date. As with [Engine.HasAt], it does not show that a user
// was deleted for a while.
func (e *Engine) MembershipHistory(ctx context.Context, bucket registry.BucketRef, from, to time.Time, step Step) ([]SizePoint, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return nil, fmt.Errorf("membership history: %w", err)
	}
	if to.IsZero() {
		to = e.config.Now()
	}
	h, err := e.rollup.History(ctx, e.store.Bucket(b), from, to, time.Duration(step))
	if err != nil {
		return nil, fmt.Errorf("membership history: %w", err)
	}
	return h.Points, nil
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

// RollUp adds up the log of transitions since the last time, hour by hour, so that
// [Engine.MembershipHistory] and [Engine.BucketStats] read less. Their results stay the same. The engine
// does it every minute by itself; the method is for engines that run without a clock. While another
// process does it, it does nothing.
func (g *Clock) RollUp(ctx context.Context) error {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return fmt.Errorf("roll up: %w", err)
	}
	if _, err := e.rollup.Run(ctx); err != nil {
		return fmt.Errorf("roll up: %w", err)
	}
	return nil
}
