package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

// seenIn returns what is seen in a run in which one curve goes from a value to another, while some
// events are ingested and handled in between.
func seenIn(curve int, from, to float64, events int64) []observation {
	const n = 30
	seen := make([]observation, n)
	for i := range seen {
		seen[i].at = time.Duration(i) * time.Second
		seen[i].events, seen[i].handled = int64(i)*events, int64(i)*events
		seen[i].values[curve] = from + (to-from)*float64(i)/(n-1)
	}
	return seen
}

// TestJudge takes what is flat, and names each curve that grows, and a run in which nothing
// happens.
func TestJudge(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		seen []observation
		want string // in the error; empty: none
	}{
		"flat":            {seenIn(memory, 100, 100, 1), ""},
		"within slack":    {seenIn(memory, 10, 30, 1), ""},
		"memory":          {seenIn(memory, 100, 400, 1), "memory of a process: median"},
		"connections":     {seenIn(connections, 10, 60, 1), "connections: median"},
		"the clock":       {seenIn(lag, 0, 100, 1), "clock behind by: median"},
		"nothing happens": {seenIn(memory, 100, 100, 0), "the load has stopped"},
		"too short":       {seenIn(memory, 100, 100, 1)[:5], "only 5 observations"},
	} {
		err := judge(io.Discard, test.seen)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}
