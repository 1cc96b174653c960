package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// TestHeldHeadersAreBounded refuses requests with large headers: a second answer waits, and a third
// is sent at once on a connection that closes, because two headers are too much to keep.
func TestHeldHeadersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBrake(1)
		hold := func() http.Header {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/track", http.NoBody)
			r.Header.Set("Authorization", "Bearer "+strings.Repeat("k", maxHeldBytes*2/3))
			answer := http.Header{}
			b.hold(r, keyless, answer)
			return answer
		}
		hold() // the one of this second that does not wait
		waited := make(chan http.Header)
		go func() { waited <- hold() }()
		synctest.Wait()
		if got := hold().Get("Connection"); got != "close" {
			t.Errorf("beside another header: got Connection %q, want close", got)
		}
		if got := (<-waited).Get("Connection"); got != "" {
			t.Errorf("the one that waited: got Connection %q, want none", got)
		}
		if b.held != 0 || b.bytes != 0 {
			t.Errorf("%d answers and %d bytes are held at the end, want none", b.held, b.bytes)
		}
	})
}
