//go:build hatchet

package hatchet

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestHatchetExpiry lets members' time run out, by timers alone and with the clock beside them: they leave within three
// seconds of their deadline, once.
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
			// Bob stays longer: his first timer finds nothing to do, and arms another.
			time.AfterFunc(4*time.Second, func() {
				if _, err := w.Ingest(t.Context(), engine.Event{UserID: "bob", Name: "visit"}); err != nil {
					t.Error(err)
				}
			})
			eventually(t, 60*time.Second, "everybody has left", func() bool {
				return number(t, w.pool, "select count(*) from bucketgen.memberships where left_at is not null") == len(users)
			})
			for _, user := range users {
				expiries(t, w, user)
			}
			var bob time.Duration
			if err := w.pool.QueryRow(t.Context(), `select m.left_at - m.entered_at from bucketgen.memberships m
				join bucketgen.contacts c on c.id = m.contact_id where c.user_id = 'bob'`).Scan(&bob); err != nil || bob < 12*time.Second {
				t.Errorf("bob stayed for %v, %v", bob, err)
			}
		})
	}
}

// expiries looks at how a user left.
func expiries(t *testing.T, w *world, user string) {
	t.Helper()
	left := 0
	for tr, err := range w.History(t.Context(), user) {
		if err != nil {
			t.Fatal(err)
		}
		if tr.Kind != engine.Left {
			continue
		}
		left++
		if late := tr.DecidedAt.Sub(tr.At); late < 0 || late > 3*time.Second {
			t.Errorf("%s left %v after the deadline", user, late)
		} else {
			t.Logf("%s left %v after the deadline", user, late)
		}
	}
	if left != 1 {
		t.Errorf("%s left %d times, want 1", user, left)
	}
}
