package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
)

// everything returns all that is stored but for the times and places of rows.
func (w *world) everything() map[string]int {
	w.t.Helper()
	all := map[string]int{}
	for _, table := range []string{"contacts", "names", "identities", "events", "memberships", "transitions", "deliveries", "due", "changes", "occurrences", "totals"} {
		all[table] = w.count("select coalesce(bit_xor(hashtextextended(t::text, 0)), 0) from bucketgen." + table + " t")
	}
	return all
}

// TestPreviewMerge compares what a preview says with what the merge then does, and everything that
// is stored before the preview with what is stored after it.
func TestPreviewMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, dormant, proBuyers, testers)
	w.identify("anon", map[string]any{"plan": "pro", "seats": 3, "city": "Oslo"})
	w.track("anon", "visit")
	w.track("anon", "purchase")
	for _, user := range []string{"anon", "ada"} {
		if _, err := w.Add(t.Context(), w.manual("testers"), user); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
	}
	w.identify("ada", map[string]any{"seats": 5, "city": "Oslo"})
	w.track("ada", "visit")

	before := w.everything()
	p, err := w.Users().PreviewMerge(t.Context(), "anon", "ada")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		t.Errorf("the preview has changed what is stored (-before +after):\n%s", diff)
	}
	changes := map[string]bucketgen.StayChange{}
	for _, s := range p.Stays {
		changes[s.BucketID] = s.Change
		if s.FromEnds != (s.BucketID == "testers") {
			t.Errorf("the stay of anon in %s ends as merged: %t", s.BucketID, s.FromEnds)
		}
	}
	want := map[string]bucketgen.StayChange{
		"pro": bucketgen.StayMoves, "pro-buyers": bucketgen.StayMoves, "regulars": bucketgen.StayBegins, "testers": bucketgen.StayContinues,
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("stays (-want +got):\n%s", diff)
	}
	properties := []bucketgen.MergedProperty{
		{Name: "city", Value: []byte(`"Oslo"`)},
		{Name: "plan", Value: []byte(`"pro"`), Moved: true},
		{Name: "seats", Value: []byte(`5`), Lost: []byte(`3`)},
	}
	if diff := cmp.Diff(properties, p.Properties); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}

	moved := w.eventsOf("anon")
	made, err := w.Merge(t.Context(), "anon", "ada")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, p.Transitions, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("transitions (-merge +preview):\n%s", diff)
	}
	if int(p.Events) != moved || moved == 0 {
		t.Errorf("the preview has %d events, want %d", p.Events, moved)
	}
	w.compareMerged(p)
}

// eventsOf returns how many events a user has.
func (w *world) eventsOf(user string) int {
	return w.count("select count(*) from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id where c.user_id = '" + user + "'")
}

// compareMerged compares a preview with the user whom the merge left.
func (w *world) compareMerged(p bucketgen.MergePreview) {
	w.t.Helper()
	stays, err := w.Users().Stays(w.t.Context(), p.Into)
	if err != nil {
		w.t.Fatal(err)
	}
	foretold := map[string]bucketgen.MergedStay{}
	for _, s := range p.Stays {
		if s.Change != bucketgen.StayEnds {
			foretold[s.BucketID] = s
		}
	}
	for _, s := range stays {
		f, known := foretold[s.BucketID]
		if !known || !f.EnteredAt.Equal(s.EnteredAt) || f.EntryCount != s.EntryCount {
			w.t.Errorf("got the stay %+v, the preview has %+v", s, f)
		}
		delete(foretold, s.BucketID)
	}
	if len(foretold) > 0 {
		w.t.Errorf("the preview has further stays: %v", foretold)
	}
	u, err := w.Users().Get(w.t.Context(), p.Into)
	if err != nil {
		w.t.Fatal(err)
	}
	var got []bucketgen.MergedProperty
	for _, trait := range u.Traits {
		got = append(got, bucketgen.MergedProperty{Name: trait.Name, Value: trait.Value})
	}
	if diff := cmp.Diff(got, p.Properties, cmpopts.IgnoreFields(bucketgen.MergedProperty{}, "Lost", "Moved")); diff != "" {
		w.t.Errorf("properties (-merge +preview):\n%s", diff)
	}
}

// TestPreviewMergeOfUnknown previews merges of users who are unknown, are one already, or are
// deleted.
func TestPreviewMergeOfUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	w.track("a", "visit")
	p, err := w.Users().PreviewMerge(t.Context(), "a", "new")
	if err != nil || cmp.Diff([]string{"new"}, p.Created) != "" || p.Events != 1 {
		t.Errorf("into an unknown user: got %+v, %v", p, err)
	}
	if n := w.count("select count(*) from bucketgen.contacts where user_id = 'new'"); n != 0 {
		t.Error("the preview has created a user")
	}
	w.merge("a", "b")
	p, err = w.Users().PreviewMerge(t.Context(), "a", "b")
	if err != nil || p.From != p.Into || len(p.Stays)+len(p.Properties)+len(p.Transitions) > 0 {
		t.Errorf("of one user: got %+v, %v", p, err)
	}
	if err := w.Delete(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Users().PreviewMerge(t.Context(), "c", "b"); !errors.Is(err, engine.ErrDeleted) {
		t.Errorf("into a deleted user: got %v", err)
	}
}
