package lookup_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/lookup"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

func isPro(user string) engine.Event {
	return engine.Event{UserID: user, Traits: map[string]any{"plan": "pro"}}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Config{})
	e := w.Engine
	l := w.lookup(e, lookup.Config{MaxStale: time.Hour}) // so that nothing but what is seen makes it forget
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"unknown", func() error { return nil }, []string{}},
		{"enter", func() error { w.ingest(e, isPro("ada")); return nil }, []string{"pro"}},
		{"suppressed or not", func() error {
			w.ingest(e, engine.Event{UserID: "ada", Name: "visit"}, engine.Event{UserID: "ada", Name: "visit"})
			return nil
		}, []string{"pro", "regulars"}},
		{"delete", func() error { return e.Delete(t.Context(), "ada") }, []string{}},
		{"restore", func() error { _, err := e.Restore(t.Context(), "ada"); return err }, []string{"pro", "regulars"}},
		{"clock", func() error { w.Advance(25 * time.Hour); return nil }, []string{"dormant", "pro"}},
		{"leave", func() error {
			w.ingest(e, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "free"}})
			return nil
		}, []string{"dormant"}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		eventually(t, func() bool {
			got, err := l.Buckets(t.Context(), "ada")
			return err == nil && slices.Equal(ids(got), step.want)
		})
		before := l.Stats()
		for _, id := range []string{"dormant", "pro", "regulars"} {
			if has, err := l.Has(t.Context(), w.ref(id), "ada"); err != nil || has != slices.Contains(step.want, id) {
				t.Errorf("%s: is she in %s? got %v, %v", step.name, id, has, err)
			}
		}
		if after := l.Stats(); after.Hits != before.Hits+3 || after.Misses != before.Misses || after.Fallbacks != 0 {
			t.Errorf("%s: got %+v after %+v, want three more hits", step.name, after, before)
		}
	}
}

func TestLookupOfMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Config{})
	e := w.Engine
	w.ingest(e, isPro("ada"), isPro("cyd"))
	if _, err := e.Add(t.Context(), registry.NewManualRef("testers", index(t, w, "testers")), "cyd"); err != nil {
		t.Fatal(err)
	}
	l := w.lookup(e, lookup.Config{})
	for _, fresh := range []bool{true, true, false} {
		if !fresh {
			if err := l.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool { return !l.Fresh() })
		}
		has, err := l.HasEach(t.Context(), w.ref("pro"), "ada", "bob", "cyd", "ada")
		if want := []bool{true, false, true, true}; err != nil || !slices.Equal(has, want) {
			t.Errorf("fresh is %v: got %v, %v, want %v", fresh, has, err, want)
		}
		all, err := l.BucketsEach(t.Context(), "cyd", "bob", "ada")
		if err != nil {
			t.Fatal(err)
		}
		var got [][]string
		for _, refs := range all {
			got = append(got, ids(refs))
		}
		if diff := cmp.Diff([][]string{{"pro", "testers"}, {}, {"pro"}}, got); diff != "" {
			t.Errorf("fresh is %v: -want +got\n%s", fresh, diff)
		}
	}
	if got := l.Stats(); got.Fallbacks != 7 || got.Users != 3 {
		t.Errorf("got %+v, want 7 users read and 3 remembered", got)
	}
}

// TestLookupOfTheMerged merges a user whom a lookup remembers into another whom it remembers. By
// the old name it asks the database: the feed names the new one.
func TestLookupOfTheMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Config{})
	e := w.Engine
	l := w.lookup(e, lookup.Config{})
	w.ingest(e, isPro("visitor"))
	is := func(guest, ada bool) {
		t.Helper()
		eventually(t, func() bool {
			has, err := l.HasEach(t.Context(), w.ref("pro"), "visitor", "ada")
			return err == nil && slices.Equal(has, []bool{guest, ada})
		})
	}
	is(true, false)
	if made, err := e.Merge(t.Context(), "visitor", "ada"); err != nil || len(made) > 0 {
		t.Fatalf("got %v, %v, want nothing to be announced", made, err)
	}
	is(true, true)
	w.ingest(e, engine.Event{UserID: "visitor", Traits: map[string]any{"plan": "free"}})
	is(false, false)
}

func index(t *testing.T, w *world, id string) table.BucketIndex {
	t.Helper()
	b, known := w.Registry.Tables().Bucket(id)
	if !known {
		t.Fatal("there is no bucket", id)
	}
	return b
}

// TestLookupIsBounded asks about more users than there is room for, known ones and others.
func TestLookupIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Config{})
	e := w.Engine
	for _, most := range []int{1, 10, 64, 1000} {
		l := w.lookup(e, lookup.Config{Users: most, MaxStale: time.Hour})
		users := make([]string, 3000)
		for i := range users {
			users[i] = "u" + strconv.Itoa(i)
		}
		if _, err := l.BucketsEach(t.Context(), users...); err != nil {
			t.Fatal(err)
		}
		if got := l.Stats().Users; got > most || got == 0 {
			t.Errorf("of %d users at most it remembers %d", most, got)
		}
		if _, err := l.Buckets(t.Context(), strings.Repeat("x", 300)); err != nil {
			t.Error(err)
		}
	}
}

// TestLookupKeepsWhoIsAskedFor lets many be asked about once, and one again and again.
func TestLookupKeepsWhoIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Config{})
	l := w.lookup(w.Engine, lookup.Config{Users: 200, MaxStale: time.Hour})
	misses := int64(0)
	for i := range 1000 {
		before := l.Stats().Misses
		if _, err := l.Buckets(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		misses += l.Stats().Misses - before
		if _, err := l.Buckets(t.Context(), "u"+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	if misses > 10 {
		t.Errorf("a user who is asked for all the time was evicted %d times", misses)
	}
}

// TestLookupDoesNotRestOnMessages makes a change without a notification, and no poll finds it: what
// is remembered does not count any more when it is too old. If a look comes in between, as an
// engine makes when it begins, or the user was not remembered, because the machine is slow, another
// lookup is asked about another user.
func TestLookupDoesNotRestOnMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Config{FeedPoll: time.Hour})
	e := w.Engine
	users := 0
	eventually(t, func() bool {
		l := w.lookup(e, lookup.Config{MaxStale: 20 * time.Millisecond})
		users++
		user := "u" + strconv.Itoa(users)
		if has, err := l.Has(t.Context(), w.ref("pro"), user); err != nil || has {
			t.Fatalf("got %v, %v", has, err)
		}
		remembered := l.Stats().Fallbacks == 0
		join(t, w, e, user, false)
		committed := time.Now()
		eventually(t, func() bool { return time.Since(committed) > 20*time.Millisecond })
		if has, err := l.Has(t.Context(), w.ref("pro"), user); err != nil || !has {
			t.Fatalf("got %v, %v, want what was committed", has, err)
		}
		return remembered && !l.Fresh() && l.Stats().Fallbacks > 0 // the database answers
	})
}

func TestLookupRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, engine.Config{})
	e := w.Engine
	for _, tc := range []struct {
		e      *engine.Engine
		config lookup.Config
		want   string
	}{
		{nil, lookup.Config{}, "the engine is nil"},
		{e, lookup.Config{Users: -1}, "Config.Users is -1"},
		{e, lookup.Config{MaxStale: -1}, "Config.MaxStale is -1ns"},
	} {
		if _, err := lookup.New(tc.e, tc.config); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
	l := w.lookup(e, lookup.Config{})
	for _, ref := range []registry.BucketRef{nil, registry.NewRef("nothing", 7)} {
		if _, err := l.Has(t.Context(), ref, "ada"); !errors.Is(err, engine.ErrUnknownBucket) {
			t.Errorf("%v: got %v", ref, err)
		}
	}
	if err := l.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "started before") {
		t.Errorf("started again: got %v", err)
	}
	idle, err := engine.New(w.Pool, w.Registry, engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	early, err := lookup.New(idle, lookup.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := early.Start(t.Context()); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("before the engine: got %v, want %v", err, engine.ErrStopped)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := early.Start(ended); err == nil {
		t.Error("with a context that has ended it starts")
	}
}

// TestLookupAllocatesNothing asks about a cached user.
func TestLookupAllocatesNothing(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	w := newWorld(t, engine.Config{})
	e := w.Engine
	w.ingest(e, isPro("ada"))
	l := w.lookup(e, lookup.Config{MaxStale: time.Hour})
	ref, ctx := w.ref("pro"), t.Context()
	manual := registry.NewManualRef("testers", index(t, w, "testers"))
	if _, err := l.Has(ctx, ref, "ada"); err != nil {
		t.Fatal(err)
	}
	hits := l.Stats().Hits
	allocated := testing.AllocsPerRun(1000, func() {
		in, _ := l.Has(ctx, ref, "ada")
		if out, _ := l.Has(ctx, manual, "ada"); !in || out {
			t.Error("wrong")
		}
	})
	if allocated != 0 || l.Stats().Hits-hits != 2002 {
		t.Errorf("got %v allocations and %d hits, want none, and 2002", allocated, l.Stats().Hits-hits)
	}
}
