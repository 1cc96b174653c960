package engine_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestForecast foretells what happens to users, and sees it happen as time passes.
func TestForecast(t *testing.T) {
	t.Parallel()
	lapsing := bucket.Define(bucket.Spec{ID: "lapsing", Criteria: bucket.All(bucket.InBucket("dormant"), bucket.Not(plan.Is("pro")))})
	stint := bucket.Define(bucket.Spec{
		ID: "stint", Criteria: visit.Within(3 * bucket.Day).AtLeast(1), MinDwell: 30 * bucket.Hour, MaxDwell: 2 * bucket.Day,
		Dwell: []bucket.Tick{bucket.After(5 * bucket.Hour), bucket.Every(20 * bucket.Hour)},
	})
	w := newWorld(t, pro, regulars, dormant, lapsing, stint, testers)
	rng := rand.New(rand.NewPCG(7, 8))
	until := epoch.AddDate(0, 0, 20)
	users := []string{"ada", "bob", "cyd", "..", "a/b"}
	for range 60 {
		user := users[rng.IntN(len(users))]
		switch rng.IntN(5) {
		case 0:
			w.identify(user, map[string]any{"plan": []string{"pro", "free"}[rng.IntN(2)]})
		case 1:
			add(t, w, user)
		default:
			w.track(user, "visit")
		}
		w.clock.Advance(time.Duration(rng.IntN(240)) * time.Minute)
		w.settle()
	}
	foretold := map[string][]engine.Transition{}
	total := 0
	for _, user := range users {
		f, err := w.Users().Forecast(t.Context(), user, engine.ForecastOptions{Until: until})
		must(t, err)
		if !f.CompleteUntil.IsZero() || f.UserID != user || !f.At.Equal(w.clock.Now()) || !f.Until.Equal(until) {
			t.Errorf("%s: got %+v", user, f)
		}
		stays, err := w.Users().Stays(t.Context(), user)
		must(t, err)
		in := []string{}
		for _, s := range stays {
			in = append(in, s.BucketID)
		}
		equal(t, "buckets of "+user, f.Buckets, in)
		foretold[user] = f.Transitions
		total += len(f.Transitions)
		quiet, err := w.Users().Forecast(t.Context(), user, engine.ForecastOptions{Until: until, NoTicks: true})
		must(t, err)
		equal(t, "without ticks", brief(quiet.Transitions), brief(slices.DeleteFunc(slices.Clone(f.Transitions), func(tr engine.Transition) bool { return tr.Kind == engine.Dwell })))
	}
	if total < 15 {
		t.Fatalf("only %d transitions are foretold", total)
	}
	since := w.count("select max(id) from bucketgen.transitions")
	for w.clock.Now().Before(until) {
		w.clock.Advance(min(time.Duration(1+rng.IntN(600))*time.Minute, until.Sub(w.clock.Now())))
		w.settle()
	}
	for _, user := range users {
		var happened []engine.Transition
		for tr, err := range w.History(t.Context(), user) {
			must(t, err)
			happened = append(happened, tr)
		}
		before := w.count("select count(*) from bucketgen.transitions t join bucketgen.contacts c on c.id = t.contact_id where c.user_id = $1 and t.id <= $2", user, since)
		happened = happened[before:]
		equal(t, "what happens to "+user, brief(happened), brief(foretold[user]))
		for i := range min(len(happened), len(foretold[user])) {
			equal(t, "when", foretold[user][i].At, happened[i].At)
		}
	}
}

// TestForecastWhatIf imagines events, and then lets them happen.
func TestForecastWhatIf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, dormant, proBuyers)
	w.track("ada", "visit")
	w.clock.Advance(time.Minute)
	later := w.clock.Now().Add(2 * time.Hour)
	o := engine.ForecastOptions{Until: w.clock.Now().AddDate(0, 0, 3), Events: []engine.Event{
		{Name: "visit"}, {Name: "purchase", Traits: map[string]any{"plan": "pro"}, OccurredAt: later}, {Name: "never seen", OccurredAt: later},
	}}
	f, err := w.Users().Forecast(t.Context(), "ada", o)
	must(t, err)
	alone, err := w.Users().Forecast(t.Context(), "ada", engine.ForecastOptions{Until: o.Until})
	must(t, err)
	equal(t, "alone", brief(alone.Transitions), []string{"entered dormant 1"})
	if n := w.count("select count(*) from bucketgen.events"); n != 1 {
		t.Errorf("the log has %d events, want the one that happened", n)
	}
	if n := w.count("select count(*) from bucketgen.event_names where name = 'never seen'"); n != 0 {
		t.Error("the name of an imagined event is stored")
	}
	got := w.track("ada", "visit")
	w.clock.Set(later)
	w.settle()
	got = append(got, w.ingest(engine.Event{UserID: "ada", Name: "purchase", Traits: map[string]any{"plan": "pro"}})...)
	for w.clock.Now().Before(o.Until) {
		w.clock.Advance(time.Hour)
		w.settle()
	}
	equal(t, "what happens", w.history("ada"), brief(f.Transitions))
	equal(t, "at once", got, []string{"entered regulars 1", "entered pro 1", "entered pro-buyers 1"})

	for name, test := range map[string]struct {
		user   string
		events []engine.Event
		want   error
		field  string
	}{
		"unknown": {"bob", nil, engine.ErrUnknownUser, ""},
		"past":    {"ada", []engine.Event{{Name: "visit", OccurredAt: epoch}}, nil, "at"},
		"beyond":  {"ada", []engine.Event{{Name: "visit", OccurredAt: w.clock.Now().AddDate(1, 0, 0)}}, nil, "at"},
		"order":   {"ada", []engine.Event{{Name: "visit", OccurredAt: w.clock.Now().Add(time.Hour)}, {Name: "visit"}}, nil, "at"},
		"nothing": {"ada", []engine.Event{{}}, nil, "name"},
	} {
		_, err := w.Users().Forecast(t.Context(), test.user, engine.ForecastOptions{Events: test.events})
		var invalid *engine.InvalidError
		if test.want != nil && !errors.Is(err, test.want) || test.field != "" && (!errors.As(err, &invalid) || invalid.Field != test.field) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	must(t, w.Delete(t.Context(), "ada"))
	if _, err := w.Users().Forecast(t.Context(), "ada", engine.ForecastOptions{}); !errors.Is(err, engine.ErrDeleted) {
		t.Errorf("deleted: got %v", err)
	}
}
