package httpapi

import (
	"math/rand/v2"
	"testing"
	"time"
)

// clock is one that a test moves.
type clock struct{ at time.Time }

func newClock() *clock                   { return &clock{time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)} }
func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

// TestLimiterCharges charges batches whole: a key never gets more than its rate and what that adds
// up to.
func TestLimiterCharges(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLimiter(1000, c.now)
	k := key{No: 1, Rate: 5}
	for _, step := range []struct {
		name    string
		advance time.Duration
		n       int
		ok      bool
		wait    time.Duration
	}{
		{"more than it begins with", 0, 4000, false, 799 * time.Second},
		{"what it begins with", 0, 5, true, 0},
		{"nothing left", 0, 1, false, 200 * time.Millisecond},
		{"analytics-node sends 15 at once", 0, 15, false, 3 * time.Second},
		{"a moment too early", 3*time.Second - time.Millisecond, 15, false, time.Millisecond},
		{"when it may come again", time.Millisecond, 15, true, 0},
		{"saved up for the largest batch", 200 * time.Second, 1000, true, 0},
		{"no more than that is saved up", time.Hour, 1001, false, 200 * time.Millisecond},
		{"nothing", 0, 0, true, 0},
		{"a clock that goes back", -time.Hour, 1001, false, 200 * time.Millisecond},
	} {
		c.advance(step.advance)
		if wait, ok := l.take(k, step.n); ok != step.ok || wait.Round(time.Microsecond) != step.wait {
			t.Errorf("%s: got %t and %v, want %t and %v", step.name, ok, wait, step.ok, step.wait)
		}
	}
	if _, ok := l.take(key{No: 2}, 1<<30); !ok {
		t.Error("a key without a rate is limited")
	}
}

// TestLimiterNeverGivesMore tries random batches at random times.
func TestLimiterNeverGivesMore(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLimiter(1000, c.now)
	k := key{No: 1, Rate: 5}
	draw := rand.New(rand.NewPCG(1, 2))
	got := 0
	for begin := c.now(); c.now().Sub(begin) < time.Hour; c.advance(time.Duration(draw.IntN(int(time.Second)))) {
		n := 1 + draw.IntN(30)
		if wait, ok := l.take(k, n); ok {
			got += n
		} else if draw.IntN(2) == 0 {
			c.advance(wait)
			if wait, ok := l.take(k, n); !ok {
				t.Fatalf("after the announced wait it takes %v more", wait)
			}
			got += n
		}
		if most := c.now().Sub(begin).Seconds()*5 + 5; float64(got) > most+1e-3 {
			t.Fatalf("it got %d in %v", got, c.now().Sub(begin))
		}
	}
}

// TestLimiterIsBounded forgets keys that lose nothing by it, and no others.
func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLimiter(10, c.now)
	l.most = 2
	for no := 1; no <= 2; no++ {
		l.take(key{No: no, Rate: 1}, 1)
	}
	if _, ok := l.take(key{No: 3, Rate: 1}, 1); ok || len(l.keys) != 2 {
		t.Errorf("a third key finds room among %d", len(l.keys))
	}
	c.advance(time.Second)
	if _, ok := l.take(key{No: 3, Rate: 1}, 1); !ok || len(l.keys) > 2 {
		t.Errorf("a third key finds no room among %d that are forgotten", len(l.keys))
	}
}
