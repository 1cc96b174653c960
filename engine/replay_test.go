package engine_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// visits yields one visit after another, as many as are taken, and calls each before it does.
func visits(each func(n int)) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		for n := 0; ; n++ {
			each(n)
			if !yield(engine.Event{UserID: "user-" + itoa(n%50), Name: "visit", OccurredAt: epoch.Add(time.Duration(n) * time.Second)}, nil) {
				return
			}
		}
	}
}

func TestReplayInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupted by the test")
	summary, err := w.Replay().Events(ctx, visits(func(n int) {
		if n == 2000 {
			cancel(interrupt)
		}
	}), engine.ReplayOptions{Refused: func(place int64, err error) { t.Errorf("event %d was refused: %v", place, err) }})
	if !errors.Is(err, interrupt) {
		t.Errorf("got %v, want %v", err, interrupt)
	}
	if summary.Refused != 0 || summary.Events > 2001 {
		t.Errorf("got %+v", summary)
	}
}

func TestReplayEndsWithTheFirstRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	_, err := w.Replay().Events(t.Context(), func(yield func(engine.Event, error) bool) {
		_ = yield(engine.Event{UserID: "ada", Name: "visit", OccurredAt: epoch}, nil) &&
			yield(engine.Event{UserID: "ada", Name: "visit"}, nil)
	}, engine.ReplayOptions{})
	var invalid *engine.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "event 2: occurred_at: is missing") {
		t.Errorf("got %v", err)
	}
}

func TestReplayEndsWithTheEngine(t *testing.T) {
	t.Parallel()
	e, err := engine.New(pgtest.New(t), registrytest.Build(t, regulars), engine.Config{NoClock: true, NoDelivery: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = e.Replay().Events(t.Context(), visits(func(n int) {
		if n == 100 {
			stop(t, e)
		}
	}), engine.ReplayOptions{})
	if !errors.Is(err, engine.ErrStopped) {
		t.Errorf("got %v, want %v", err, engine.ErrStopped)
	}
}
