package jobs

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/rollout"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Stays does the jobs that only read stays, of buckets that need not be defined any more.
type Stays struct {
	Queue Queue
}

// bounds are where the bins of a histogram of stays begin, after the first.
var bounds = []time.Duration{
	time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day, 90 * day, 180 * day, 365 * day,
}

const (
	day        = 24 * time.Hour
	maxOthers  = 20 // buckets of an overlap
	maxFlows   = 50 // buckets at each end of flows
	whole      = 10_000
	flowsSince = 7 * day
)

// Dwell returns how long the stays in a bucket lasted that ended in a time.
func (s Stays) Dwell(ctx context.Context, p bucketgen.JobParams, _ func(done, total int64)) (Done, error) {
	no, err := s.bucket(ctx, p.BucketID)
	if err != nil {
		return Done{}, err
	}
	if p.Until.IsZero() {
		p.Until = s.Queue.Now()
	}
	q, since, until := s.Queue.queries(), store.Timestamp(p.Since), store.Timestamp(p.Until)
	lengths, err := q.StaysLengths(ctx, db.StaysLengthsParams{BucketNo: no, Since: since, Until: until})
	if err != nil {
		return Done{}, fmt.Errorf("read the lengths of stays: %w", err)
	}
	micros := make([]int64, len(bounds))
	out := &bucketgen.DwellTimes{
		BucketID: p.BucketID, Since: p.Since, Until: p.Until.UTC(), Ended: lengths.Ended, MeanSeconds: lengths.Mean / 1e6,
		MedianSeconds: float64(lengths.Median) / 1e6, P90Seconds: float64(lengths.P90) / 1e6, Histogram: make([]bucketgen.DwellBin, len(bounds)+1),
	}
	for i, at := range bounds {
		micros[i] = at.Microseconds()
		out.Histogram[i].ToSeconds, out.Histogram[i+1].FromSeconds = int64(at.Seconds()), int64(at.Seconds())
	}
	bins, err := q.StaysHistogram(ctx, db.StaysHistogramParams{Bounds: micros, BucketNo: no, Since: since, Until: until})
	if err != nil {
		return Done{}, fmt.Errorf("read the lengths of stays: %w", err)
	}
	for _, bin := range bins {
		out.Histogram[bin.Place].Stays = bin.Stays
	}
	return Done{Result: out}, nil
}

// Overlap returns which buckets the members of a bucket share.
func (s Stays) Overlap(ctx context.Context, p bucketgen.JobParams, _ func(done, total int64)) (Done, error) {
	no, err := s.bucket(ctx, p.BucketID)
	if err != nil {
		return Done{}, err
	}
	part := p.Sample
	if part == 0 {
		part = 1
	}
	q, sample := s.Queue.queries(), int64(math.Round(part*whole))
	part = float64(sample) / whole
	out := &bucketgen.Overlap{BucketID: p.BucketID, At: s.Queue.Now().UTC(), Others: []bucketgen.OverlapBucket{}, Sets: []bucketgen.OverlapSet{}}
	shared, err := q.StaysOverlap(ctx, db.StaysOverlapParams{BucketNo: no, PerMyriad: sample, Size: maxOthers})
	if err != nil {
		return Done{}, fmt.Errorf("read shared members: %w", err)
	}
	ids := []string{p.BucketID}
	for _, other := range shared {
		ids = append(ids, other.ID)
	}
	rows, err := q.StaysSizes(ctx, db.StaysSizesParams{BucketIds: ids, PerMyriad: sample})
	if err != nil {
		return Done{}, fmt.Errorf("count members: %w", err)
	}
	sizes := map[string]int64{}
	for _, row := range rows {
		sizes[row.ID] = row.Members
	}
	out.Members = rollout.Estimate(sizes[p.BucketID], part)
	for _, other := range shared {
		out.Others = append(out.Others, bucketgen.OverlapBucket{
			BucketID: other.ID, Members: rollout.Estimate(sizes[other.ID], part), Both: rollout.Estimate(other.Both, part),
			Share: float64(other.Both) / float64(max(sizes[p.BucketID], 1)),
		})
	}
	if len(p.With) == 0 {
		return Done{Result: out}, nil
	}
	all := append([]string{p.BucketID}, p.With...)
	sets, err := q.StaysSets(ctx, db.StaysSetsParams{BucketIds: all, PerMyriad: sample})
	if err != nil {
		return Done{}, fmt.Errorf("count combinations: %w", err)
	}
	for _, set := range sets {
		one := bucketgen.OverlapSet{Users: rollout.Estimate(set.Users, part)}
		for i, id := range all {
			if set.Mask>>i&1 == 1 {
				one.BucketIDs = append(one.BucketIDs, id)
			}
		}
		out.Sets = append(out.Sets, one)
	}
	return Done{Result: out}, nil
}

// Flows returns the buckets that users leave before they enter a bucket, and enter after they leave
// it.
func (s Stays) Flows(ctx context.Context, p bucketgen.JobParams, _ func(done, total int64)) (Done, error) {
	no, err := s.bucket(ctx, p.BucketID)
	if err != nil {
		return Done{}, err
	}
	if p.Until.IsZero() {
		p.Until = s.Queue.Now()
	}
	if p.Since.IsZero() {
		p.Since = p.Until.Add(-flowsSince)
	}
	if p.WithinSeconds == 0 {
		p.WithinSeconds = int64(day.Seconds())
	}
	out := &bucketgen.Flows{BucketID: p.BucketID, Since: p.Since.UTC(), Until: p.Until.UTC(), WithinSeconds: p.WithinSeconds}
	arg := db.StaysLeftForParams{
		BucketNo: no, Since: store.Timestamp(p.Since), Until: store.Timestamp(p.Until), Within: float64(p.WithinSeconds), Size: maxFlows,
	}
	left, err := s.Queue.queries().StaysLeftFor(ctx, arg)
	if err != nil {
		return Done{}, fmt.Errorf("read stays that ended: %w", err)
	}
	came, err := s.Queue.queries().StaysCameFrom(ctx, db.StaysCameFromParams(arg))
	if err != nil {
		return Done{}, fmt.Errorf("read stays that began: %w", err)
	}
	out.Left, out.To = flows(left)
	entered := make([]db.StaysLeftForRow, len(came))
	for i, row := range came {
		entered[i] = db.StaysLeftForRow(row)
	}
	out.Entered, out.From = flows(entered)
	return Done{Result: out}, nil
}

// flows returns the number of all stays, and those of each other bucket.
func flows(rows []db.StaysLeftForRow) (all int64, of []bucketgen.FlowBucket) {
	of = []bucketgen.FlowBucket{}
	for _, row := range rows {
		if row.ID == "" {
			all = row.Stays
		} else {
			of = append(of, bucketgen.FlowBucket{BucketID: row.ID, Stays: row.Stays})
		}
	}
	return all, of
}

// bucket returns the number of a bucket that was ever defined.
func (s Stays) bucket(ctx context.Context, id string) (int32, error) {
	all, err := s.Queue.queries().BucketsAll(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the buckets: %w", err)
	}
	for _, b := range all {
		if b.ID == id {
			return b.No, nil
		}
	}
	return 0, bucketgen.ErrUnknownBucket
}
