package server

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzLines reads anything as the lines of a replay. What comes of it is valid text, and every line
// that is refused is reported on one line.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		`{"type":"track","userId":"ada","event":"order","timestamp":"2026-01-01T00:00:00Z"}`,
		"{\"type\":\"identify\",\"userId\":\"\xff\",\"timestamp\":\"2026-01-01T00:00:00Z\"}\n\n[]\nnull\n{",
		`{"type":"a\nb\u001b[2J","userId":"ada"}`, "\ufeff{}", "\x1f\x8b", "{\"userId\":\"a\",\"USERID\":\"b\"}", strings.Repeat("[", 2000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var reports bytes.Buffer
		lines := &lineReader{out: &reports}
		events, err := lines.read(bytes.NewReader(text))
		if err != nil {
			return
		}
		n := 0
		for ev, err := range events {
			if err != nil {
				break
			}
			if n++; !utf8.ValidString(ev.UserID) || !utf8.ValidString(ev.Name) || ev.OccurredAt.IsZero() {
				t.Fatalf("%q is read as %+v", text, ev)
			}
		}
		if got := strings.Count(reports.String(), "\n"); int64(got) != min(lines.count(), 21) {
			t.Fatalf("%d lines were refused, and %d are reported: %q", lines.count(), got, reports.String())
		}
		if strings.ContainsFunc(reports.String(), func(r rune) bool { return r < ' ' && r != '\n' }) {
			t.Fatalf("a report has a control character: %q", reports.String())
		}
	})
}
