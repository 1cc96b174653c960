package rollup

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// maxPoints bounds the points of a history.
const maxPoints = 1_000_000

// History is what happened to a bucket in a range of time.
type History struct {
	Points    []bucketgen.SizePoint // Points are one for each step of the range
	Ever      bucketgen.Flow        // Ever counts up to the end of the range, also before it begins
	MeanDwell time.Duration         // MeanDwell is that of all stays that ended by then; 0 if none did
}

// History returns the history of a bucket, by its number in the database, from the step of from to
// that of to. A step is an hour or a day of UTC. A zero from begins with the first transition.
func (r *Rollup) History(ctx context.Context, bucketNo int32, from, to time.Time, step time.Duration) (*History, error) {
	if step != time.Hour && step != 24*time.Hour {
		return nil, fmt.Errorf("a step of %s is neither Hourly nor Daily", step)
	}
	from, until := from.UTC().Truncate(step), to.UTC().Truncate(step).Add(step)
	if !from.Before(until) {
		return nil, errors.New("to is before from")
	}
	if !from.IsZero() && until.Sub(from)/step > maxPoints {
		return nil, fmt.Errorf("there are more than %d steps of %s from %s to %s; choose a shorter range", maxPoints, step, from, until)
	}
	if err := r.catchUp(ctx); err != nil {
		return nil, err
	}
	var rows []db.RollupsOfRow
	err := store.Snapshot(ctx, r.deps.Reader, func(tx pgx.Tx) (err error) {
		rows, err = r.queries(tx).RollupsOf(ctx, db.RollupsOfParams{
			Step: pgtype.Interval{Microseconds: step.Microseconds(), Valid: true}, Before: store.Timestamp(from.Add(-step)),
			BucketNo: bucketNo, Until: store.Timestamp(until),
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the rollup: %w", err)
	}
	return collect(rows, from, until, step)
}

// collect makes a point of each step, from the rows of those in which something happened.
func collect(rows []db.RollupsOfRow, from, until time.Time, step time.Duration) (*History, error) {
	h := &History{Points: []bucketgen.SizePoint{}}
	members, total := int64(0), new(big.Int)
	if from.IsZero() {
		from = until
		if len(rows) > 0 {
			from = rows[0].At.Time.UTC()
		}
	}
	at := from
	point := func() bucketgen.SizePoint { return bucketgen.SizePoint{At: at, Members: members} }
	for _, row := range rows {
		for ; at.Before(row.At.Time); at = at.Add(step) {
			h.Points = append(h.Points, point())
		}
		dwell, ok := new(big.Int).SetString(row.Dwell, 10)
		if !ok {
			return nil, fmt.Errorf("the sum of stays is %q", row.Dwell)
		}
		members += row.Entered - row.Left - row.Vanished
		h.Ever.Entered, h.Ever.Left = h.Ever.Entered+row.Entered, h.Ever.Left+row.Left
		total.Add(total, dwell)
		if row.At.Time.Before(from) {
			continue
		}
		p := point()
		p.Entered, p.Left, p.MeanDwell = row.Entered, row.Left, mean(dwell, row.Left)
		h.Points = append(h.Points, p)
		at = at.Add(step)
	}
	for ; at.Before(until); at = at.Add(step) {
		h.Points = append(h.Points, point())
	}
	h.MeanDwell = mean(total, h.Ever.Left)
	return h, nil
}

// mean returns the mean length of stays, from the sum of their microseconds; 0 if there are none.
func mean(microseconds *big.Int, stays int64) time.Duration {
	if stays == 0 {
		return 0
	}
	return time.Duration(new(big.Int).Quo(microseconds, big.NewInt(stays)).Int64()) * time.Microsecond
}
