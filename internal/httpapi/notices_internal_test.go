package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// TestNoticesAreFew fails requests by the thousand, for two reasons.
func TestNoticesAreFew(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	now := time.Unix(1_000_000, 0)
	n := newNotices(slog.New(slog.NewTextHandler(&text, nil)), func() time.Time { return now })
	lines := func(name string, want ...string) {
		t.Helper()
		got := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
		text.Reset()
		if len(got) != len(want) {
			t.Fatalf("%s: got %d lines, want %d:\n%s", name, len(got), len(want), strings.Join(got, "\n"))
		}
		for i := range want {
			if !strings.HasSuffix(got[i], want[i]) {
				t.Errorf("%s: got %s\nwant … %s", name, got[i], want[i])
			}
		}
	}
	fail := func(times int) {
		for i := range times {
			n.failed(t.Context(), "request failed", fmt.Errorf("connect: %w", errors.New("refused")))
			if i%2 == 0 {
				n.failed(t.Context(), "key lookup failed", errors.New("away"))
			}
		}
	}
	fail(1000)
	lines("at first",
		`level=WARN msg="request failed" component=http error="connect: refused" suppressed=0`,
		`level=WARN msg="key lookup failed" component=http error=away suppressed=0`)
	now = now.Add(noticePace - 1)
	fail(2)
	if text.Len() > 0 {
		t.Errorf("before the interval is over: got %s", &text)
	}
	now = now.Add(1)
	fail(1)
	lines("in the next interval", "suppressed=1001", "suppressed=500")
	now = now.Add(time.Hour)
	n.failed(t.Context(), "request failed", engine.ErrNotDeployed)
	lines("not about the moment", `level=ERROR msg="request failed" component=http error="`+engine.ErrNotDeployed.Error()+`" suppressed=0`)
}
