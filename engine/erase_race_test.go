package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestEraseBesideIngest erases and suppresses a user while 64 goroutines send events of them, and
// of others, to two engines. Each event is stored or suppressed, those that are sent after the
// erasure are suppressed, and no row of the user is left. In every other round the user is unknown
// at first.
func TestEraseBesideIngest(t *testing.T) {
	t.Parallel()
	pool, r := pgtest.New(t), registrytest.Build(t, pro, regulars, dormant)
	config := engine.Config{SuppressionSecret: secret, DeliveryPoll: 5 * time.Millisecond, ClockPoll: 5 * time.Millisecond, MaxBatch: 16}
	engines := []*engine.Engine{startEngine(t, pool, r, config, nil), startEngine(t, pool, r, config, nil)}
	w := &world{t: t, pool: pool}
	send := func(user string, i int) engine.Result {
		result, err := engines[i%2].Ingest(t.Context(), engine.Event{UserID: user, Name: "visit", Traits: map[string]any{"plan": "pro", "note": user}})
		if err != nil {
			t.Errorf("ingest: %v", err)
		}
		return result
	}
	for round := range 8 {
		user := fmt.Sprintf("gone%d-77", round)
		if round%2 == 0 {
			send(user, 0)
		}
		var group sync.WaitGroup
		var stored, suppressed atomic.Int64
		erased := make(chan struct{})
		for i := range 64 {
			group.Go(func() {
				for range 6 {
					if send(user, i).Suppressed {
						suppressed.Add(1)
					} else {
						stored.Add(1)
					}
					send("other"+itoa(i%8), i)
				}
				<-erased
				if !send(user, i).Suppressed {
					t.Errorf("an event was stored after the erasure")
				}
			})
		}
		group.Go(func() {
			defer close(erased)
			if _, err := engines[round%2].People().Erase(t.Context(), user, engine.EraseOptions{Suppress: true}); err != nil {
				t.Errorf("erase: %v", err)
			}
		})
		group.Wait()
		t.Logf("round %d: %d stored, %d suppressed", round, stored.Load(), suppressed.Load())
		for _, found := range w.traces(user) {
			if found != "hidings.user_id" {
				t.Errorf("round %d: %s has the user", round, found)
			}
		}
		equal(t, "contacts", w.count("select count(*) from bucketgen.contacts where user_id like 'gone%'"), 0)
	}
	w.checkNoOrphans(t)
}

// unless returns an error unless it is one of those expected.
func unless(err error, expected ...error) error {
	for _, e := range expected {
		err = ignore(err, e)
	}
	return err
}

// checkNoOrphans checks that every row of a user has its contact.
func (w *world) checkNoOrphans(t *testing.T) {
	t.Helper()
	for _, table := range growing {
		if table == "contacts" || table == "rollups" || table == "hidings" {
			continue
		}
		n := w.count("select count(*) from bucketgen." + table + " t where not exists (select from bucketgen.contacts c where c.id = t.contact_id)")
		if n > 0 {
			t.Errorf("%s has %d rows without a contact", table, n)
		}
	}
}

// TestEraseBesideEverything erases users again and again while others let the same users do things,
// merge them, delete and restore them, deploy, reconcile and take their deliveries, in two engines.
// All calls succeed, no row is left without its contact, and sizes are right in the end.
func TestEraseBesideEverything(t *testing.T) {
	t.Parallel()
	pool, r := pgtest.New(t), registrytest.Build(t, pro, regulars, dormant, testers)
	config := engine.Config{SuppressionSecret: secret, DeliveryPoll: 5 * time.Millisecond, ClockPoll: 5 * time.Millisecond, MaxBatch: 16}
	engines := []*engine.Engine{startEngine(t, pool, r, config, nil), startEngine(t, pool, r, config, nil)}
	ctx := t.Context()
	w := &world{t: t, pool: pool, registry: r, Engine: engines[0]}
	var done atomic.Bool
	var group, erasing sync.WaitGroup
	loop := func(name string, do func(i int) error) {
		group.Go(func() {
			for i := 0; !done.Load(); i++ {
				if err := do(i); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	user := func(i int) string { return "u" + itoa(i*7%12) }
	for g := range 4 {
		loop("ingest", func(i int) error {
			_, err := engines[g%2].Ingest(ctx, engine.Event{UserID: user(i + g), Name: "visit", Traits: map[string]any{"plan": []string{"pro", "free"}[i%2]}})
			return err
		})
	}
	loop("add", func(i int) error {
		_, err := engines[i%2].Add(ctx, w.manual("testers"), user(i))
		return unless(err, engine.ErrDeleted, engine.ErrNotDeployed, engine.ErrPaused)
	})
	loop("merge", func(i int) error {
		_, err := engines[i%2].Merge(ctx, user(i), user(i+1))
		return unless(err, engine.ErrDeleted, engine.ErrNotDeployed)
	})
	loop("delete and restore", func(i int) error {
		if err := engines[i%2].Delete(ctx, user(i)); err != nil {
			return err
		}
		_, err := engines[(i+1)%2].Restore(ctx, user(i))
		return err
	})
	loop("pause", func(int) error {
		if err := engines[0].Deployments().Pause(ctx, w.ref("regulars")); err != nil {
			return err
		}
		return engines[1].Deployments().Resume(ctx, w.ref("regulars"))
	})
	loop("reconcile", func(int) error {
		_, err := engines[1].Deployments().Reconcile(ctx, nil)
		return unless(err, engine.ErrNotDeployed)
	})
	for g := range 2 {
		erasing.Go(func() {
			for i := range 60 {
				_, err := engines[g].People().Erase(ctx, user(i+g*5), engine.EraseOptions{})
				if err := unless(err, engine.ErrUnknownUser); err != nil {
					t.Errorf("erase: %v", err)
				}
			}
		})
	}
	erasing.Wait()
	done.Store(true)
	group.Wait()
	w.checkNoOrphans(t)
	w.rollUpAll(t)
	for _, id := range []string{"pro", "regulars", "dormant", "testers"} {
		count, err := w.Count(ctx, w.ref(id))
		must(t, err)
		points := w.sizes(id, time.Now().Add(-time.Hour), time.Now(), engine.Hourly)
		equal(t, "size of "+id, points[len(points)-1].Members, count)
	}
}

// TestEraseBesideDelivery erases a user while a delivery of theirs is being made, which fails then,
// and another waits: neither is made again, and there is no dead letter (B4).
func TestEraseBesideDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	var calls atomic.Int64
	begun, erased := make(chan struct{}), make(chan struct{})
	e := w.start(engine.Config{NoClock: true, DeliveryPoll: time.Millisecond}, func(e *engine.Engine) {
		must(t, e.Forward(t.Context(), engine.Forwarder{
			Name: "crm", Subscriptions: []engine.Subscription{{Name: "crm", Kinds: []engine.Kind{engine.Entered, engine.Left}}}, MaxAttempts: 1,
			Func: func(_ context.Context, batch []engine.Delivery) ([]error, error) {
				if calls.Add(1) == 1 {
					close(begun)
					<-erased
				}
				return slices.Repeat([]error{errors.New("refused")}, len(batch)), nil
			},
		}))
	})
	for _, plan := range []string{"pro", "free"} {
		_, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Traits: map[string]any{"plan": plan}})
		must(t, err)
	}
	<-begun
	w.erase("ada")
	close(erased)
	_, err := e.Ingest(t.Context(), engine.Event{UserID: "bob", Traits: map[string]any{"plan": "pro"}})
	must(t, err)
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.deliveries where state = 'dead'") == 1 })
	equal(t, "dead letters", w.count("select count(*) from bucketgen.deliveries d join bucketgen.contacts c on c.id = d.contact_id where c.user_id = 'bob'"), 1)
	equal(t, "deliveries", w.count("select count(*) from bucketgen.deliveries"), 1)
	equal(t, "calls", int(calls.Load()), 2)
}
