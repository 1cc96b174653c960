package table_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestPastWindows evaluates on parts of a history, as they are read, and on all of it: what a part
// answers must be right, and its horizon never later than the exact one. What it does not answer it
// must be able to answer once more is read, as the store does it: from the earliest instant at
// which it was asked for, and further.
func TestPastWindows(t *testing.T) {
	t.Parallel()
	visit := bucket.Event("visit")
	const from, until = 9, 4
	windowed := visit.Ago(from*time.Microsecond, until*time.Microsecond)
	define := func(id string, c bucket.Criteria) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: id, Criteria: c})
	}
	r := registrytest.Build(t,
		define("at-least", windowed.AtLeast(2)), define("at-most", windowed.AtMost(1)), define("exactly", windowed.Exactly(1)),
		define("never", windowed.Never()), define("exists", windowed.Exists()))
	newest := r.Tables().Signals[0].Newest
	if newest != 2 || len(r.Tables().Signals) != 1 {
		t.Fatalf("%d signals that need %d instants, want 1 that needs 2", len(r.Tables().Signals), newest)
	}
	draw.Check(t, 10000, func(t *rapid.T) {
		var all []table.Instant
		for range rapid.IntRange(0, 14).Draw(t, "occurrences") {
			all = append(all, table.Instant(rapid.IntRange(1, 40).Draw(t, "at")))
		}
		slices.Sort(all)
		part := func(at table.Instant, later int) table.PastWindow {
			i, _ := slices.BinarySearch(all, at-until+1)
			first, last := max(0, i-newest), min(len(all), i+later)
			return table.PastWindow{At: slices.Clone(all[first:last]), Earlier: i-first == newest, Later: last-i == later}
		}
		b := table.BucketIndex(rapid.IntRange(0, len(r.Tables().Buckets)-1).Draw(t, "bucket"))
		now := table.Instant(rapid.IntRange(1, 45).Draw(t, "now"))
		at, later := table.Instant(rapid.IntRange(1, 45).Draw(t, "read for")), rapid.IntRange(1, 3).Draw(t, "later")
		full := r.Tables().NewFacts("ada").Complete()
		for _, at := range all {
			full.Add(table.Occurrence{Signal: 0, At: at})
		}
		want, _ := r.Tables().Evaluate(b, full, now)
		for range 6 {
			facts := r.Tables().NewFacts("ada")
			facts.SetPastWindow(0, 0, part(at, later))
			got, _ := r.Tables().Evaluate(b, facts, now)
			lacks := facts.Lacks()
			if len(lacks) > 0 {
				at, later = min(at, lacks[0].At), 2*later
				continue
			}
			if got.True != want.True || got.Until > want.Until || got.Until <= now {
				t.Fatalf("bucket %s at %d with %v of %v: got %v, want %v", r.Tables().Buckets[b].ID, now, part(at, later), all, got, want)
			}
			return
		}
		t.Fatalf("bucket %s at %d: %v of %v do not suffice", r.Tables().Buckets[b].ID, now, part(at, later), all)
	})
}

// TestAddToPastWindow adds late occurrences to a part of a history: those inside of it count, the
// others are found when they are read.
func TestAddToPastWindow(t *testing.T) {
	t.Parallel()
	visit := bucket.Event("visit")
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "a", Criteria: visit.Ago(10*time.Microsecond, 5*time.Microsecond).AtLeast(2)}))
	for _, test := range []struct {
		name  string
		late  table.Instant
		holds bool
		until table.Instant
	}{
		{"before the part", 7, false, 35},
		{"into the window", 12, true, 22},
		{"after the window", 18, false, 23}, // when it enters, and 15 is still there
		{"after the part", 31, false, 35},
	} {
		f := r.Tables().NewFacts("ada")
		f.SetPastWindow(0, 0, table.PastWindow{At: []table.Instant{8, 15, 30}, Earlier: true, Later: true})
		f.Add(table.Occurrence{Signal: 0, At: test.late})
		if got, lacking := r.Tables().Evaluate(0, f, 20); got != (table.Verdict{True: test.holds, Until: test.until}) || lacking {
			t.Errorf("%s: got %v, lacking %v, want %t until %d", test.name, got, f.Lacks(), test.holds, test.until)
		}
	}
}
