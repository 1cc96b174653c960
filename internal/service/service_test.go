package service_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
)

var errAway = errors.New("the database is away")

// sleep waits, and then until everything else in the bubble waits.
func sleep(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// since returns the time since the bubble began.
func since() time.Duration {
	return time.Since(time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC))
}

// run starts a loop in a bubble. The group must have ended when the bubble does, which is how
// synctest finds leaks.
func run(t *testing.T, l *service.Loop, f func(g *service.Group, log *strings.Builder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var g service.Group
		var out strings.Builder
		l.Component, l.Log = "test", slog.New(slog.NewTextHandler(&out, nil))
		g.Start(t.Context(), l)
		f(&g, &out)
		g.Stop()
		g.Wait()
	})
}

func TestLoopWaitsAsItsTurnSays(t *testing.T) {
	t.Parallel()
	var at []time.Duration
	l := &service.Loop{First: time.Second, Turn: func(context.Context) (time.Duration, error) {
		at = append(at, since())
		return time.Duration(len(at)) * time.Minute, nil
	}}
	run(t, l, func(*service.Group, *strings.Builder) {
		sleep(4 * time.Minute)
	})
	if want := []time.Duration{time.Second, time.Minute + time.Second, 3*time.Minute + time.Second}; !slices.Equal(at, want) {
		t.Errorf("got turns at %v, want %v", at, want)
	}
}

func TestWakeEndsTheWait(t *testing.T) {
	t.Parallel()
	turns := 0
	l := &service.Loop{First: service.Idle}
	l.Turn = func(context.Context) (time.Duration, error) {
		if turns++; turns == 2 {
			l.Wake() // during a turn: another follows
		}
		return service.Idle, nil
	}
	run(t, l, func(*service.Group, *strings.Builder) {
		for _, want := range []int{0, 1, 3} {
			sleep(time.Hour)
			if turns != want {
				t.Errorf("got %d turns, want %d", turns, want)
			}
			l.Wake()
		}
		sleep(time.Hour)
		if turns != 4 {
			t.Errorf("got %d turns at the end, want 4", turns)
		}
	})
}

func TestLoopBacksOff(t *testing.T) {
	t.Parallel()
	var at []time.Duration
	errs := 0
	l := &service.Loop{
		Backoff: retry.Backoff{Min: time.Second, Max: 4 * time.Second},
		Failed:  func(error) { errs++ },
		Turn: func(context.Context) (time.Duration, error) {
			if at = append(at, since()); len(at) == 5 {
				return time.Minute, nil
			}
			return 0, errAway
		},
	}
	run(t, l, func(_ *service.Group, log *strings.Builder) {
		sleep(72 * time.Second)
		for _, line := range []string{
			`level=ERROR msg="background work failed, retrying" component=test attempt=4 retry_in=4s reason="the database refuses writes; the log says why" error="the database is away"`,
			"attempt=1 retry_in=1s",
		} {
			if !strings.Contains(log.String(), line) {
				t.Errorf("logged %s\nwant %s", log, line)
			}
		}
	})
	if want := []int{0, 1, 3, 7, 11, 71, 72}; len(at) != len(want) {
		t.Errorf("got turns at %v, want %d", at, len(want))
	} else {
		for i, seconds := range want {
			if at[i] != time.Duration(seconds)*time.Second {
				t.Errorf("turn %d was at %s, want %d s", i, at[i], seconds)
			}
		}
	}
	if errs != 6 {
		t.Errorf("Failed was called %d times, want 6", errs)
	}
}

// TestProgressBeginsTheBackoffAnew works for a while in each fourth turn before it fails, as on a
// connection that is lost.
func TestProgressBeginsTheBackoffAnew(t *testing.T) {
	t.Parallel()
	turns := 0
	l := &service.Loop{}
	l.Turn = func(context.Context) (time.Duration, error) {
		if turns++; turns%4 == 0 {
			l.Progress()
		}
		return 0, errAway
	}
	run(t, l, func(_ *service.Group, log *strings.Builder) {
		sleep(110 * time.Millisecond) // waits of 5, 10, 20, and of 5, 10, 20, 40 ms
		first, later := strings.Count(log.String(), "attempt=1 retry_in=5ms"), strings.Count(log.String(), "attempt=4 retry_in=40ms")
		if turns != 8 || first != 3 || later != 1 {
			t.Errorf("got %d turns, %d first and %d fourth failures in a row; want 8, 3 and 1", turns, first, later)
		}
	})
}

func TestStopLetsTheTurnFinish(t *testing.T) {
	t.Parallel()
	var finished, last time.Duration
	l := &service.Loop{
		Turn: func(ctx context.Context) (time.Duration, error) {
			err := retry.Sleep(ctx, time.Minute)
			finished = since()
			return 0, err
		},
		Last: func(context.Context) error { last = since(); return nil },
	}
	run(t, l, func(g *service.Group, _ *strings.Builder) {
		sleep(time.Second)
		g.Stop()
		select {
		case <-l.Stopping():
		default:
			t.Error("the turn does not see that the loop stops")
		}
		g.Wait()
		if finished != time.Minute || last != time.Minute {
			t.Errorf("the turn ended after %s, Last was called after %s; want a minute", finished, last)
		}
	})
}

func TestStopInterruptsTheTurn(t *testing.T) {
	t.Parallel()
	var got error
	l := &service.Loop{Interrupt: true, Turn: func(ctx context.Context) (time.Duration, error) {
		got = retry.Sleep(ctx, time.Hour)
		return 0, got
	}}
	run(t, l, func(g *service.Group, log *strings.Builder) {
		sleep(time.Second)
		g.Stop()
		g.Wait()
		if since() != time.Second || !errors.Is(got, context.Canceled) || log.Len() > 0 {
			t.Errorf("the turn ended after %s with %v, logged %q; want it canceled after a second, unlogged", since(), got, log)
		}
	})
}

func TestTheContextEndsALoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var g service.Group
		g.Start(ctx, &service.Loop{
			Log:  slog.New(slog.DiscardHandler),
			Turn: func(ctx context.Context) (time.Duration, error) { <-ctx.Done(); return 0, ctx.Err() },
			Last: func(context.Context) error { t.Error("Last was called"); return nil },
		})
		g.Wait()
		g.Stop()
		g.Stop()
		g.Start(t.Context(), &service.Loop{Turn: func(context.Context) (time.Duration, error) {
			t.Error("a loop was started after Stop")
			return service.Idle, nil
		}})
		g.Wait()
	})
}
