package httpapi

import (
	"cmp"
	"net/http"
	"time"
)

// SDKs in browsers and on phones ask where to send, and to whom else, before they send anything.

// settings answers what Segment's SDKs ask for.
func (t *tracking) settings(w http.ResponseWriter, r *http.Request) {
	secret := r.PathValue("key")
	t.configure(w, r, secret, func(key) any {
		return map[string]any{
			"integrations": map[string]any{"Segment.io": map[string]any{
				"apiKey": secret, "apiHost": r.Host + "/v1", "protocol": scheme(r),
			}},
			"plan":         map[string]any{"track": map[string]any{"__default": map[string]bool{"enabled": true}}},
			"edgeFunction": map[string]any{}, // phones fail without
		}
	})
}

// sourceConfig answers what RudderStack's SDKs ask for: that the source is on, and has no other
// destinations.
func (t *tracking) sourceConfig(w http.ResponseWriter, r *http.Request) {
	t.configure(w, r, cmp.Or(r.URL.Query().Get("writeKey"), secretOf(r)), func(k key) any {
		return map[string]any{
			"isHosted": true,
			"source": map[string]any{
				"id": k.Name, "name": k.Name, "workspaceId": "bucketgen", "enabled": true, "config": map[string]any{}, "destinations": []any{},
				"dataplanes": map[string]any{}, "updatedAt": k.CreatedAt.Format(time.RFC3339),
			},
			"updatedAt": k.CreatedAt.Format(time.RFC3339),
		}
	})
}

// configure answers for a write key.
func (t *tracking) configure(w http.ResponseWriter, r *http.Request, secret string, answer func(key) any) {
	allowOrigin(w)
	k, err := t.auth.public(r.Context(), secret)
	if err != nil {
		t.auth.fail(w, r, k, err)
		return
	}
	reply(w, answer(k))
}

// scheme returns the scheme of the URL by which a client came, as far as a proxy says it.
func scheme(r *http.Request) string {
	switch forwarded := r.Header.Get("X-Forwarded-Proto"); {
	case forwarded == "http" || forwarded == "https":
		return forwarded
	case r.TLS != nil:
		return "https"
	}
	return "http"
}

// allowOrigin lets a page of any origin read the answer: write keys, not origins, are what lets
// events in.
func allowOrigin(w http.ResponseWriter) {
	h := w.Header()
	h["Access-Control-Allow-Origin"], h["Access-Control-Expose-Headers"] = anyOrigin, exposedHeaders
}

// The headers by which pages of any origin may read an answer, and Retry-After, by which SDKs wait.
// Answers share them.
var (
	anyOrigin      = []string{"*"}
	exposedHeaders = []string{"Retry-After"}
)

// allowedHeaders are the headers that SDKs in browsers set: those of Segment's, of RudderStack's
// and of PostHog's.
const allowedHeaders = "Authorization, Content-Type, Content-Encoding, X-Retry-Count, " +
	"AnonymousId, SentAt, Rsa-Recovered, Rsa-Retry-Attempt, Rsa-Since-Last-Attempt, Rsa-Since-First-Attempt, Rsa-Retry-Reason"

// preflight lets browsers send from any page.
func (t *tracking) preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", allowedHeaders)
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}
