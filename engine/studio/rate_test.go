//go:build studio

package studio_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// traffic counts what browsers ask Studio for.
type traffic struct {
	requests atomic.Int64
	streams  atomic.Int64 // streams are those that are open.
	users    atomic.Int64 // users are those who were made by rate.
}

// counted counts the requests that a handler answers.
func (t *traffic) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.requests.Add(1)
		if strings.HasSuffix(r.URL.Path, "/v1/stream") {
			t.streams.Add(1)
			defer t.streams.Add(-1)
		}
		next.ServeHTTP(w, r)
	})
}

// rate makes transitions at a rate for some seconds: each of a new user who enters a bucket. It
// returns how many there were and how many seconds that took.
func (w *world) rate(ctx context.Context, perSecond, seconds int) (made int, took float64, err error) {
	const batches = 10 // a second
	began := time.Now()
	for i := range seconds * batches {
		events := make([]engine.Event, perSecond/batches)
		for j := range events {
			events[j] = engine.Event{UserID: fmt.Sprintf("rate-%d", w.traffic.users.Add(1)), Name: "signed_up"}
		}
		if _, err := w.engine.IngestBatch(ctx, events); err != nil {
			return made, 0, err
		}
		made += len(events)
		select {
		case <-time.After(time.Until(began.Add(time.Duration(i+1) * time.Second / batches))):
		case <-ctx.Done():
			return made, 0, ctx.Err()
		}
	}
	return made, time.Since(began).Seconds(), nil
}
