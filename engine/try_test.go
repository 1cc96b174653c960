package engine_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bucketgen/bucketgen/engine"
)

// TestTry tries events of several users, known and unknown, at random, and compares what each try
// says with what the event then does. Tries change nothing that is stored.
func TestTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, dormant, proBuyers, testers)
	draw := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		w.clock.Advance(time.Duration(draw.IntN(50)) * time.Minute)
		ev := engine.Event{UserID: []string{"ada", "bob", "carl"}[draw.IntN(3)]}
		switch draw.IntN(3) {
		case 0:
			ev.Traits = map[string]any{"plan": []string{"pro", "free"}[draw.IntN(2)]}
		case 1:
			ev.Name = "visit"
		default:
			ev.Name = "purchase"
		}
		before := w.everything()
		tried, err := w.Users().Try(t.Context(), ev)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, w.everything()); diff != "" {
			t.Fatalf("the try has changed what is stored (-before +after):\n%s", diff)
		}
		r, err := w.Ingest(t.Context(), ev)
		if err != nil {
			t.Fatal(err)
		}
		made := slices.DeleteFunc(slices.Clone(r.Transitions), func(tr engine.Transition) bool { return tr.At.Before(tried.At) })
		if diff := cmp.Diff(made, tried.Transitions, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("transitions (-event +try):\n%s", diff)
		}
		for _, tr := range made {
			i := slices.IndexFunc(tried.Evaluated, func(b engine.TriedBucket) bool { return b.BucketID == tr.BucketID })
			if i < 0 {
				t.Fatalf("%s is not among the candidates %+v", tr.BucketID, tried.Evaluated)
			}
			if b := tried.Evaluated[i]; tr.Kind == engine.Entered && (b.Before || !b.After || len(b.Flips) == 0) {
				t.Errorf("%s is entered, and the try says %+v", tr.BucketID, b)
			}
		}
		w.compareTried(tried)
	}
}

// compareTried compares what a try said with the user after the event.
func (w *world) compareTried(tried engine.TryResult) {
	w.t.Helper()
	stays, err := w.Users().Stays(w.t.Context(), tried.UserID)
	if err != nil {
		w.t.Fatal(err)
	}
	buckets := make([]string, len(stays))
	for i, s := range stays {
		buckets[i] = s.BucketID
	}
	if diff := cmp.Diff(buckets, tried.Buckets, cmpopts.EquateEmpty()); diff != "" {
		w.t.Fatalf("buckets (-event +try):\n%s", diff)
	}
	f, err := w.Users().Forecast(w.t.Context(), tried.UserID, engine.ForecastOptions{NoTicks: true})
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(f.Transitions, tried.Next, cmpopts.EquateEmpty()); diff != "" {
		w.t.Fatalf("what is next (-forecast +try):\n%s", diff)
	}
	for _, b := range tried.Evaluated {
		x, err := w.Explain(w.t.Context(), w.ref(b.BucketID), tried.UserID)
		if err != nil {
			w.t.Fatal(err)
		}
		if x.Criteria != nil && x.Criteria.Holds != b.After {
			w.t.Fatalf("the criteria of %s holds: %t, the try says %t", b.BucketID, x.Criteria.Holds, b.After)
		}
	}
}

// TestTryRefused tries events that Ingest refuses.
func TestTryRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	var invalid *engine.InvalidError
	if _, err := w.Users().Try(t.Context(), engine.Event{UserID: "ada"}); !errors.As(err, &invalid) || invalid.Field != "name" {
		t.Errorf("without a name and traits: got %v", err)
	}
	if _, err := w.Users().Try(t.Context(), engine.Event{UserID: "ada", Name: strings.Repeat("x", 1000)}); !errors.As(err, &invalid) {
		t.Errorf("with a name that is too long: got %v", err)
	}
	w.track("ada", "visit")
	if err := w.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Users().Try(t.Context(), engine.Event{UserID: "ada", Name: "visit"}); !errors.Is(err, engine.ErrDeleted) {
		t.Errorf("of a deleted user: got %v", err)
	}
}
