//go:build hatchet

package hatchet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestHatchetReaction runs a reaction that sleeps, longer than its worker lives.
func TestHatchetReaction(t *testing.T) {
	useHatchet(t)
	w := newWorld(t, lapsed)
	const sleep = 9 * time.Second
	began, woke := make(chan engine.Transition, 100), make(chan engine.Transition, 100)
	task := Task{Name: "win-back", FirstOnly: true, Func: func(ctx DurableContext, tr engine.Transition) error {
		began <- tr
		if _, err := ctx.SleepFor(sleep); err != nil {
			return err
		}
		woke <- tr
		return nil
	}}
	config := Config{Reactions: []Reaction{OnEnter(w.ref(t, "lapsed"), task)}}
	w.start(t, engine.Config{}, config)
	start := time.Now()
	w.ingest(t, plans("ada", "lapsed"))
	first := waitfor.Next(t, began)
	w.stop(t)

	w.start(t, engine.Config{}, config)
	second := waitfor.Next(t, woke)
	if slept := time.Since(start); slept < sleep {
		t.Errorf("it woke after %v, want %v at least", slept, sleep)
	}
	if diff := cmp.Diff(first, second); diff != "" || first.Key() != "bucket:lapsed:ada:entered:1" {
		t.Errorf("key %q; the transition changed: -before +after\n%s", first.Key(), diff)
	}

	// A second stay is none that the task is for, and bob's is.
	w.ingest(t, plans("ada", "pro"), plans("ada", "lapsed"), plans("bob", "lapsed"))
	for user := ""; user != "bob"; {
		tr := waitfor.Next(t, woke)
		if user = tr.UserID; tr.EntryCount != 1 {
			t.Errorf("it ran for %s", tr.Key())
		}
	}
}
