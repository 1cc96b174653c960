package manage

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Sizes is how a bucket grew and shrank.
type Sizes struct {
	Step   string      `json:"step" enum:"hour,day" doc:"Length of a step"`
	Points []SizePoint `json:"points" doc:"One point for each step, in order"`
}

// SizePoint is what happened to a bucket within a step of time.
type SizePoint struct {
	Flow
	At               time.Time `json:"at" doc:"Start of the step"`
	Members          int64     `json:"members" doc:"Number of members at the end of the step, or now for the current step"`
	MeanDwellSeconds float64   `json:"meanDwellSeconds" doc:"Mean length in seconds of the stays that ended in the step; 0 without one"`

	Sources []bucketgen.SourceFlow `json:"sources,omitempty" doc:"Joins and leaves by cause, of those causes that there were; missing unless asked for"`
}

// BucketSizes is how one of several buckets grew and shrank.
type BucketSizes struct {
	BucketID string      `json:"bucketId"`
	Points   []SizePoint `json:"points" doc:"One point for each step, in order"`
}

// AllSizes is how several buckets grew and shrank.
type AllSizes struct {
	Step    string        `json:"step" enum:"hour,day" doc:"Length of a step"`
	Buckets []BucketSizes `json:"buckets" doc:"The sizes of each bucket, in the order asked for"`
}

type sizesInput struct {
	BucketPath
	SizeFilter
}

type allSizesInput struct {
	SizeFilter
	Buckets string `query:"buckets" required:"true" minLength:"1" maxLength:"10000" doc:"Ids of up to 20 buckets, with commas between them" example:"power-users,trial"`
}

// SizeFilter says which sizes to read.
type SizeFilter struct {
	From time.Time `query:"from" doc:"Time in the first step. Defaults to 99 steps before the last" example:"2026-12-01T00:00:00Z"`
	To   time.Time `query:"to" doc:"Time in the last step. Defaults to now" example:"2026-12-02T00:00:00Z"`
	Step string    `query:"step" enum:"hour,day" default:"hour" doc:"Length of a step"`
	Zone string    `query:"tz" default:"UTC" maxLength:"100" doc:"Time zone in which days begin, by its IANA name; its days must begin at a full hour of UTC" example:"Europe/Berlin"`
	By   string    `query:"by" enum:"source" doc:"Also split joins and leaves by their cause, in time that grows with their number"`
}

// maxSteps is how many steps of time an answer holds at most. It bounds the memory of an answer.
const maxSteps = 10_000

func (a *api) sizes(ctx context.Context, in *sizesInput) (Sizes, error) {
	if _, err := a.bucket(in.Bucket); err != nil {
		return Sizes{}, err
	}
	q, err := a.sizeQuery(&in.SizeFilter)
	if err != nil {
		return Sizes{}, err
	}
	points, err := a.sizesOf(ctx, in.Bucket, q)
	return Sizes{in.Step, points}, err
}

func (a *api) allSizes(ctx context.Context, in *allSizesInput) (AllSizes, error) {
	q, err := a.sizeQuery(&in.SizeFilter)
	if err != nil {
		return AllSizes{}, err
	}
	const most = 20
	ids := strings.Split(in.Buckets, ",")
	if len(ids) > most {
		return AllSizes{}, problem.Of(http.StatusBadRequest, "buckets", fmt.Sprintf("are %d; ask for %d at most", len(ids), most))
	}
	out := AllSizes{Step: in.Step, Buckets: make([]BucketSizes, len(ids))}
	for i, id := range ids {
		points, err := a.sizesOf(ctx, id, q)
		if err != nil {
			return AllSizes{}, err
		}
		out.Buckets[i] = BucketSizes{id, points}
	}
	return out, nil
}

// sizeQuery reads a filter.
func (a *api) sizeQuery(in *SizeFilter) (q bucketgen.SizeQuery, err error) {
	step := time.Hour
	if in.Step == "day" {
		step = 24 * time.Hour
	}
	if err := cmp.Or(writable("from", in.From), writable("to", in.To)); err != nil {
		return q, err
	}
	zone, err := time.LoadLocation(in.Zone)
	if err != nil || in.Zone == "Local" {
		return q, problem.Of(http.StatusBadRequest, "tz", fmt.Sprintf("is %q, which is no time zone; use an IANA name like Europe/Berlin", in.Zone))
	}
	q = bucketgen.SizeQuery{From: in.From, To: in.To, Hourly: in.Step == "hour", Zone: zone, BySource: in.By != ""}
	if q.To.IsZero() {
		q.To = a.engine.Now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-99 * step)
	}
	switch span := q.To.Sub(q.From); {
	case span < 0:
		return q, problem.Of(http.StatusBadRequest, "from", "is after to; give an earlier time")
	case span/step >= maxSteps:
		return q, problem.Of(http.StatusBadRequest, "from", fmt.Sprintf("is more than %d steps of an %s ago; ask for fewer, or for longer ones", maxSteps, in.Step))
	}
	return q, nil
}

func (a *api) sizesOf(ctx context.Context, id string, q bucketgen.SizeQuery) ([]SizePoint, error) {
	ref, err := a.bucket(id)
	if err != nil {
		return nil, err
	}
	points, err := a.engine.Inspect().Sizes(ctx, ref, q)
	if err != nil {
		return nil, err
	}
	out := make([]SizePoint, len(points))
	for i, p := range points {
		out[i] = SizePoint{Flow{Entered: p.Entered, Left: p.Left}, p.At, p.Members, p.MeanDwell.Seconds(), p.Sources}
	}
	return out, nil
}
