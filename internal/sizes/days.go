package sizes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Hours reads sizes of a bucket by hours of UTC, from the one of a time to that of another.
type Hours func(ctx context.Context, from, to time.Time) ([]bucketgen.SizePoint, error)

// OverTime returns the sizes of a bucket, by its number in the database. Zone and To of the query
// are set.
func (r *Reader) OverTime(ctx context.Context, bucketNo int32, q bucketgen.SizeQuery, hours Hours) ([]bucketgen.SourcedPoint, error) {
	begin := func(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }
	next := func(t time.Time) time.Time { return t.Add(time.Hour) }
	from, to := q.From, q.To
	if !q.Hourly {
		begin = func(t time.Time) time.Time { return dayIn(t, q.Zone, 0) }
		next = func(t time.Time) time.Time { return dayIn(t, q.Zone, 1) }
		if !from.IsZero() {
			from = begin(from)
		}
		to = next(to).Add(-time.Hour) // the last hour of the day
	}
	points, err := hours(ctx, from, to)
	if err != nil || len(points) == 0 {
		return []bucketgen.SourcedPoint{}, err
	}
	all, err := steps(points, begin)
	if err != nil || !q.BySource {
		return all, err
	}
	return all, r.addSources(ctx, bucketNo, all, begin, next(all[len(all)-1].At))
}

// dayIn returns the beginning of the day of a zone that a time is in, or of a day after it.
func dayIn(t time.Time, zone *time.Location, after int) time.Time {
	year, month, day := t.In(zone).Date()
	return time.Date(year, month, day+after, 0, 0, 0, 0, zone).UTC()
}

// steps adds hours up to steps, which begin where begin says.
func steps(hours []bucketgen.SizePoint, begin func(time.Time) time.Time) ([]bucketgen.SourcedPoint, error) {
	var all []bucketgen.SourcedPoint
	dwell := time.Duration(0)
	for _, hour := range hours {
		at := begin(hour.At)
		if !at.Equal(at.Truncate(time.Hour)) {
			return nil, &bucketgen.InvalidError{Field: "tz", Problem: "has days that do not begin at a full hour of UTC; sizes are kept by such hours"}
		}
		if len(all) == 0 || !all[len(all)-1].At.Equal(at) {
			all, dwell = append(all, bucketgen.SourcedPoint{SizePoint: bucketgen.SizePoint{At: at}}), 0
		}
		p := &all[len(all)-1]
		p.Entered, p.Left, p.Members = p.Entered+hour.Entered, p.Left+hour.Left, hour.Members
		if dwell += hour.MeanDwell * time.Duration(hour.Left); p.Left > 0 {
			p.MeanDwell = dwell / time.Duration(p.Left)
		}
	}
	return all, nil
}

// addSources adds to steps what happened by which source.
func (r *Reader) addSources(ctx context.Context, bucketNo int32, all []bucketgen.SourcedPoint, begin func(time.Time) time.Time, end time.Time) error {
	rows, err := r.Store.Queries(r.Pool).TransitionsBySource(ctx, db.TransitionsBySourceParams{
		BucketNo: bucketNo, FromAt: store.Timestamp(all[0].At), ToAt: store.Timestamp(end),
	})
	if err != nil {
		return fmt.Errorf("read the log by source: %w", err)
	}
	for i := range all {
		all[i].Sources = []bucketgen.SourceFlow{}
	}
	for _, row := range rows {
		at := begin(row.Hour.Time)
		i, found := slices.BinarySearchFunc(all, at, func(p bucketgen.SourcedPoint, at time.Time) int { return p.At.Compare(at) })
		if !found {
			continue // it happened after the points were read
		}
		p := &all[i]
		k, known := slices.BinarySearchFunc(p.Sources, row.Source, func(f bucketgen.SourceFlow, s string) int { return strings.Compare(string(f.Source), s) })
		if !known {
			p.Sources = slices.Insert(p.Sources, k, bucketgen.SourceFlow{Source: bucketgen.Source(row.Source)})
		}
		p.Sources[k].Entered += row.Entered
		p.Sources[k].Left += row.Left
	}
	return nil
}
