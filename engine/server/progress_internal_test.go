package server

import (
	"strings"
	"testing"
	"time"
)

// TestProgressInLines sees what is printed where there is no terminal: plain lines, and not too
// many.
func TestProgressInLines(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		size int64
		want string
	}{
		{"of a file", 400, "1000 events, 25% of the input, 200/s\n3000 events, 50% of the input, 300/s\n"},
		{"of a pipe", -1, "1000 events, 200/s\n3000 events, 300/s\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
			var out strings.Builder
			p := newInputProgress(&out, test.size, "replay", "event")
			p.now = func() time.Time { return now }
			p.began, p.last = now, now
			step := func(d time.Duration, events int64) {
				now = now.Add(d)
				p.events(events)
			}
			p.bytes(100)
			step(4*time.Second, 500)
			step(time.Second, 1000)
			step(time.Second, 1200)
			p.bytes(100)
			step(4*time.Second, 3000)
			p.end()
			if got := out.String(); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

// TestUserProgressInLines goes through users whose number becomes known when some are done.
func TestUserProgressInLines(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	var out strings.Builder
	p := newUserProgress(&out, "backfill")
	p.now = func() time.Time { return now }
	p.began, p.last = now, now
	for _, done := range []int64{100, 500, 550, 900} {
		now = now.Add(4 * time.Second)
		p.users(done, 1000)
	}
	p.end()
	const want = "backfill: 500 of 1000 users, 62/s, 8s to go\nbackfill: 900 of 1000 users, 56/s, 2s to go\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
