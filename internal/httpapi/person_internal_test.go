package httpapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine/identity"
)

// TestPersonInContext calls the guard in process, with persons instead of keys.
func TestPersonInContext(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		kind   string
		person *identity.Person
		want   int
	}{
		{"stranger", readKey, nil, http.StatusUnauthorized},
		{"reader reads", readKey, &identity.Person{Name: "ada", Role: identity.Read}, http.StatusOK},
		{"reader changes", adminKey, &identity.Person{Name: "ada", Role: identity.Read}, http.StatusForbidden},
		{"masked reader changes", adminKey, &identity.Person{Name: "ada", Role: identity.Read, Masked: true}, http.StatusForbidden},
		{"admin changes", adminKey, &identity.Person{Name: "ada", Role: identity.Admin}, http.StatusOK},
		{"incomplete person", readKey, &identity.Person{Role: identity.Admin}, http.StatusServiceUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAuth(keys{}, time.Now, Config{}.WithDefaults(), slog.New(slog.DiscardHandler))
			seen := identity.Person{}
			h := a.guard(test.kind, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen, _ = identity.Of(r.Context()) }))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/buckets", nil)
			if test.person != nil {
				r = r.WithContext(identity.With(r.Context(), *test.person))
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("got %d, want %d: %s", w.Code, test.want, w.Body)
			}
			if test.want == http.StatusOK && seen.Name != "ada" {
				t.Errorf("the handler sees %v", seen)
			}
		})
	}
}
