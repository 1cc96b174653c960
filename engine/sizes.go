package engine

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Step is the length of a step of time.
type Step time.Duration

// The steps by which the past is told: hours and days of UTC.
const (
	Hourly = Step(time.Hour)
	Daily  = Step(24 * time.Hour)
)

// SizePoint is what happened to a bucket within an hour or a day.
type SizePoint struct {
	At        time.Time     // its beginning
	Entered   int64         // announced or not
	Left      int64         // who is deleted has not left
	Members   int64         // at its end, or now if it lasts
	MeanDwell time.Duration // of the stays that ended in it; 0 if none did
}

// SizeOverTime tells how many members a bucket had, and how many users entered and left it, hour by hour or day by day: for
// each one from that of from to that of to. A zero from begins with the first of all that happened, a zero to ends now.
//
// The time that it takes grows with the number of hours in which anything happened, and not with the number of members.
// What is told is true up to now. As with [Engine.HasAt], it is not remembered that somebody was deleted for a while.
func (e *Engine) SizeOverTime(ctx context.Context, bucket registry.BucketRef, from, to time.Time, step Step) ([]SizePoint, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return nil, fmt.Errorf("size over time: %w", err)
	}
	if to.IsZero() {
		to = e.config.Now()
	}
	h, err := e.sizes(ctx, b, from, to, step)
	if err != nil {
		return nil, fmt.Errorf("size over time: %w", err)
	}
	return h.points, nil
}

// Flow is how many users entered and left a bucket.
type Flow struct {
	Entered int64
	Left    int64
}

// BucketStats is how a bucket is doing.
type BucketStats struct {
	Members   int64         // now
	Hour      Flow          // since the hour began, in UTC
	Day       Flow          // in this hour and the 23 before
	Ever      Flow          // since the bucket was first deployed
	MeanDwell time.Duration // of all stays that ended; 0 if none did
}

// BucketStats tells how a bucket is doing. Unlike [Engine.Count] it does not count the members.
func (e *Engine) BucketStats(ctx context.Context, bucket registry.BucketRef) (BucketStats, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return BucketStats{}, fmt.Errorf("bucket stats: %w", err)
	}
	now := e.config.Now()
	h, err := e.sizes(ctx, b, now.Add(-23*time.Hour), now, Hourly)
	if err != nil {
		return BucketStats{}, fmt.Errorf("bucket stats: %w", err)
	}
	last := h.points[len(h.points)-1]
	stats := BucketStats{Members: last.Members, Hour: Flow{last.Entered, last.Left}, Ever: h.ever, MeanDwell: mean(h.dwell, h.ever.Left)}
	for _, p := range h.points {
		stats.Day.Entered += p.Entered
		stats.Day.Left += p.Left
	}
	return stats, nil
}

const maxPoints = 1_000_000

// sizes is a stretch of the past of a bucket.
type sizes struct {
	points []SizePoint
	ever   Flow     // up to the end, what was before the first point included
	dwell  *big.Int // of all the stays that ended, in microseconds
}

func (e *Engine) sizes(ctx context.Context, b table.BucketIndex, from, to time.Time, step Step) (*sizes, error) {
	span := time.Duration(step)
	if step != Hourly && step != Daily {
		return nil, fmt.Errorf("a step of %s is neither Hourly nor Daily", span)
	}
	from, until := from.UTC().Truncate(span), to.UTC().Truncate(span).Add(span)
	if !from.Before(until) {
		return nil, errors.New("the time to which to tell is before the one from which")
	}
	if !from.IsZero() && until.Sub(from)/span > maxPoints {
		return nil, fmt.Errorf("there are more than %d steps of %s from %s to %s", maxPoints, span, from, until)
	}
	if err := e.catchUp(ctx); err != nil {
		return nil, err
	}
	rows, err := e.store.Queries(e.pool).TalliesOf(ctx, db.TalliesOfParams{
		Step: pgtype.Interval{Microseconds: span.Microseconds(), Valid: true}, Before: store.Timestamp(from.Add(-span)),
		BucketNo: e.store.Bucket(b), Until: store.Timestamp(until),
	})
	if err != nil {
		return nil, err
	}
	return collect(rows, from, until, span)
}

// catchUp adds up what is not yet, if that is much: the engine may have run without a clock for long.
func (e *Engine) catchUp(ctx context.Context) error {
	behind, err := e.store.Queries(e.pool).TalliedBehind(ctx)
	if err != nil {
		return fmt.Errorf("read how far the log is added up: %w", err)
	}
	if behind < tallyBehind {
		return nil
	}
	_, err = e.tally(ctx)
	return err
}

// collect makes a point of each step of time, from what happened in those in which anything did.
func collect(rows []db.TalliesOfRow, from, until time.Time, span time.Duration) (*sizes, error) {
	h := &sizes{points: []SizePoint{}, dwell: new(big.Int)}
	members := int64(0)
	if from.IsZero() {
		from = until
		if len(rows) > 0 {
			from = rows[0].At.Time.UTC()
		}
	}
	at := from
	point := func() SizePoint { return SizePoint{At: at, Members: members} }
	for _, row := range rows {
		for ; at.Before(row.At.Time); at = at.Add(span) {
			h.points = append(h.points, point())
		}
		dwell, ok := new(big.Int).SetString(row.Dwell, 10)
		if !ok {
			return nil, fmt.Errorf("the sum of stays is %q", row.Dwell)
		}
		members += row.Entered - row.Left - row.Vanished
		h.ever.Entered, h.ever.Left = h.ever.Entered+row.Entered, h.ever.Left+row.Left
		h.dwell.Add(h.dwell, dwell)
		if row.At.Time.Before(from) {
			continue
		}
		p := point()
		p.Entered, p.Left, p.MeanDwell = row.Entered, row.Left, mean(dwell, row.Left)
		h.points = append(h.points, p)
		at = at.Add(span)
	}
	for ; at.Before(until); at = at.Add(span) {
		h.points = append(h.points, point())
	}
	return h, nil
}

// mean returns the mean length of so many stays, which together lasted so many microseconds.
func mean(microseconds *big.Int, stays int64) time.Duration {
	if stays == 0 {
		return 0
	}
	return time.Duration(new(big.Int).Quo(microseconds, big.NewInt(stays)).Int64()) * time.Microsecond
}
