package server

import (
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
)

// TestLettersOfNotices checks that the list of dead letters says what a notice is about.
func TestLettersOfNotices(t *testing.T) {
	t.Parallel()
	ada, phone := engine.ID{Kind: engine.KindUser, Value: "ada"}, engine.ID{Kind: engine.KindAnonymous, Value: "phone"}
	var out strings.Builder
	err := printLetters(&out, []letter{
		{ID: 1, Transition: engine.Transition{Kind: engine.Merged}, Notice: &engine.Notice{From: &phone, Into: &ada}},
		{ID: 2, Transition: engine.Transition{Kind: engine.Erased}, Notice: &engine.Notice{IDs: []engine.ID{ada, phone}}},
		{ID: 3, Transition: engine.Transition{Kind: engine.Entered, BucketID: "pro", UserID: "ada"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"anonymous:phone → ada  person:merged", "ada, anonymous:phone   person:erased", "ada                    bucket:entered:pro"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}
