package scheduler

import "testing"

// TestTimersThatDoNotFitAreCounted lets more stays wait than there is room for.
func TestTimersThatDoNotFitAreCounted(t *testing.T) {
	t.Parallel()
	dropped := 0
	a := NewTimers(nil, func(stays int) { dropped += stays }, nil)
	a.most = 2
	for i, want := range []struct {
		stay timedStay
		fits bool
	}{{timedStay{1, 1}, true}, {timedStay{2, 1}, true}, {timedStay{3, 1}, false}, {timedStay{1, 1}, true}, {timedStay{1, 2}, false}} {
		if got := a.put(want.stay); got != want.fits {
			t.Errorf("stay %d: got %t, want %t", i, got, want.fits)
		}
	}
	if a.Pending() != 2 || dropped != 2 {
		t.Errorf("got %d waiting and %d dropped, want 2 and 2", a.Pending(), dropped)
	}
	if p := a.take(); len(p.ContactIds) != 2 {
		t.Errorf("took %d, want 2", len(p.ContactIds))
	}
	if !a.put(timedStay{3, 1}) {
		t.Error("there is no room once they are taken")
	}
}
