package engine_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
)

// TestEquivalence compares the engine on PostgreSQL with the simulator and with the reference, over random definitions
// and histories, in random batches and with the clock's work done at random moments.
func TestEquivalence(t *testing.T) {
	t.Parallel()
	for _, manner := range []struct {
		name   string
		checks int
		replay bool
	}{{"steps", 500, false}, {"replay", 500, true}} {
		t.Run(manner.name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t) // of its own: definitions are deployed, and there is one deployment at a time
			draw.Check(t, manner.checks, func(t *rapid.T) { equivalent(t, pool, manner.replay) })
		})
	}
}

// cases numbers cases, whose users and buckets share a database.
var cases atomic.Int64

func equivalent(t *rapid.T, pool *pgxpool.Pool, replay bool) {
	number := cases.Add(1)
	var users []string
	for _, name := range []string{"ada", "bob", "cy", "dee"} {
		users = append(users, fmt.Sprintf("c%d-%s", number, name))
	}
	f := draw.Definitions(t, 5)
	m := subject.Manner{
		Number:       int(number),
		MaxBatch:     rapid.SampledFrom([]int{500, 1, 2, 3, 7}).Draw(t, "max batch"),
		Flushers:     rapid.IntRange(1, 4).Draw(t, "flushers"),
		ClockWorkers: rapid.IntRange(1, 2).Draw(t, "clock workers"),
		Replay:       replay,
		Together:     func(int) bool { return rapid.IntRange(0, 3).Draw(t, "apart") < 3 },
		Settle: func(int) (time.Duration, bool) {
			after := rapid.SampledFrom([]time.Duration{0, time.Microsecond, draw.Hour, 90 * time.Minute}).Draw(t, "settle after")
			return after, rapid.IntRange(0, 2).Draw(t, "settle") == 2
		},
	}
	steps := draw.Steps(t, f, users, 25)
	if replay {
		steps = draw.Replay(t, users, 40)
	}
	until := steps[len(steps)-1].At.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "after")) * draw.Hour)
	compareAll(t, pool, f, steps, until, m)
}

func compareAll(t *rapid.T, pool *pgxpool.Pool, f *ir.File, steps []refeval.Step, until time.Time, m subject.Manner) {
	story := fmt.Sprintf("%s%suntil %s", refeval.Describe(f), refeval.DescribeSteps(steps), until)
	simulated, err := subject.Simulate(f, steps, until)
	if err != nil {
		t.Fatalf("%v\n%s", err, story)
	}
	got, err := subject.Engine(t.Context(), pool, f, steps, until, m)
	if err != nil {
		t.Fatalf("%v\n%s", err, story)
	}
	if m.Replay { // which counts duplicates without saying which
		got.Steps = simulated.Steps
	}
	if diff := refeval.Diff(simulated, got); diff != "" {
		t.Fatalf("simulator and engine differ\n%s\n%s", diff, story)
	}
	if diff := refeval.Diff(refeval.Run(f, steps, until), got); diff != "" {
		t.Fatalf("reference and engine differ\n%s\n%s", diff, story)
	}
}
