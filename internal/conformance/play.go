package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
)

// Report is what playing a scenario came to.
type Report struct {
	ID         string
	Needs      []string    // what is not built; then it was not played
	Deviations []Deviation // by which it differs from the recording
	Err        error       // what is wrong

	deviations deviations
}

// String returns the report in a line, and more if something is wrong.
func (r *Report) String() string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("FAIL %s\n  %s", r.ID, strings.ReplaceAll(r.Err.Error(), "\n", "\n  "))
	case len(r.Needs) > 0:
		return fmt.Sprintf("needs %s %s", strings.Join(r.Needs, ","), r.ID)
	case len(r.Deviations) > 0:
		return fmt.Sprintf("ok %s deviates %s", r.ID, r.deviations)
	default:
		return "ok " + r.ID
	}
}

// Play plays a scenario, on a database of its own.
func Play(ctx context.Context, pool *pgxpool.Pool, v *Vector) *Report {
	r := &Report{ID: v.ID, Needs: v.Needs()}
	if len(r.Needs) > 0 {
		return r
	}
	defined, err := v.registered()
	if err != nil {
		r.Err = err
		return r
	}
	f, steps := defined.first, v.play(defined)
	until := v.Clock.Start
	if len(steps) > 0 {
		until = steps[len(steps)-1].At
	}
	want := refeval.Run(f, steps, until)
	simulated, err := subject.Simulate(f, steps, until)
	r.Err = errors.Join(r.Err, agree("the simulator", f, steps, want, simulated, err))
	stored, err := subject.Engine(ctx, pool, f, steps, until, subject.Manner{})
	r.Err = errors.Join(r.Err, agree("the engine", f, steps, want, stored, err))
	var judgement error
	r.deviations, judgement = judge(v, defined, want)
	r.Deviations = r.deviations.sorted()
	r.Err = errors.Join(r.Err, judgement)
	return r
}

func agree(who string, f *ir.File, steps []refeval.Action, want, got *refeval.History, err error) error {
	if err != nil {
		return fmt.Errorf("%s fails: %w", who, err)
	}
	if diff := refeval.Diff(want, got); diff != "" {
		return fmt.Errorf("%s differs from the reference\n%s%s%s", who, diff, refeval.Describe(f), refeval.DescribeSteps(steps))
	}
	return nil
}
