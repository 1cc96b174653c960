package view

import (
	"testing"
	"time"
)

// TestSince checks that no distance is shown of times to come, which belong to another clock.
func TestSince(t *testing.T) {
	t.Parallel()
	now := time.Date(1998, time.July, 1, 9, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		at   time.Time
		want string
	}{
		{now, "now"},
		{now.Add(-90 * time.Minute), "1 h 30 min ago"},
		{now.Add(20 * time.Second), "in 20 s"},
		{now.AddDate(28, 5, 0), ""},
	} {
		if got := Since(now, test.at); got != test.want {
			t.Errorf("%s: got %q, want %q", test.at, got, test.want)
		}
	}
}

// TestAhead writes how far clocks are apart.
func TestAhead(t *testing.T) {
	t.Parallel()
	for ms, want := range map[int64]string{
		0: "the same", 12: "12 ms ahead", -1500: "1 s behind", -896735448765: "28 y 158 d behind", -1 << 63: "292 y 171 d behind",
	} {
		if got := Ahead(ms); got != want {
			t.Errorf("%d ms: got %q, want %q", ms, got, want)
		}
	}
}
