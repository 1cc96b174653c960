package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestServerKeys sends with a key that belongs on a server: it sends events, reads nothing, and is
// no key for pages.
func TestServerKeys(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	backend := command(t, "keys", "create", "backend", "--server", "--database", m.url)
	const call = `{"userId":"ada","event":"order"}`
	for _, tc := range []struct {
		name, key, method, path string
		change                  func(*http.Request)
		status                  int
		says                    string
	}{
		{"track", backend, "POST", "/v1/track", nil, 200, ""},
		{"read", backend, "GET", "/v1/buckets", nil, 403, "is a server key"},
		{"change", backend, "POST", "/v1/buckets/pro/pause", nil, 403, "is a server key"},
		{"settings", "", "GET", "/v1/projects/" + backend + "/settings", nil, 404, "no write key"},
		{"settings of an admin key", "", "GET", "/v1/projects/" + m.ops + "/settings", nil, 404, "no write key"},
		{"settings of a read key", "", "GET", "/v1/projects/" + m.board + "/settings", nil, 404, "no write key"},
		{"settings of a write key", "", "GET", "/v1/projects/" + m.write + "/settings", nil, 200, m.write},
		{"page with a server key", backend, "POST", "/v1/track", header("Sec-Fetch-Site", "cross-site"), 403, "use a write key"},
		{"page with an admin key", m.ops, "POST", "/v1/track", header("Origin", "https://evil.example"), 403, "use a write key"},
		{"page with a write key", m.write, "POST", "/v1/track", header("Sec-Fetch-Site", "cross-site"), 200, ""},
		{"pause by a page", m.ops, "POST", "/v1/buckets/pro/pause", header("Sec-Fetch-Site", "cross-site"), 403, "another origin"},
		{"pause by an old browser", m.ops, "POST", "/v1/buckets/pro/pause", header("Origin", "https://evil.example"), 403, "another origin"},
		{"restore by a page", m.ops, "POST", "/v1/users/ada/restore", header("Sec-Fetch-Site", "same-site"), 403, "another origin"},
		{"replay by a page", m.ops, "POST", "/v1/outbox/dead/replay", header("Sec-Fetch-Site", "cross-site"), 403, "another origin"},
		{"delete by a page", m.ops, "DELETE", "/v1/users/ada", header("Sec-Fetch-Site", "cross-site"), 403, "another origin"},
		{"pause by its own page", m.ops, "POST", "/v1/buckets/pro/pause", header("Sec-Fetch-Site", "same-origin"), 200, ""},
	} {
		m.key = tc.key
		body := ""
		if strings.HasSuffix(tc.path, "/track") {
			body = call
		}
		got, says := m.ask(t, tc.method, tc.path, body, tc.change)
		if got.StatusCode != tc.status && (tc.status != 200 || got.StatusCode > 299) || !strings.Contains(says, tc.says) {
			t.Errorf("%s: got %d %s, want %d with %q", tc.name, got.StatusCode, says, tc.status, tc.says)
		}
		if got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: browsers may guess what the answer is: %v", tc.name, got.Header)
		}
	}
}
