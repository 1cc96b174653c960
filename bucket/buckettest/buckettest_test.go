package buckettest_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/bucket/buckettest"
	"github.com/bucketgen/bucketgen/gen"
	"github.com/bucketgen/bucketgen/registry"
)

// fakeTB is a testing.TB that records the message which ends it.
type fakeTB struct {
	testing.TB
	message string
}

func (*fakeTB) Helper() {}

func (f *fakeTB) Fatal(args ...any) { f.end(fmt.Sprint(args...)) }

func (f *fakeTB) Fatalf(format string, args ...any) { f.end(fmt.Sprintf(format, args...)) }

func (f *fakeTB) end(message string) {
	f.message = message
	runtime.Goexit()
}

// failure runs a test and returns the message that ended it, or nothing.
func failure(test func(t testing.TB)) string {
	f := &fakeTB{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	return f.message
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		test func(sim *buckettest.Sim)
		want string
	}{
		{
			"a member as required",
			func(sim *buckettest.Sim) {
				sim.Add(gen.BetaTesters, "ada")
				sim.RequireMember(gen.BetaTesters, "ada")
				sim.RequireNotMember(gen.BetaTesters, "bob")
			},
			"",
		},
		{
			"no member, and never one",
			func(sim *buckettest.Sim) {
				sim.Ingest(gen.AppActiveEvent{}.By("ada"))
				sim.RequireMember(gen.PowerUsers, "ada")
			},
			"2026-01-01T00:00:00Z: ada is not in power-users; what happened to them:\n" +
				"  nothing",
		},
		{
			"no member any more",
			func(sim *buckettest.Sim) {
				sim.Add(gen.BetaTesters, "bob") // another user's story
				sim.Identify("ada", registry.Traits(gen.Properties.Plan.Set("pro")))
				for range 5 {
					sim.Ingest(gen.AppActiveEvent{}.By("ada"))
				}
				sim.Advance(8 * bucket.Day)
				sim.RequireMember(gen.PowerUsers, "ada")
			},
			"2026-01-09T00:00:00Z: ada is not in power-users; what happened to them:\n" +
				"  2026-01-01T00:00:00Z ada entered power-users 1\n" +
				"  2026-01-08T00:00:00Z ada left power-users 1 by criteria",
		},
		{
			"a member again, unannounced",
			func(sim *buckettest.Sim) {
				sim.Identify("ada", map[string]any{"plan": "trial", "trial_days_left": 1})
				sim.Identify("ada", map[string]any{"plan": "pro"})
				sim.Identify("ada", map[string]any{"plan": "trial"})
				sim.RequireNotMember(gen.TrialExpiringSoon, "ada")
			},
			"2026-01-01T00:00:00Z: ada is in trial-expiring-soon; what happened to them:\n" +
				"  2026-01-01T00:00:00Z ada entered trial-expiring-soon 1\n" +
				"  2026-01-01T00:00:00Z ada left trial-expiring-soon 1 by criteria\n" +
				"  2026-01-01T00:00:00Z ada entered trial-expiring-soon 2 (suppressed)",
		},
		{
			"a stay that ticked",
			func(sim *buckettest.Sim) {
				for range 3 {
					sim.Ingest(gen.AppActiveEvent{}.By("ada"))
				}
				sim.Advance(50 * bucket.Day)
				sim.RequireNotMember(gen.WentDormant, "ada")
			},
			"2026-02-20T00:00:00Z: ada is in went-dormant; what happened to them:\n" +
				"  2026-01-15T00:00:00Z ada entered went-dormant 1\n" +
				"  2026-02-14T00:00:00Z ada dwell went-dormant 1 after-30d #1",
		},
		{
			"an event without a user",
			func(sim *buckettest.Sim) { sim.Track("", "app.active", nil) },
			"buckettest: the event is refused: user_id: is empty",
		},
		{
			"one property more than a user may have",
			func(sim *buckettest.Sim) {
				for i := range 1000 {
					sim.Identify("ada", map[string]any{fmt.Sprint("p", i): i})
				}
				sim.Ingest(buckettest.Event{UserID: "ada", TraitsOnce: map[string]any{"p0": "not taken", "plan": "trial"}})
			},
			"buckettest: the event is refused: traits: would give the user 1001 properties, more than the 1000 that are allowed; " +
				"set some to null, or send what varies as properties of events",
		},
		{
			"a user added twice and removed twice",
			func(sim *buckettest.Sim) {
				sim.Add(gen.BetaTesters, "ada")
				sim.Add(gen.BetaTesters, "ada")
				sim.Remove(gen.BetaTesters, "ada")
				sim.Remove(gen.BetaTesters, "ada")
			},
			"",
		},
		{
			"a bucket of another registry",
			func(sim *buckettest.Sim) { sim.RequireMember(registry.NewRef("elsewhere", 0), "ada") },
			"buckettest: the bucket is not in the registry; use a ref that was generated with it",
		},
		{
			"time that goes back",
			func(sim *buckettest.Sim) { sim.Advance(-time.Hour) },
			"buckettest: it is 2026-01-01 00:00:00 +0000 UTC already, time does not go back to 2025-12-31 23:00:00 +0000 UTC",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := failure(func(tb testing.TB) {
				tb.Helper()
				tc.test(buckettest.New(tb, gen.Registry))
			})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewWithoutRegistry(t *testing.T) {
	t.Parallel()
	const want = "buckettest: the registry is nil; pass gen.Registry"
	got := failure(func(tb testing.TB) {
		tb.Helper()
		buckettest.New(tb, nil)
	})
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
