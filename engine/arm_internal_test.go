package engine

import (
	"testing"

	"github.com/bucketgen/bucketgen/internal/outbox"
)

// TestArmsThatDoNotFitAreCounted lets more stays wait than there is room for.
func TestArmsThatDoNotFitAreCounted(t *testing.T) {
	t.Parallel()
	e := &Engine{outbox: outbox.New(outbox.Deps{})}
	a := &armer{engine: e, waiting: map[armed]bool{}, most: 2}
	e.armer = a
	for i, want := range []struct {
		stay armed
		fits bool
	}{{armed{1, 1}, true}, {armed{2, 1}, true}, {armed{3, 1}, false}, {armed{1, 1}, true}, {armed{1, 2}, false}} {
		if got := a.put(want.stay); got != want.fits {
			t.Errorf("stay %d: got %t, want %t", i, got, want.fits)
		}
	}
	if s := e.Stats(); s.Arming != 2 || s.Unarmed != 2 {
		t.Errorf("got %d waiting and %d dropped, want 2 and 2", s.Arming, s.Unarmed)
	}
	if p := a.take(); len(p.ContactIds) != 2 {
		t.Errorf("took %d, want 2", len(p.ContactIds))
	}
	if !a.put(armed{3, 1}) {
		t.Error("there is no room once they are taken")
	}
}
