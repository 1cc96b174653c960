//go:build hatchet

package hatchet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestHatchetExpiry lets members' time run out, by timers alone and with the clock beside them:
// they leave once, and not before their deadline. How long after it says BenchmarkHatchetExpiry.
func TestHatchetExpiry(t *testing.T) {
	useHatchet(t)
	recent := bucket.Define(bucket.Spec{ID: "recent", Criteria: visit.Within(8 * bucket.Second).Exists(), FastExpiry: true})
	for _, tc := range []struct {
		name    string
		noClock bool
	}{
		{"timers alone", true},
		{"timers and clock", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("HATCHET_CLIENT_NAMESPACE", newNamespace())
			w := newWorld(t, recent)
			w.start(t, engine.Config{NoClock: tc.noClock}, Config{})
			users := []string{"ada", "bob", "cyd"}
			for _, user := range users {
				w.ingest(t, engine.Event{UserID: user, Name: "visit"})
			}
			// Bob stays longer: his first timer finds nothing to do, and another is started.
			time.AfterFunc(4*time.Second, func() {
				if _, err := w.Ingest(t.Context(), engine.Event{UserID: "bob", Name: "visit"}); err != nil {
					t.Error(err)
				}
			})
			eventually(t, 60*time.Second, "everybody has left", func() bool {
				return number(t, w.pool, "select count(*) from bucketgen.memberships where left_at is not null") == len(users)
			})
			for _, user := range users {
				if late := lateness(t, w, user); len(late) != 1 || late[0] < 0 {
					t.Errorf("%s left %v after the deadline, want it once and not before", user, late)
				}
			}
			var bob time.Duration
			if err := w.pool.QueryRow(t.Context(), `select m.left_at - m.entered_at from bucketgen.memberships m
				join bucketgen.contacts c on c.id = m.contact_id where c.user_id = 'bob'`).Scan(&bob); err != nil || bob < 12*time.Second {
				t.Errorf("bob stayed for %v, %v", bob, err)
			}
		})
	}
}

// lateness returns how long after a deadline a user left, each time.
func lateness(t testing.TB, w *world, user string) []time.Duration {
	t.Helper()
	var late []time.Duration
	for tr, err := range w.History(t.Context(), user) {
		if err != nil {
			t.Fatal(err)
		}
		if tr.Kind == engine.Left {
			late = append(late, tr.DecidedAt.Sub(tr.At))
		}
	}
	return late
}

// BenchmarkHatchetExpiry lets members' time run out, of one engine by timers alone and of another
// with the clock beside them, at the same time, and reports how long after their deadlines they
// leave. Who left before anything was warm does not count.
func BenchmarkHatchetExpiry(b *testing.B) {
	useHatchet(b)
	recent := bucket.Define(bucket.Spec{ID: "recent", Criteria: visit.Within(5 * bucket.Second).Exists(), FastExpiry: true})
	worlds, late := map[string]*world{}, map[string][]time.Duration{}
	for name, noClock := range map[string]bool{"timers": true, "timers-and-clock": false} {
		b.Setenv("HATCHET_CLIENT_NAMESPACE", newNamespace())
		worlds[name] = newWorld(b, recent)
		worlds[name].start(b, engine.Config{NoClock: noClock}, Config{})
	}
	const together = 10
	expire := func(turn int) {
		for i := range together {
			for _, w := range worlds {
				w.ingest(b, engine.Event{UserID: fmt.Sprintf("u%d-%d", turn, i), Name: "visit"})
			}
		}
		for name, w := range worlds {
			eventually(b, time.Minute, "everybody has left", func() bool {
				return number(b, w.pool, "select count(*) from bucketgen.memberships where left_at is null") == 0
			})
			for i := range together {
				late[name] = append(late[name], lateness(b, w, fmt.Sprintf("u%d-%d", turn, i))...)
			}
		}
	}
	expire(0)
	clear(late)
	for turn := 1; b.Loop(); turn++ {
		expire(turn)
	}
	for name, late := range late {
		slices.Sort(late)
		b.ReportMetric(late[len(late)/2].Seconds(), name+"-median-s")
		b.ReportMetric(late[len(late)-1].Seconds(), name+"-most-s")
	}
	b.ReportMetric(0, "ns/op")
}
