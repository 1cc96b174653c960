package simulate_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestErase erases a user by a name from before a merge: all transitions of both are gone, and both
// names are those of new users, in their second life.
func TestErase(t *testing.T) {
	t.Parallel()
	seen := bucket.Define(bucket.Spec{ID: "seen", Criteria: bucket.Event("visit").Exists()})
	s := simulate.New(registrytest.Build(t, seen).Tables(), table.Instant(1), decide.Limits{})
	visit := func(user string) decide.Result {
		return s.Ingest(user, decide.Event{Kind: decide.Track, Name: "visit", Event: 0, OccurredAt: s.Now()})
	}
	for _, user := range []string{"anon", "ada", "grace"} {
		visit(user)
	}
	if _, err := s.Merge("anon", "ada"); err != nil {
		t.Fatal(err)
	}
	if !s.Erase("anon") || s.Erase("ada") {
		t.Error("want that the first call erases the user, and the second finds none")
	}
	if all := s.Transitions(); len(all) != 1 || all[0].User != "grace" {
		t.Errorf("got transitions %v, want that of grace", all)
	}
	for _, user := range []string{"anon", "ada"} {
		if made := visit(user).Transitions; len(made) != 1 || made[0].EntryCount != 1 || made[0].Life != 2 {
			t.Errorf("%s: got %+v, want the first stay of the second life", user, made)
		}
	}
}
