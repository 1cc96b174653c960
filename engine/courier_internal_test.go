package engine

import (
	"testing"
	"time"
)

// TestLeaseIsCheckedBeforeTheCall has deliveries that wait in a process that was held up for longer than their leases: they are not
// made, and go back.
func TestLeaseIsCheckedBeforeTheCall(t *testing.T) {
	t.Parallel()
	for name, forwarder := range map[string]*Forwarder{"handlers": nil, "a forwarder": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &courier{engine: &Engine{}, forwarder: forwarder, size: 10}
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
