package outbox

import (
	"testing"
	"time"
)

// TestLeaseIsCheckedBeforeTheCall has deliveries that wait in a process that was held up for longer
// than their leases: they are not made, and go back.
func TestLeaseIsCheckedBeforeTheCall(t *testing.T) {
	t.Parallel()
	for name, forwarder := range map[string]*Forwarder{"handlers": nil, "a forwarder": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &Dispatcher{deps: &Deps{}, forwarder: forwarder, size: 10}
			over, good := &delivery{until: time.Now().Add(-time.Nanosecond)}, &delivery{until: time.Now().Add(time.Hour)}
			c.queue = []*delivery{over, good}
			batch := c.begin()
			if len(batch) != 1 || batch[0] != good || !good.begun {
				t.Errorf("begun: got %v, want the delivery whose lease lasts", batch)
			}
			if len(c.finished) != 1 || c.finished[0] != over || !over.back || over.begun {
				t.Errorf("finished: got %v, want that the other goes back", c.finished)
			}
		})
	}
}

// TestReachFollowsWhatIsTaken checks how much a claim reads after one that found heads and what is
// behind them.
func TestReachFollowsWhatIsTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, found, heads, want int }{
		"all were heads":                       {before: maxClaim, found: 10, heads: 10, want: maxClaim},
		"all were heads of what was allowed":   {before: 172, found: 172, heads: 172, want: 197},
		"few were wanted of what was allowed":  {before: 172, found: 5, heads: 5, want: 172},
		"some were behind":                     {before: maxClaim, found: 256, heads: 150, want: 172},
		"nearly all were behind a single head": {before: 172, found: 172, heads: 1, want: maxClaim},
		"none was a head":                      {before: 40, found: 40, heads: 0, want: maxClaim},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := reach(c.before, c.found, c.heads); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
