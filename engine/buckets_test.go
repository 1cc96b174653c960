package engine_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

func (w *world) list(q engine.BucketQuery) engine.BucketPage {
	w.t.Helper()
	page, err := w.Inspect().Buckets(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return page
}

// TestKeptSizes lets users come, go, be deleted, restored and merged, while the log is added up at
// random moments by two engines. The list of buckets says the sizes that a count of members finds,
// and the sizes over time that the history has.
func TestKeptSizes(t *testing.T) {
	t.Parallel()
	short := bucket.Define(bucket.Spec{ID: "short", Criteria: visit.Within(bucket.Hour).AtLeast(1), MaxDwell: 45 * bucket.Minute})
	w := newWorld(t, regulars, short, testers)
	engines := []*engine.Engine{w.Engine, w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)}
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 500 {
		user, e := "u"+itoa(rng.IntN(30)), engines[rng.IntN(2)]
		var err error
		switch n := rng.IntN(40); {
		case n < 5:
			change := e.Add
			if n > 2 {
				change = e.Remove
			}
			if _, err = change(t.Context(), w.manual("testers"), user); errors.Is(err, engine.ErrDeleted) {
				err = nil
			}
		case n < 10:
			err = e.Delete(t.Context(), user)
		case n < 17:
			_, err = e.Restore(t.Context(), user)
		case n < 22:
			err = e.Clock().RollUp(t.Context())
		case n == 22:
			if _, err = e.Merge(t.Context(), user, "u"+itoa(rng.IntN(30))); errors.Is(err, engine.ErrDeleted) {
				err = nil
			}
		default:
			w.track(user, "visit")
		}
		if err != nil {
			t.Fatal(err)
		}
		if rng.IntN(3) == 0 {
			w.settle()
		}
		w.clock.Advance(time.Duration(rng.IntN(60*60*1000)) * time.Millisecond)
		if i%10 == 9 {
			compareList(t, w)
		}
	}
	w.rollUpAll(t)
	compareList(t, w)
	if n := w.count("select count(*) from bucketgen.size_changes"); n != 0 {
		t.Errorf("%d changes are not added up", n)
	}
	if n := w.count("select count(*) from bucketgen.sizes"); n != 3 {
		t.Errorf("the sizes of %d buckets are kept", n)
	}
}

// compareList compares the list of buckets with counts and with the histories of sizes.
func compareList(t *testing.T, w *world) {
	t.Helper()
	counts, err := w.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	day := w.clock.Now().Truncate(24 * time.Hour)
	page := w.list(engine.BucketQuery{})
	equal(t, "as of", page.AsOf, w.clock.Now())
	equal(t, "buckets", page.Total, len(counts))
	for _, row := range page.Rows {
		trend := []int64{}
		var today engine.SizePoint
		for _, today = range w.sizes(row.ID, day.AddDate(0, 0, -6), time.Time{}, engine.Daily) {
			trend = append(trend, today.Members)
		}
		equal(t, "members of "+row.ID, row.Members, counts[row.ID])
		equal(t, "trend of "+row.ID, row.Trend, trend)
		equal(t, "today in "+row.ID, row.Today, engine.Flow{Entered: today.Entered, Left: today.Left})
	}
}

// TestListBuckets lists buckets in each order, in pages, and by what they are.
func TestListBuckets(t *testing.T) {
	t.Parallel()
	named := func(id, name string) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: id, Name: name, Criteria: plan.Is(id)})
	}
	w := newWorld(t, named("a", "Zebra"), named("b", "yak"), named("c", "Ape"), testers, dormant)
	for user, plan := range map[string]string{"u1": "a", "u2": "a", "u3": "a", "u4": "b", "u5": "b", "u6": "c"} {
		w.identify(user, map[string]any{"plan": plan})
	}
	w.clock.Advance(24 * time.Hour)
	for _, user := range []string{"u1", "u4"} {
		w.identify(user, map[string]any{"plan": "c"})
	}
	manual, dynamic := true, false
	for _, test := range []struct {
		name  string
		query engine.BucketQuery
		want  []string
	}{
		{"by default", engine.BucketQuery{}, []string{"a", "b", "c", "dormant", "testers"}},
		{"by name", engine.BucketQuery{Sort: bucketgen.SortByName}, []string{"c", "dormant", "testers", "b", "a"}},
		{"largest first", engine.BucketQuery{Sort: bucketgen.SortBySize, Descending: true}, []string{"c", "a", "b", "testers", "dormant"}},
		{"by joins", engine.BucketQuery{Sort: bucketgen.SortByEntered}, []string{"a", "b", "dormant", "testers", "c"}},
		{"by leaves", engine.BucketQuery{Sort: bucketgen.SortByLeft, Descending: true}, []string{"b", "a", "testers", "dormant", "c"}},
		{"by a part of the id or name", engine.BucketQuery{Text: "AP"}, []string{"c"}},
		{"manual", engine.BucketQuery{Manual: &manual}, []string{"testers"}},
		{"with criteria", engine.BucketQuery{Manual: &dynamic, Text: "a"}, []string{"a", "b", "c", "dormant"}},
		{"live", engine.BucketQuery{State: bucketgen.BucketLive, Text: "d"}, []string{"dormant"}},
		{"paused", engine.BucketQuery{State: bucketgen.BucketPaused}, nil},
	} {
		var got, whole []string
		for _, row := range w.list(test.query).Rows {
			whole = append(whole, row.ID)
		}
		for q := test.query; ; { // one by one
			q.Size = 1
			page := w.list(q)
			equal(t, test.name+": total", page.Total, len(test.want))
			for _, row := range page.Rows {
				got = append(got, row.ID)
			}
			if q.After = page.Next; q.After == nil {
				break
			}
		}
		if !slices.Equal(whole, test.want) || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, and %v one by one, want %v", test.name, whole, got, test.want)
		}
	}
	rows := w.list(engine.BucketQuery{}).Rows
	equal(t, "trend of a", rows[0].Trend, []int64{0, 0, 0, 0, 0, 3, 2})
	equal(t, "today of a", rows[0].Today, engine.Flow{Left: 1})
	if rows[0].Timed || !rows[3].Timed || !rows[4].Timed {
		t.Errorf("only dormant and testers react to the clock; got %+v", rows)
	}
}

// TestBucketStates lists buckets that are paused, overdue, followed, differently defined and gone.
func TestBucketStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, dormant, testers)
	states := func(e *engine.Engine) map[string]bucketgen.BucketState {
		t.Helper()
		page, err := e.Inspect().Buckets(t.Context(), engine.BucketQuery{})
		must(t, err)
		all := map[string]bucketgen.BucketState{}
		for _, row := range page.Rows {
			all[row.ID] = row.State
		}
		return all
	}
	for _, user := range []string{"ada", "bob", "cyd"} {
		w.identify(user, map[string]any{"plan": "pro"})
		w.track(user, "visit")
	}
	w.clock.Advance(25 * time.Hour)
	must(t, w.Deployments().Pause(t.Context(), w.ref("pro")))
	got := w.list(engine.BucketQuery{})
	equal(t, "states", states(w.Engine), map[string]bucketgen.BucketState{"pro": "paused", "regulars": "live", "dormant": "live", "testers": "live"})
	equal(t, "overdue", got.Rows[0].Overdue, 3)
	s, err := w.Inspect().Summary(t.Context(), 0)
	must(t, err)
	lag, err := w.Clock().Overdue(t.Context())
	must(t, err)
	equal(t, "lag", s.ClockLagSeconds, lag.Seconds())
	if s.Overdue < 3 || s.Buckets != 4 || s.Paused != 1 || s.Other != 0 || !s.Agreed || s.Deployment == nil || s.Deployment.Kind != "pause" {
		t.Errorf("got %+v", s)
	}

	changed := bucket.Define(bucket.Spec{ID: "regulars", Criteria: visit.Exists()})
	other := *w
	other.registry = registrytest.Build(t, changed, dormant)
	other.Engine = other.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	equal(t, "before the deployment", states(other.Engine), map[string]bucketgen.BucketState{"pro": "gone", "regulars": "other", "dormant": "live"})
	_, err = other.Deploy(t.Context(), engine.DeployOptions{})
	must(t, err)
	page, err := other.Inspect().Buckets(t.Context(), engine.BucketQuery{State: bucketgen.BucketFollowing})
	must(t, err)
	if len(page.Rows) != 1 || page.Rows[0].ID != "regulars" || page.Rows[0].Followed != 0 {
		t.Errorf("after the deployment: got %+v", page.Rows)
	}
	_, err = other.Deployments().Backfill(t.Context(), nil)
	must(t, err)
	equal(t, "after the backfill", states(other.Engine), map[string]bucketgen.BucketState{"pro": "gone", "regulars": "live", "dormant": "live"})
	equal(t, "of the old program", states(w.Engine), map[string]bucketgen.BucketState{"pro": "paused", "regulars": "other", "dormant": "live", "testers": "other"})
	s, err = w.Inspect().Summary(t.Context(), 0)
	must(t, err)
	if s.Agreed || s.Other != 2 {
		t.Errorf("got %+v, want two buckets of which another definition is deployed, or none", s)
	}
	_, err = other.Deployments().Retire(t.Context(), "pro", nil)
	must(t, err)
	if _, there := states(other.Engine)["pro"]; there {
		t.Error("a bucket that is gone and empty is listed")
	}
}
