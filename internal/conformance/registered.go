package conformance

import (
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// registered is what of a scenario's definitions we accept.
type registered struct {
	first  *ir.File        // what is defined before the first step
	after  []*ir.File      // and after each
	unruly map[string]bool // buckets that at some time only one of us accepted
}

// registered takes all definitions of a scenario, those of later steps, too.
func (v *Vector) registered() (*registered, error) {
	r := &registered{unruly: map[string]bool{}}
	var err error
	if r.first, err = r.take(v, v.Buckets, v.Registration); err != nil {
		return nil, err
	}
	last := r.first
	for i := range v.Steps {
		if s := &v.Steps[i]; s.Op == "redefine" {
			if last, err = r.take(v, s.Buckets, s.Observed.Registration); err != nil {
				return nil, fmt.Errorf("step %d: %w", i, err)
			}
		}
		r.after = append(r.after, last)
	}
	return r, nil
}

func (r *registered) take(v *Vector, buckets []Bucket, recorded []Registration) (*ir.File, error) {
	if len(recorded) != len(buckets) {
		return nil, fmt.Errorf("%d buckets were registered, and %d registrations recorded", len(buckets), len(recorded))
	}
	f, wrong := v.register(buckets)
	for i := range recorded {
		if recorded[i].Accepted != (wrong[i] == "") {
			r.unruly[buckets[i].ID] = true
		}
	}
	return f, nil
}

// definition returns what a bucket is after a step, or nil if it is none.
func (r *registered) definition(bucket string, step int) *ir.Definition {
	f := r.after[step]
	i := slices.IndexFunc(f.Definitions, func(d ir.Definition) bool { return d.ID == bucket })
	if i < 0 {
		return nil
	}
	return &f.Definitions[i]
}

// redefines reports whether a step makes a bucket a new one or a different one.
func (r *registered) redefines(bucket string, step int) bool {
	before := r.first
	if step > 0 {
		before = r.after[step-1]
	}
	return slices.Contains(refeval.Changed(before, r.after[step]), bucket)
}

// latest returns what a bucket was when it was defined last, or nil if it never was.
func (r *registered) latest(bucket string) *ir.Definition {
	for i := range slices.Backward(r.after) {
		if d := r.definition(bucket, i); d != nil {
			return d
		}
	}
	return nil
}
