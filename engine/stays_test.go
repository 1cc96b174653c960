package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// TestStays asks where users are, where they were last, and what happened to them, page by page.
func TestStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, testers)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.clock.Advance(time.Minute)
	add(t, w, "ada")
	w.track("bob", "visit")
	w.track("bob", "visit")
	w.clock.Advance(2 * time.Hour)
	w.settle()
	got, err := w.Users().Stays(t.Context(), "ada")
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	equal(t, "the first", got[0].BucketID+" "+got[0].BucketName, "pro pro")
	equal(t, "its stay", got[0].Stay, engine.Stay{EntryCount: 1, EnteredAt: epoch, Source: engine.SourceEvent})
	equal(t, "the second", got[1].BucketID, "testers")
	equal(t, "its stay", got[1].Stay, engine.Stay{EntryCount: 1, EnteredAt: epoch.Add(time.Minute), Source: engine.SourceManual})
	for _, s := range got {
		for m, err := range w.Members(t.Context(), w.ref(s.BucketID)) {
			if err != nil || m.MembershipID != s.MembershipID {
				t.Errorf("got the stay %d, want that of the member %+v, %v", s.MembershipID, m, err)
			}
		}
	}
	nowhere, err := w.Users().Stays(t.Context(), "bob")
	if err != nil || nowhere == nil || len(nowhere) != 0 {
		t.Errorf("bob is in %v, %v; want none", nowhere, err)
	}

	stay, was, err := w.Users().LatestStay(t.Context(), w.ref("regulars"), "bob")
	want := engine.Stay{EntryCount: 1, EnteredAt: epoch.Add(time.Minute), LeftAt: epoch.Add(time.Minute + time.Hour), Source: engine.SourceEvent, Reason: engine.ReasonCriteria}
	if err != nil || !was {
		t.Errorf("got %t, %v", was, err)
	}
	equal(t, "bob's latest stay", stay, want)
	if _, was, err := w.Users().LatestStay(t.Context(), w.ref("pro"), "bob"); err != nil || was {
		t.Errorf("bob was never pro: got %t, %v", was, err)
	}
	w.track("bob", "visit")
	w.track("bob", "visit")
	stay, _, err = w.Users().LatestStay(t.Context(), w.ref("regulars"), "bob")
	if err != nil || stay.EntryCount != 2 || !stay.LeftAt.IsZero() {
		t.Errorf("got %+v, %v; want the second stay, which lasts", stay, err)
	}

	var paged []engine.Transition
	for after := int64(0); ; {
		page, next, err := w.HistoryPage(t.Context(), "bob", engine.Page{After: after, Size: 2})
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, page...)
		if after = next; next == 0 {
			break
		}
	}
	equal(t, "what happened to bob", brief(paged), w.history("bob"))
	equal(t, "how much", len(paged), 3)
}

// TestStaysOfNobody asks about users who are unknown, deleted, or cannot be.
func TestStaysOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("ada", map[string]any{"plan": "pro"})
	if err := w.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]error{"ada": engine.ErrDeleted, "eve": engine.ErrUnknownUser} {
		_, err := w.Users().Stays(t.Context(), user)
		_, _, latest := w.Users().LatestStay(t.Context(), w.ref("pro"), user)
		_, _, history := w.HistoryPage(t.Context(), user, engine.Page{Size: 10})
		for _, err := range []error{err, latest, history} {
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", user, err, want)
			}
		}
	}
	for _, user := range []string{"", "a\x00b", "\xff"} {
		if _, invalid := errors.AsType[*engine.InvalidError](func() error { _, err := w.Users().Stays(t.Context(), user); return err }()); !invalid {
			t.Errorf("%q is taken for a user", user)
		}
	}
}

// TestBuckets lists the buckets of a registry, and counts their members.
func TestBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, testers)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.identify("bob", map[string]any{"plan": "pro"})
	if err := w.Deployments().Pause(t.Context(), w.ref("testers")); err != nil {
		t.Fatal(err)
	}
	got, err := w.Buckets(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	equal(t, "pro", got[0], engine.Bucket{ID: "pro", Name: "pro", Fingerprint: w.registry.Tables().Buckets[0].Fingerprint, Words: []string{`plan is "pro"`, "every join is announced"}})
	if !got[1].Manual || !got[1].Paused || got[1].Other {
		t.Errorf("testers: got %+v, want a manual bucket that is paused", got[1])
	}
	counts, err := w.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "counts", counts, map[string]int64{"pro": 2, "testers": 0})
	other := w.redefined(regulars)
	got, err = other.Buckets(t.Context())
	if err != nil || len(got) != 1 || !got[0].Other {
		t.Errorf("what is not deployed: got %+v, %v", got, err)
	}
}
