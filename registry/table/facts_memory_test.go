package table_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// recent is a memory of instants, by signal; all of them are remembered.
type recent map[table.SignalIndex][]table.Instant

func (m recent) AppendNewest(to []table.Dated, s table.SignalIndex) ([]table.Dated, bool) {
	for _, at := range m[s] {
		to = append(to, table.Dated{At: at})
	}
	return to, true
}

func (m recent) Total(s table.SignalIndex) (table.Total, bool) {
	total := table.NoTotal
	for _, at := range m[s] {
		total = total.With(table.Occurrence{Signal: s, At: at})
	}
	return total, true
}

func (m recent) Latest() table.Instant {
	latest := table.Unset
	for _, all := range m {
		for _, at := range all {
			latest = max(latest, at)
		}
	}
	return latest
}

// TestReusedFacts lets facts be those of one user after the other, and compares what they say with
// facts of each that are fresh: nothing may be left of the user before, and what was returned for
// good must stay what it was.
func TestReusedFacts(t *testing.T) {
	t.Parallel()
	plan, visit, login := bucket.Text("plan"), bucket.Event("visit"), bucket.Event("login")
	r := registrytest.Build(
		t,
		bucket.Define(bucket.Spec{ID: "changed", Criteria: plan.HasBeen("pro", bucket.Day)}),
		bucket.Define(bucket.Spec{ID: "ever", Criteria: visit.AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "other", Criteria: plan.Contains("free")}),
		bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")}),
		bucket.Define(bucket.Spec{ID: "login", Criteria: login.Within(bucket.Week).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "visit", Criteria: visit.Within(bucket.Week).AtLeast(2)}),
	)
	now := table.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	ago := func(days ...int) []table.Instant {
		var all []table.Instant
		for _, d := range days {
			all = append(all, now.Add(-time.Duration(d)*24*time.Hour))
		}
		return all
	}
	occur := func(name string) table.Occurrence {
		return r.Tables().Occurrences(nil, r.Tables().Event(name), now, nil)[0]
	}
	visits, logins := occur("visit").Signal, occur("login").Signal
	p, _ := r.Tables().Property("plan")
	type said struct {
		Verdicts []table.Verdict
		Newest   table.Instant
		Lacks    int
		Learnt   map[table.SignalIndex][]table.Dated
		Totals   map[table.SignalIndex]table.Total
	}
	use := func(f *table.Facts, plan string, memory recent) said {
		got := said{Learnt: map[table.SignalIndex][]table.Dated{}, Totals: map[table.SignalIndex]table.Total{}}
		if memory != nil {
			f.SetMemory(memory)
		}
		ask := func() {
			for b := range r.Tables().Buckets {
				verdict, _ := r.Tables().Evaluate(table.BucketIndex(b), f, now)
				got.Verdicts = append(got.Verdicts, verdict)
			}
			got.Newest = f.Newest()
		}
		ask()
		f.Add(occur("visit"))
		f.Add(occur("login"))
		if plan != "" {
			f.SetLastChange(table.LastChange{Property: p, Was: f.Property(p), At: now})
			f.SetProperty(p, table.Value{Kind: table.Text, Text: plan})
		}
		ask()
		got.Lacks = len(f.Lacks())
		learn := func(s table.SignalIndex, newest []table.Dated) { got.Learnt[s] = slices.Clone(newest) }
		f.Learn(learn, func(s table.SignalIndex, total table.Total) { got.Totals[s] = total })
		return got
	}
	reused := &table.Facts{}
	var values []table.Values
	users := []struct {
		plan   string
		memory recent
	}{
		{"pro", recent{visits: ago(1, 2, 9), logins: ago(1, 8)}},
		{"free", recent{logins: ago(3)}},
		{"", recent{visits: ago(30, 31, 32)}},
		{"pro", nil},
	}
	for i := range 3 * len(users) {
		user := users[i%len(users)]
		none := r.Tables().NewFacts("").Values()
		r.Tables().ReuseFacts(reused, "user", none)
		if diff := cmp.Diff(use(r.Tables().NewFactsWith("user", none), user.plan, user.memory), use(reused, user.plan, user.memory)); diff != "" {
			t.Errorf("user %d (-fresh +reused):\n%s", i, diff)
		}
		values = append(values, reused.Values())
	}
	for i, v := range values {
		plan := table.Value{}
		if text := users[i%len(users)].plan; text != "" {
			plan = table.Value{Kind: table.Text, Text: text}
		}
		if got := r.Tables().NewFactsWith("user", v).Property(p); !got.Equal(plan) && (got.Exists() || plan.Exists()) {
			t.Errorf("the plan of user %d is %v now, want %v", i, got, plan)
		}
	}
}
