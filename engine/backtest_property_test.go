package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestBackTestIsWhatHappened lets random histories happen to an engine, and then runs the same
// definitions over what it logged: the outcome must be the same, transition by transition.
func TestBackTestIsWhatHappened(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	draw.Check(t, 200, func(t *rapid.T) {
		forgetUsers(t, pool)
		f := draw.Definitions(t, 5)
		steps := replayable(draw.Steps(t, f, []string{"ada", "bob", "cy"}, 30))
		until := steps[len(steps)-1].At.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "after")) * draw.Hour)
		story := fmt.Sprintf("%s%suntil %s", refeval.Describe(f), refeval.DescribeSteps(steps), until)
		m := subject.Manner{Settle: func(int) (time.Duration, bool) {
			return draw.Hour, rapid.IntRange(0, 2).Draw(t, "settle") == 2
		}}
		live, err := subject.Engine(t.Context(), pool, f, steps, until, m)
		if err != nil {
			t.Fatalf("%v\n%s", err, story)
		}
		result, got := backTest(t, pool, f, until)
		live.Steps, live.Stays, got.Stays = nil, nil, nil // of stays there are only transitions
		if diff := refeval.Diff(live, got); diff != "" {
			t.Fatalf("what happened and the back-test differ\n%s\n%s", diff, story)
		}
		for _, b := range result.Buckets {
			v := b.Against
			if len(v.Days) > 0 || v.OnlyRun+v.OnlyOther > 0 || v.Both != b.Members {
				t.Fatalf("bucket %s differs from what is recorded: %+v\n%s", b.BucketID, v, story)
			}
			if !slices.Equal(b.Days, v.Other.Days) {
				t.Fatalf("bucket %s: %v\nrecorded: %v\n%s", b.BucketID, b.Days, v.Other.Days, story)
			}
		}
	})
}

// backTest runs definitions over the log, and compares with what is recorded.
func backTest(t *rapid.T, pool *pgxpool.Pool, f *ir.File, until time.Time) (engine.BackTestResult, *refeval.History) {
	r, err := registrytest.OfIR(f)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(pool, r, engine.Config{NoClock: true, NoDelivery: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	got := &refeval.History{}
	result, err := e.Deployments().BackTest(t.Context(), engine.BackTestOptions{
		Until: until, Against: engine.BackTestAgainst{Recorded: true},
		Transition: func(made engine.Transition) {
			got.Transitions = append(got.Transitions, refeval.Transition{
				User: made.UserID, Bucket: made.BucketID, Kind: string(made.Kind), EntryCount: made.EntryCount, At: made.At,
				Source: string(made.Source), Reason: string(made.Reason), Suppressed: made.Suppressed, Tick: made.Tick, DwellCount: made.DwellCount,
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return result, got
}

// replayable leaves out what a log does not hold: restorations, merges, and the order of several
// steps at one instant, unless all of them are events.
func replayable(steps []refeval.Action) []refeval.Action {
	crowded := func(i int) bool {
		for k := range steps {
			concerned := steps[k].User == steps[i].User || steps[k].Op == refeval.Settle || steps[i].Op == refeval.Settle
			if k != i && concerned && steps[k].At.Equal(steps[i].At) {
				return true
			}
		}
		return false
	}
	var kept []refeval.Action
	for i := range steps {
		logged := steps[i].Op != refeval.Restore && steps[i].Op != refeval.Merge
		if steps[i].Op == refeval.Ingest || logged && !crowded(i) {
			kept = append(kept, steps[i])
		}
	}
	if len(kept) == 0 {
		kept = append(kept, refeval.Action{At: steps[0].At, Op: refeval.Settle})
	}
	return kept
}

// forgetUsers empties every table that speaks of users.
func forgetUsers(t *rapid.T, pool *pgxpool.Pool) {
	var deletes []string
	for _, table := range []string{
		"contacts", "events", "occurrences", "totals", "groups", "sums", "idempotency_keys", "memberships", "due", "transitions",
		"progress", "advances", "changes",
	} {
		deletes = append(deletes, table+" as (delete from bucketgen."+table+")")
	}
	if _, err := pool.Exec(t.Context(), "with "+strings.Join(deletes, ", ")+" select"); err != nil {
		t.Fatal(err)
	}
}
