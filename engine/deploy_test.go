package engine_test

import (
	"context"
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

// redefined is the world as a process sees it that has other definitions. The engine that was there before goes on.
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
	d, err := w.Backfill(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// TestDeployNewBuckets deploys buckets to a database that knows users and what they did, but no buckets: whoever matches
// is in without a word, and from then on all is as ever.
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

// TestDeployRemakesWhatIsKept deploys conditions of every kind whose answers rest on what is kept beside the log, which
// nobody has kept so far.
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
		for _, d := range live.registry.Buckets {
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

// TestDeployChangedBucket raises a threshold: plan says who would join and leave, and that is what happens. By default
// leaves are announced and joins are not.
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

// TestPlanWritesNothing counts every row of every table before and after.
func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.track("ada", "visit")
	rows := func() map[string]int {
		all := map[string]int{}
		tables, err := w.pool.Query(t.Context(), "select table_name from information_schema.tables where table_schema = 'bucketgen'")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for tables.Next() {
			var name string
			if err := tables.Scan(&name); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		for _, name := range names {
			all[name] = w.count("select count(*) from bucketgen." + name)
		}
		return all
	}
	before := rows()
	other := registrytest.Build(t, regulars, dormant, bucket.Define(bucket.Spec{ID: "filtered", Criteria: purchase.Where(purchase.Number("amount").MoreThan(1)).Exists()}))
	e, err := engine.New(w.pool, other, engine.Config{Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Plan(t.Context(), engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range p.Buckets {
		got = append(got, b.ID+" "+string(b.Status))
	}
	equal(t, "plan", got, []string{"dormant new", "filtered new", "pro removed", "regulars new"})
	if diff := cmp.Diff(before, rows()); diff != "" {
		t.Errorf("rows (-before +after):\n%s", diff)
	}
}

// TestPlanBySample estimates a thousand users from a fifth of them.
func TestPlanBySample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var events []engine.Event
	for i := range 1000 {
		events = append(events, engine.Event{UserID: "u" + strconv.Itoa(i), Traits: map[string]any{"plan": []string{"pro", "free", "free"}[i%3]}})
	}
	ingestAll(t, w.Engine, events)
	p, err := w.redefined(pro).Plan(t.Context(), engine.PlanOptions{Sample: 0.2})
	if err != nil {
		t.Fatal(err)
	}
	joins := p.Buckets[0].Joins
	if p.Looked < 100 || p.Looked > 300 || joins.PlusMinus <= 0 || joins.Count-2*joins.PlusMinus > 334 || joins.Count+2*joins.PlusMinus < 334 {
		t.Errorf("looked at %d users: got %+v, want about 334", p.Looked, joins)
	}
}

// TestPauseAndResume stops a bucket and lets it go on.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	ticking := bucket.Define(bucket.Spec{ID: "ticking", Criteria: plan.Is("pro"), Dwell: []bucket.Tick{bucket.Every(bucket.Hour)}})
	w := newWorld(t, ticking, regulars, testers)
	old := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.identify("bob", map[string]any{"plan": "pro"})
	for _, id := range []string{"ticking", "testers"} {
		if err := w.Pause(t.Context(), w.ref(id)); err != nil {
			t.Fatal(err)
		}
	}
	result, err := old.Ingest(t.Context(), engine.Event{UserID: "cy", Traits: map[string]any{"plan": "pro"}})
	if err != nil || len(result.Transitions) != 0 {
		t.Errorf("another process lets a user join what is paused: got %v, %v", brief(result.Transitions), err)
	}
	equal(t, "bob", w.identify("bob", map[string]any{"plan": "free"}), []string{})
	if _, err := old.Add(t.Context(), w.manual("testers"), "ada"); !errors.Is(err, engine.ErrPaused) {
		t.Errorf("add to what is paused: got %v", err)
	}
	w.clock.Advance(150 * time.Minute)
	w.settle()
	equal(t, "ada, paused", w.history("ada"), []string{"entered ticking 1"})
	restarted := w.redefined(ticking, regulars, testers)
	equal(t, "after a restart", restarted.identify("dee", map[string]any{"plan": "pro"}), []string{})

	if err := w.Resume(t.Context(), w.ref("ticking")); err != nil {
		t.Fatal(err)
	}
	equal(t, "dee", w.track("dee", "visit"), []string{"entered ticking 1 suppressed"})
	w.backfill()
	equal(t, "ada", w.history("ada"), []string{"entered ticking 1", "dwell ticking 1 every-3600000#2"})
	equal(t, "bob", w.history("bob"), []string{"entered ticking 1", "left ticking 1 by criteria"})
	equal(t, "cy", w.history("cy"), []string{"entered ticking 1 suppressed"})
	w.clock.Advance(30 * time.Minute)
	w.settle()
	equal(t, "ada goes on", w.history("ada")[2:], []string{"dwell ticking 1 every-3600000#3"})
	if err := w.Resume(t.Context(), w.ref("ticking")); err != nil {
		t.Errorf("resume again: %v", err)
	}
}

// TestPausedDeliveriesWait pauses a bucket whose transitions are to be delivered.
func TestPausedDeliveriesWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	delivered := make(inbox, 10)
	handle := func(e *engine.Engine) {
		for _, id := range []string{"pro", "regulars"} {
			if err := e.OnEnter(w.ref(id), engine.EnterHandler{Name: id, Func: delivered.handle}); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop(t, w.start(engine.Config{NoClock: true, NoDelivery: true}, handle)) // so that deliveries are kept
	w.identify("ada", map[string]any{"plan": "pro"})
	if err := w.Pause(t.Context(), w.ref("pro")); err != nil {
		t.Fatal(err)
	}
	w.start(engine.Config{NoClock: true}, handle)
	w.track("bob", "visit")
	w.track("bob", "visit")
	if got := delivered.next(t); got.BucketID != "regulars" {
		t.Errorf("delivered %v first, want what is not paused", got)
	}
	equal(t, "waiting", []string{strconv.Itoa(w.count("select count(*) from bucketgen.deliveries d join bucketgen.buckets b on b.no = d.bucket_no where b.id = 'pro'"))}, []string{"1"})
	if err := w.Resume(t.Context(), w.ref("pro")); err != nil {
		t.Fatal(err)
	}
	if got := delivered.next(t); got.BucketID != "pro" {
		t.Errorf("delivered %v, want what was paused", got)
	}
}

// TestPauseStopsDeliveriesEverywhere pauses a bucket while another process has a delivery of it that failed, and is to be
// tried again.
func TestPauseStopsDeliveriesEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	delivered, failing := make(inbox, 10), make(chan struct{})
	w.start(engine.Config{NoClock: true}, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "pro", Func: func(ctx context.Context, tr engine.Transition) error {
			select {
			case <-failing:
				return delivered.handle(ctx, tr)
			default:
				close(failing)
				return errors.New("not yet")
			}
		}}))
		must(t, e.OnEnter(w.ref("regulars"), engine.EnterHandler{Name: "regulars", Func: delivered.handle}))
	})
	w.identify("ada", map[string]any{"plan": "pro"})
	<-failing
	must(t, w.Pause(t.Context(), w.ref("pro")))
	eventually(t, func() bool {
		return w.count("select count(*) from bucketgen.deliveries where leased_until is null") == 1
	})
	w.clock.Advance(bucket.Hour)
	w.track("bob", "visit")
	w.track("bob", "visit")
	if got := delivered.next(t); got.BucketID != "regulars" {
		t.Errorf("delivered %v, want what is not paused", got)
	}
	must(t, w.Resume(t.Context(), w.ref("pro")))
	if got := delivered.next(t); got.BucketID != "pro" {
		t.Errorf("delivered %v, want what was paused", got)
	}
}

// TestTwoGenerations lets a process with the old definitions work beside one with the new ones: it leaves alone what
// changed, and whom it touches the other looks at.
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
	if _, err := w.Retire(t.Context(), "pro"); err == nil || !strings.Contains(err.Error(), "it is deployed") {
		t.Errorf("retire what is deployed: got %v", err)
	}
	n := w.redefined(regulars)
	n.deploy(engine.DeployOptions{})
	n.backfill()
	equal(t, "what is removed", n.identify("u0", map[string]any{"plan": "free"}), []string{})
	equal(t, "members", []string{itoa(w.count("select count(*) from bucketgen.memberships where left_at is null"))}, []string{"3"})
	left, err := n.Retire(t.Context(), "pro")
	if err != nil || left != 3 {
		t.Errorf("retire: %d left, %v; want 3", left, err)
	}
	equal(t, "u1", w.history("u1"), []string{"entered pro 1", "left pro 1 by retired"})
	if _, err := n.Retire(t.Context(), "nothing"); !errors.Is(err, engine.ErrUnknownBucket) {
		t.Errorf("retire what never was: got %v", err)
	}
}

// TestPlanCountsReactions lets a handler wait for those who leave.
func TestPlanCountsReactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	stop(t, w.start(engine.Config{NoClock: true, NoDelivery: true}, func(e *engine.Engine) {
		must(t, e.OnLeave(w.ref("pro"), engine.LeaveHandler{Name: "win back", Func: make(inbox).handle}))
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "welcome", Func: make(inbox).handle}))
	}))
	for i := range 3 {
		w.identify("u"+itoa(i), map[string]any{"plan": []string{"pro", "pro", "team"}[i]})
	}
	n := w.redefined(bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("team")}))
	for emit, want := range map[engine.Emit][]int64{engine.EmitSilent: {0, 0}, engine.EmitLeaves: {0, 2}, engine.EmitAll: {1, 2}} {
		p, err := n.Plan(t.Context(), engine.PlanOptions{Emit: emit})
		if err != nil {
			t.Fatal(err)
		}
		got := []int64{}
		for _, r := range p.Buckets[0].Reactions {
			got = append(got, r.Emissions.Count)
		}
		equal(t, string(emit), got, want)
	}
	before := w.count("select count(*) from bucketgen.deliveries")
	n.deploy(engine.DeployOptions{Emit: engine.EmitAll})
	n.backfill()
	if got := w.count("select count(*) from bucketgen.deliveries") - before; got != 3 {
		t.Errorf("%d deliveries, want 3 as planned", got)
	}
}

// TestWhoRunsWhat lists the processes on a database, and what was ever deployed.
func TestWhoRunsWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	n := w.redefined(regulars, pro)
	running := func() []string {
		all, err := w.Processes(t.Context())
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
		all := []string{w.registry.Fingerprint + " " + strconv.FormatBool(first), n.registry.Fingerprint + " " + strconv.FormatBool(second)}
		slices.Sort(all)
		return all
	}
	eventually(t, func() bool { return slices.Equal(running(), both(true, false)) })
	n.deploy(engine.DeployOptions{})
	equal(t, "after the deployment", running(), both(false, true))
	stop(t, w.Engine)
	w.Engine = n.Engine
	equal(t, "after the end of the old process", running(), []string{n.registry.Fingerprint + " true"})
	definitions, err := n.Definitions(t.Context())
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
