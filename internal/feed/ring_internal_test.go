package feed

import (
	"context"
	"log/slog"
	"testing"
	"time"
)

// TestRingKeepsTheLatestBatches publishes more than a feed keeps: a reader that has read the
// dropped batches gets the rest, one that has not must catch up.
func TestRingKeepsTheLatestBatches(t *testing.T) {
	t.Parallel()
	f := New(Deps{Log: slog.New(slog.DiscardHandler)})
	next := f.now.next
	for id := range int64(3) {
		f.publish(t.Context(), position{began: time.Now()}, &batch{entries: make([]logEntry, maxKept/2), to: snapshot{lastID: id}}, true)
	}
	select {
	case <-next:
	default:
		t.Error("a poll does not wake readers")
	}
	for no, want := range []int{-1, 2, 1, 0} {
		batches, now, kept := f.since(int64(no))
		if kept != (want >= 0) || kept && len(batches) != want || now.no != 3 {
			t.Errorf("since %d: got %d batches, %t, at %d; want %d at 3", no, len(batches), kept, now.no, want)
		}
	}
	f.publish(t.Context(), position{}, nil, true)
	if _, now, kept := f.since(3); !kept || now.no != 3 {
		t.Errorf("after a poll without news: got %t, at %d; want true, at 3", kept, now.no)
	}
	f.publish(t.Context(), position{}, nil, false)
	if _, now, kept := f.since(3); kept || now.no != 4 {
		t.Errorf("after an incomplete poll: got %t, at %d; want false, at 4", kept, now.no)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f.publish(ended, position{}, nil, false)
	if _, now, _ := f.since(4); now.no != 4 {
		t.Error("a connection that was given up publishes its poll")
	}
}
