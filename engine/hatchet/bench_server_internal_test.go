//go:build hatchet

package hatchet

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// BenchmarkHatchetIngest takes events in while Hatchet is there and while it is not, in turns: of a
// hundred events one is a transition to push. It reports both rates, and what part of the first the
// second is.
func BenchmarkHatchetIngest(b *testing.B) {
	const (
		events  = 20_000 // of a turn
		callers = 64
	)
	useHatchet(b)
	there := newWorld(b, lapsed)
	there.start(b, engine.Config{}, Config{Events: []Event{Everything()}})
	b.Setenv("HATCHET_CLIENT_HOST_PORT", "127.0.0.1:1")
	away := newWorld(b, lapsed)
	away.start(b, engine.Config{}, Config{Events: []Event{Everything()}})

	var users [2]atomic.Int64
	turn := func(i int, w *world) time.Duration {
		start := time.Now()
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				for range events / callers {
					n := users[i].Add(1)
					ev := engine.Event{UserID: fmt.Sprintf("u%d", n%5000), Name: "visit"}
					if n%100 == 0 {
						ev.Traits = map[string]any{"plan": []string{"lapsed", "pro"}[n/5000%2]}
					}
					if _, err := w.Ingest(b.Context(), ev); err != nil {
						b.Error(err)
					}
				}
			})
		}
		group.Wait()
		return time.Since(start)
	}
	turn(0, there)
	turn(1, away)
	var spent [2]time.Duration
	turns := 0
	for b.Loop() {
		turns++
		if turns%2 == 0 { // who is second in a turn has what the first left to do beside it
			spent[0] += turn(0, there)
			spent[1] += turn(1, away)
		} else {
			spent[1] += turn(1, away)
			spent[0] += turn(0, there)
		}
	}
	rate := func(i int) float64 { return float64(turns) * events / spent[i].Seconds() }
	b.ReportMetric(rate(0), "there-events/s")
	b.ReportMetric(rate(1), "away-events/s")
	b.ReportMetric(rate(1)/rate(0), "away/there")
	b.ReportMetric(0, "ns/op")
	b.Logf("delivered while it was there: %d; waiting while it was away: %d", there.Stats().Delivered,
		number(b, away.pool, "select count(*) from bucketgen.deliveries"))
}
