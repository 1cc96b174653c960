package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/retry"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, test := range []struct {
		name    string
		backoff retry.Backoff
		want    []time.Duration
	}{
		{"zero", retry.Backoff{}, []time.Duration{5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, 1000 * ms, 1000 * ms}},
		{"bounds", retry.Backoff{Min: 2 * ms, Max: 7 * ms}, []time.Duration{2 * ms, 4 * ms, 7 * ms, 7 * ms}},
		{"a minimum beyond the default maximum", retry.Backoff{Min: time.Minute}, []time.Duration{time.Minute, time.Minute}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := test.backoff
			for range 2 { // Reset begins anew
				var got []time.Duration
				for range test.want {
					if peek, next := b.Peek(), b.Next(); peek != next {
						t.Errorf("Peek said %s, Next %s", peek, next)
					} else {
						got = append(got, next)
					}
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("got %v, want %v", got, test.want)
				}
				b.Reset()
			}
		})
	}
}

func TestJitter(t *testing.T) {
	t.Parallel()
	b := retry.Backoff{Min: time.Second, Jitter: true}
	seen := map[time.Duration]bool{}
	for range 50 {
		wait := b.Next()
		if wait < time.Second || wait > time.Second+time.Second/4 {
			t.Fatalf("got %s, want 1 s and up to a quarter more", wait)
		}
		seen[wait] = true
	}
	if len(seen) == 1 {
		t.Error("got the same wait 50 times")
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := retry.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %s, want the deadline after 1 s", err, time.Since(began))
		}
		if err := retry.Sleep(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour+time.Second {
			t.Errorf("got %v after %s, want nil after an hour more", err, time.Since(began))
		}
	})
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	locked := &pgconn.PgError{Code: "55P03"}
	away := fmt.Errorf("write: %w", io.ErrUnexpectedEOF)
	unknown := errors.New("cannot encode")
	for _, test := range []struct {
		name  string
		err   error
		stops int // the attempt from which on the engine stops; 0: never
		count int // of failures until it is given up; 0: never, within a minute
		is    error
		lines string // a part of what is logged
	}{
		{"a refusal", bucketgen.ErrDeleted, 0, 1, bucketgen.ErrDeleted, ""},
		{"a lock is waited for", locked, 0, 0, nil, "level=DEBUG"},
		{"a connection that is lost", away, 0, 0, nil, `level=WARN msg="database access failed, retrying" component=test attempt=3 retry_in=20ms`},
		{"an unknown error lasts ten seconds", unknown, 0, 18, unknown, "attempt=17 retry_in=1s"},
		{"the engine stops", away, 3, 3, bucketgen.ErrStopped, "attempt=2 retry_in=10ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				count := 0
				a := retry.Attempts{
					Component: "test", Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
					Stopping: func() bool { return test.stops > 0 && count >= test.stops },
				}
				began := time.Now()
				var err error
				for err == nil && time.Since(began) < time.Minute {
					count++
					err = a.Again(t.Context(), test.err)
				}
				if test.count == 0 && err != nil || test.count > 0 && (count != test.count || !errors.Is(err, test.is)) {
					t.Errorf("got %v at attempt %d, want %v at %d", err, count, test.is, test.count)
				}
				if !strings.Contains(out.String(), test.lines) {
					t.Errorf("logged %s\nwant a line with %s", out.String(), test.lines)
				}
			})
		})
	}
}
