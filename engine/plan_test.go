package engine_test

import (
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

// TestPlanWritesNothing counts every row of every table before and after.
func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.track("ada", "visit")
	rows := func() map[string]int {
		all := map[string]int{}
		tables, err := w.pool.Query(t.Context(), "select table_name from information_schema.tables where table_schema = 'bucketgen' and table_name <> 'processes'") // in which engines show themselves, whatever they do
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
		t.Errorf("evaluated %d users: got %+v, want about 334", p.Looked, joins)
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

// TestPlanKnowsWhoIsHeld plans a change by which a user would leave whom the minimal dwell keeps
// for now.
func TestPlanKnowsWhoIsHeld(t *testing.T) {
	t.Parallel()
	p := func(c bucket.Criteria) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: "p", Criteria: c, MinDwell: bucket.Day})
	}
	w := newWorld(t, p(plan.Is("pro")))
	w.identify("ada", map[string]any{"plan": "pro"})
	w.clock.Advance(23 * time.Hour)
	w.identify("bob", map[string]any{"plan": "pro"})
	w.identify("deleted", map[string]any{"plan": "pro"})
	must(t, w.Delete(t.Context(), "deleted"))
	w.clock.Advance(2 * time.Hour)
	n := w.redefined(p(plan.Is("team")))
	before, err := n.Plan(t.Context(), engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if b := before.Buckets[0]; b.Leaves.Count != 1 || b.Held.Count != 1 || !slices.Equal(b.Leaving, []string{"ada"}) {
		t.Errorf("plan: got %+v, want ada to leave and bob to be held", b)
	}
	if text := before.String(); !strings.Contains(text, "1 user would stay for the minimum dwell and then leave, unless they match again") {
		t.Errorf("the plan does not say who is held:\n%s", text)
	}
	must(t, w.Deployments().Pause(t.Context(), w.ref("p")))
	paused, err := n.Plan(t.Context(), engine.PlanOptions{})
	must(t, err)
	if held := paused.Buckets[0].Held.Count; held != 0 {
		t.Errorf("plan: %d users are held in a paused bucket, want 0: it keeps all of its members", held)
	}
	must(t, w.Deployments().Resume(t.Context(), w.ref("p")))
	n.deploy(engine.DeployOptions{})
	n.backfill()
	equal(t, "bob is held", n.history("bob"), []string{"entered p 1"})
	n.clock.Advance(bucket.Day)
	n.settle()
	equal(t, "bob", n.history("bob")[1:], []string{"left p 1 by criteria"})
}

// TestPreview previews the members of a bucket whose definition is deployed otherwise.
func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for i := range 7 {
		w.identify("u"+itoa(i), map[string]any{"plan": []string{"pro", "team", "team"}[i%3]})
	}
	n := w.redefined(bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("team")}))
	p, err := n.Deployments().Preview(t.Context(), n.ref("pro"), engine.PreviewOptions{Users: 2})
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != engine.StatusChanged || p.Now != 3 || p.Members.Count != 4 || p.Users != 7 || p.Looked != 7 || len(p.Some) != 2 {
		t.Errorf("got %+v, want 4 of 7 users where 3 are now", p)
	}
	equal(t, "words", p.Words, []string{"plan is \"team\"", "every join is announced"})
	if got := w.count("select count(*) from bucketgen.deployments"); got != 1 {
		t.Errorf("%d deployments, want none by the preview", got)
	}
}
