package enginetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

var (
	visit = bucket.Event("visit")
	greet = bucket.Event("greet")

	visitors = bucket.Define(bucket.Spec{ID: "visitors", Criteria: visit.Within(bucket.Hour).AtLeast(1)})
	greeted  = bucket.Define(bucket.Spec{ID: "greeted", Criteria: greet.Exists()})
)

// notes are what handlers were called for.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, what)
}

func (n *notes) equal(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if diff := cmp.Diff(want, n.all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	n.all = nil
}

// TestSettle waits for what handlers cause by events of their own, and for nothing that is tried
// again later.
func TestSettle(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, visitors, greeted)
	in, then := registrytest.Ref(t, r, "visitors"), registrytest.Ref(t, r, "greeted")
	var heard notes
	away := true
	var e *engine.Engine
	w := enginetest.New(t, pgtest.New(t), r, enginetest.Options{Prepare: func(made *engine.Engine) error {
		e = made
		return errors.Join(
			e.OnEnter(in, engine.EnterHandler{Name: "greet", Func: func(ctx context.Context, tr engine.Transition) error {
				heard.add("entered " + tr.UserID)
				_, err := e.Ingest(ctx, engine.Event{UserID: tr.UserID, Name: "greet"})
				return err
			}}),
			e.OnEnter(then, engine.EnterHandler{Name: "note", Func: func(_ context.Context, tr engine.Transition) error {
				heard.add("greeted " + tr.UserID)
				return nil
			}}),
			e.OnLeave(in, engine.LeaveHandler{Name: "miss", Func: func(_ context.Context, tr engine.Transition) error {
				if away {
					heard.add("away")
					return engine.RetryAfter(time.Minute, errors.New("away"))
				}
				heard.add("left " + tr.UserID)
				return nil
			}}),
		)
	}})
	ingest(t, w, "ada")
	w.Settle()
	heard.equal(t, "entered ada", "greeted ada")
	w.Advance(bucket.Hour)
	heard.equal(t, "away")
	away = false
	w.Settle() // the second attempt is due in a minute
	heard.equal(t)
	w.Advance(time.Minute)
	heard.equal(t, "left ada")
}

// TestStart runs two engines in one world.
func TestStart(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, visitors)
	w := enginetest.New(t, pgtest.New(t), r, enginetest.Options{Config: engine.Config{NoDelivery: true}})
	var heard notes
	w.Start(engine.Config{NoClock: true}, func(e *engine.Engine) error {
		return e.OnLeave(registrytest.Ref(t, r, "visitors"), engine.LeaveHandler{Name: "miss", Func: func(_ context.Context, tr engine.Transition) error {
			heard.add("left " + tr.UserID + " at " + tr.At.Format(time.TimeOnly))
			return nil
		}})
	})
	ingest(t, w, "ada")
	w.Advance(2 * bucket.Hour)
	heard.equal(t, "left ada at 01:00:00")
}

func ingest(t *testing.T, w *enginetest.World, user string) {
	t.Helper()
	if _, err := w.Ingest(t.Context(), engine.Event{UserID: user, Name: "visit"}); err != nil {
		t.Fatal(err)
	}
}
