package rollout

import (
	"testing"
	"time"
)

// TestRate derives the rate of events from two heartbeats.
func TestRate(t *testing.T) {
	t.Parallel()
	h, now := &Heartbeat{}, time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	if got := h.rate(500, now); got != 0 {
		t.Errorf("at the first heartbeat it is %v", got)
	}
	h.events, h.beat = 500, now
	if got := h.rate(1500, now.Add(10*time.Second)); got != 100 {
		t.Errorf("got %v, want 100 a second", got)
	}
}
