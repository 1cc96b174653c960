package engine_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// redefined is the world as a process sees it that has other definitions. The engine that was there
// before goes on.
func (w *world) redefined(definitions ...bucket.Definition) *world {
	w.t.Helper()
	other := &world{t: w.t, pool: w.pool, registry: registrytest.Build(w.t, definitions...), clock: w.clock}
	other.Engine = other.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	return other
}

func (w *world) deploy(o engine.DeployOptions) engine.Deployment {
	w.t.Helper()
	d, err := w.Deploy(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) backfill() engine.Deployment {
	w.t.Helper()
	d, err := w.Deployments().Backfill(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// TestDeployNewBuckets deploys buckets to a database that knows users and what they did, but no
// buckets: a user who matches joins unannounced, and later transitions are announced as usual.
func TestDeployNewBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.track("ada", "purchase")
	w.track("bob", "visit")
	w.clock.Advance(30 * time.Minute)
	w.track("bob", "visit")
	w.clock.Advance(10 * time.Minute)

	n := w.redefined(pro, regulars, dormant, proBuyers)
	equal(t, "before the deployment", n.track("cy", "visit"), []string{})
	d := n.deploy(engine.DeployOptions{})
	if d.Users != 3 || d.Followed != 0 || d.Finished() {
		t.Errorf("deployed: got %+v, want 3 users who are to follow", d)
	}
	equal(t, "who does something first", n.track("bob", "visit"), []string{"entered regulars 1 suppressed"})
	equal(t, "who comes to match by it", n.track("cy", "visit"), []string{"entered regulars 1"})
	d = n.backfill()
	if !d.Finished() || d.Followed != 1 || d.Joined != 2 {
		t.Errorf("finished: got %+v, want one follower who joined two buckets", d)
	}
	equal(t, "ada", n.history("ada"), []string{"entered pro 1 suppressed", "entered pro-buyers 1 suppressed"})
	n.clock.Advance(bucket.Day)
	n.settle()
	equal(t, "bob", n.history("bob"), []string{"entered regulars 1 suppressed", "left regulars 1 by criteria", "entered dormant 1"})
	if again := n.deploy(engine.DeployOptions{}); again.No != d.No {
		t.Errorf("deploying the same again is deployment %d, want %d", again.No, d.No)
	}
}

// TestDeployRemakesWhatIsKept deploys conditions of every kind whose answers rest on what is kept
// beside the log, which no definition has kept so far.
func TestDeployRemakesWhatIsKept(t *testing.T) {
	t.Parallel()
	amount := purchase.Number("amount")
	definitions := []bucket.Definition{
		bucket.Define(bucket.Spec{ID: "ever", Criteria: purchase.AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "filtered", Criteria: purchase.Where(amount.MoreThan(10)).Within(bucket.Week).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "sum", Criteria: purchase.Within(bucket.Week).Sum(amount).AtLeast(35)}),
		bucket.Define(bucket.Spec{ID: "sum-ever", Criteria: purchase.Sum(amount).AtLeast(35)}),
		bucket.Define(bucket.Spec{ID: "distinct", Criteria: purchase.Within(bucket.Week).Distinct(amount).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "last", Criteria: amount.Of(purchase.Last()).Is(12)}),
		bucket.Define(bucket.Spec{ID: "ago", Criteria: purchase.Where(amount.MoreThan(10)).Ago(bucket.Week, bucket.Day).Exists()}),
		bucket.Define(bucket.Spec{ID: "sequence", Criteria: visit.ThenWithin(2*bucket.Day, purchase).Exists()}),
		bucket.Define(bucket.Spec{ID: "abandoned", Criteria: visit.ThenNot(purchase).Within(bucket.Hour).Exists()}),
	}
	play := func(w *world, from int) {
		for i := from; i < 6; i++ {
			w.ingest(engine.Event{UserID: "ada", Name: "purchase", Properties: map[string]any{"amount": 11 + i%3}})
			w.track("ada", "visit")
			w.clock.Advance(10 * time.Hour)
		}
	}
	live := newWorld(t, definitions...)
	play(live, 0)
	late := newWorld(t)
	for i := range 3 {
		late.ingest(engine.Event{UserID: "ada", Name: "purchase", Properties: map[string]any{"amount": 11 + i%3}})
		late.track("ada", "visit")
		late.clock.Advance(10 * time.Hour)
	}
	n := late.redefined(definitions...)
	n.deploy(engine.DeployOptions{})
	n.backfill()
	play(n, 3)
	for _, w := range []*world{live, n} {
		w.settle()
	}
	for at := range 12 {
		for _, d := range live.registry.Tables().Buckets {
			if want, got := live.has(d.ID, "ada"), n.has(d.ID, "ada"); got != want {
				t.Errorf("after %d days, in %s: got %t, want %t", at, d.ID, got, want)
			}
		}
		for _, w := range []*world{live, n} {
			w.clock.Advance(bucket.Day)
			w.settle()
		}
	}
	for _, table := range []string{"totals", "occurrences", "groups", "advances"} {
		if got, want := n.count("select count(*) from bucketgen."+table), live.count("select count(*) from bucketgen."+table); got != want {
			t.Errorf("%s has %d rows, want %d", table, got, want)
		}
	}
}

// TestDeployChangedBucket raises a threshold: plan says who would join and leave, and that is what
// happens. By default leaves are announced and joins are not.
func TestDeployChangedBucket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		emit engine.Emit
		want []string // of bob, who leaves, and cy, who joins
	}{
		{"", []string{"left p 1 by criteria", "entered p 1 suppressed"}},
		{engine.EmitSilent, []string{"left p 1 by criteria suppressed", "entered p 1 suppressed"}},
		{engine.EmitAll, []string{"left p 1 by criteria", "entered p 1"}},
	} {
		t.Run("emit "+string(tt.emit), func(t *testing.T) {
			t.Parallel()
			p := func(c bucket.Criteria) bucket.Definition { return bucket.Define(bucket.Spec{ID: "p", Criteria: c}) }
			w := newWorld(t, p(seats.AtLeast(10)), pro)
			for user, n := range map[string]int{"ada": 20, "bob": 12, "cy": 30, "dee": 2} {
				w.identify(user, map[string]any{"seats": n})
			}
			w.identify("cy", map[string]any{"seats": 5})
			w.identify("ada", map[string]any{"plan": "pro"})
			n := w.redefined(p(bucket.Any(seats.AtLeast(15), seats.Is(5))), pro)
			before, err := n.Plan(t.Context(), engine.PlanOptions{Emit: tt.emit})
			if err != nil {
				t.Fatal(err)
			}
			b := before.Buckets[0]
			if b.Status != engine.StatusChanged || b.Members != 2 || b.Joins.Count != 1 || b.Leaves.Count != 1 || !slices.Equal(b.Joining, []string{"cy"}) || !slices.Equal(b.Leaving, []string{"bob"}) {
				t.Errorf("plan: got %+v, want cy to join and bob to leave two members", b)
			}
			if diff := cmp.Diff([][]string{{"seats is at least 10", "every join is announced"}, {"any of:", "  seats is at least 15", "  seats is 5", "every join is announced"}}, [][]string{b.Was, b.Words}); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
			if u := before.Buckets[1]; u.Status != engine.StatusUnchanged || u.Joins.Count+u.Leaves.Count != 0 {
				t.Errorf("plan of a bucket that is the same: got %+v", u)
			}
			n.deploy(engine.DeployOptions{Emit: tt.emit})
			d := n.backfill()
			if d.Joined != b.Joins.Count || d.Left != b.Leaves.Count {
				t.Errorf("deployed: %d joined and %d left, want as planned", d.Joined, d.Left)
			}
			cy := n.history("cy")
			equal(t, "history", append(n.history("bob")[1:], cy[2:]...), []string{tt.want[0], "entered p 2" + tt.want[1][len("entered p 1"):]})
		})
	}
}

// TestTwoGenerations lets a process with the old definitions work beside one with the new ones: it
// leaves alone what changed, and the other evaluates the users that it writes.
func TestTwoGenerations(t *testing.T) {
	t.Parallel()
	p := func(n float64) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: "p", Criteria: seats.AtLeast(n)})
	}
	many := bucket.Define(bucket.Spec{ID: "many", Criteria: purchase.Where(purchase.Number("amount").AtLeast(5)).AtLeast(2)})
	w := newWorld(t, p(10), pro)
	w.identify("ada", map[string]any{"seats": 12})
	n := w.redefined(p(15), pro, many)
	n.deploy(engine.DeployOptions{})
	n.backfill()
	equal(t, "ada", n.history("ada"), []string{"entered p 1", "left p 1 by criteria"})

	equal(t, "what changed is left alone", w.identify("ada", map[string]any{"seats": 20}), []string{})
	equal(t, "what is the same is not", w.identify("ada", map[string]any{"plan": "pro"}), []string{"entered pro 1"})
	for range 2 {
		w.ingest(engine.Event{UserID: "ada", Name: "purchase", Properties: map[string]any{"amount": 7}})
	}
	n.settle()
	equal(t, "the other looks", n.history("ada")[2:], []string{"entered pro 1", "entered many 1", "entered p 2"})
	equal(t, "a new user of the old process", w.identify("bob", map[string]any{"seats": 30, "plan": "pro"}), []string{"entered pro 1"})
	n.settle()
	equal(t, "bob", n.history("bob"), []string{"entered pro 1", "entered p 1"})
	equal(t, "the old process settles nothing more", []string{itoa(w.settle())}, []string{"0"})
}

// TestRemoveAndRetire removes a bucket: its members stay until it is retired.
func TestRemoveAndRetire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	for i := range 3 {
		w.identify("u"+itoa(i), map[string]any{"plan": "pro"})
	}
	if _, err := w.Deployments().Retire(t.Context(), "pro", nil); err == nil || !strings.Contains(err.Error(), "it is deployed") {
		t.Errorf("retire what is deployed: got %v", err)
	}
	n := w.redefined(regulars)
	n.deploy(engine.DeployOptions{})
	n.backfill()
	equal(t, "what is removed", n.identify("u0", map[string]any{"plan": "free"}), []string{})
	equal(t, "members", []string{itoa(w.count("select count(*) from bucketgen.memberships where left_at is null"))}, []string{"3"})
	var seen []engine.Retirement
	r, err := n.Deployments().Retire(t.Context(), "pro", func(r engine.Retirement) { seen = append(seen, r) })
	if err != nil || r.Left != 3 || r.Members != 3 || len(seen) == 0 || seen[len(seen)-1] != r {
		t.Errorf("retire: got %+v, %v, after %+v; want 3 of 3", r, err, seen)
	}
	equal(t, "u1", w.history("u1"), []string{"entered pro 1", "left pro 1 by retired"})
	if _, err := n.Deployments().Retire(t.Context(), "nothing", nil); !errors.Is(err, engine.ErrUnknownBucket) {
		t.Errorf("retire what never was: got %v", err)
	}
}

// TestWhoRunsWhat lists the processes on a database, and what was ever deployed.
func TestWhoRunsWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	n := w.redefined(regulars, pro)
	running := func() []string {
		all, err := w.Deployments().Processes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range all {
			if p.Host == "" || p.PID == 0 || p.SeenAt.IsZero() {
				t.Errorf("got %+v, want a host and a process that was seen", p)
			}
			got = append(got, p.Fingerprint+" "+strconv.FormatBool(p.Deployed))
		}
		slices.Sort(got)
		return got
	}
	both := func(first, second bool) []string {
		all := []string{w.registry.Tables().Fingerprint + " " + strconv.FormatBool(first), n.registry.Tables().Fingerprint + " " + strconv.FormatBool(second)}
		slices.Sort(all)
		return all
	}
	eventually(t, func() bool { return slices.Equal(running(), both(true, false)) })
	n.deploy(engine.DeployOptions{})
	equal(t, "after the deployment", running(), both(false, true))
	stop(t, w.Engine)
	w.Engine = n.Engine
	equal(t, "after the end of the old process", running(), []string{n.registry.Tables().Fingerprint + " true"})
	definitions, err := n.Deployments().Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range definitions {
		got = append(got, d.BucketID+" since "+itoa(d.Since)+" "+strings.Join(d.Words, "; "))
	}
	equal(t, "definitions", got, []string{
		"pro since 1 plan is \"pro\"; every join is announced",
		"regulars since 2 visit at least 2 times in the last 1 hour; every join is announced",
	})
}
