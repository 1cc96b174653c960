package simulate_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// TestReference compares the simulator with the reference, over random definitions with all
// policies and random histories of several users.
func TestReference(t *testing.T) {
	t.Parallel()
	draw.Check(t, 10000, func(t *rapid.T) { compare(t, refeval.Defaults, draw.Steps) })
}

// TestPeople does so while ids of users, devices and e-mail addresses lead to each other, and
// anonymous users expire.
func TestPeople(t *testing.T) {
	t.Parallel()
	draw.Check(t, 10000, func(t *rapid.T) {
		compare(t, refeval.Rules{AnonymousAge: draw.AnonymousAge(t)}, draw.People)
	})
}

// TestIDLimits does so while users may have few ids.
func TestIDLimits(t *testing.T) {
	t.Parallel()
	draw.Check(t, 10000, func(t *rapid.T) {
		ids := draw.IDs(t)
		compare(t, refeval.Rules{AnonymousAge: draw.AnonymousAge(t), Anonymous: ids.Anonymous, Emails: ids.Emails}, draw.People)
	})
}

// TestErasing does so while some of them are erased.
func TestErasing(t *testing.T) {
	t.Parallel()
	draw.Check(t, 5000, func(t *rapid.T) {
		compare(t, refeval.Rules{AnonymousAge: draw.AnonymousAge(t)}, draw.Erasing)
	})
}

// TestRedefine does so while definitions change and buckets are paused and resumed.
func TestRedefine(t *testing.T) {
	t.Parallel()
	draw.Check(t, 5000, func(t *rapid.T) { compare(t, refeval.Defaults, draw.Changing) })
}

func compare(t *rapid.T, rules refeval.Rules, steps func(*rapid.T, *ir.File, []string, int) []refeval.Action) {
	f := draw.Definitions(t, 5)
	history := steps(t, f, []string{"ada", "bob"}, 30)
	until := history[len(history)-1].At.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "after")) * draw.Hour)
	want := rules.Run(f, history, until)
	got, err := subject.SimulateWithin(event.Limits{
		User: decide.Limits{AnonymousAge: rules.AnonymousAge},
		IDs:  event.IDRules{Limits: resolve.Limits{Anonymous: rules.Anonymous, Emails: rules.Emails}},
	}, f, history, until)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, refeval.Describe(f), refeval.DescribeSteps(history))
	}
	if diff := refeval.Diff(want, got); diff != "" {
		t.Fatalf("reference and simulator differ\n%s\n%s%suntil %s", diff, refeval.Describe(f), refeval.DescribeSteps(history), until)
	}
}
