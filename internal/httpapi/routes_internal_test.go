package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRoutesRecover lets handlers break down, before and while they answer.
func TestRoutesRecover(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("GET /early", func(http.ResponseWriter, *http.Request) { panic("a secret") })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"buckets":[`))
		panic("a secret")
	})
	mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s := newRoutes(mux, slog.New(slog.NewTextHandler(&log, nil)))

	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/early", http.NoBody))
	want := `{"title":"Internal Server Error","status":500,"detail":"the server failed; its log says why"}` + "\n"
	if w.Code != http.StatusInternalServerError || w.Body.String() != want || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %v %s\nwant %s", w.Code, w.Header(), w.Body, want)
	}
	if !strings.Contains(log.String(), "a secret") || !strings.Contains(log.String(), "path=/early") || !strings.Contains(log.String(), "routes_internal_test.go") {
		t.Errorf("the log does not say why: %s", &log)
	}
	for _, path := range []string{"/late", "/abort"} {
		log.Reset()
		why := func() (why any) {
			defer func() { why = recover() }()
			s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
			return nil
		}()
		if why != http.ErrAbortHandler { //nolint:errorlint // it is panicked with as it is
			t.Errorf("%s: got %v, want the connection cut", path, why)
		}
		if said := strings.Contains(log.String(), "a secret"); said != (path == "/late") {
			t.Errorf("%s: the log says %q", path, &log)
		}
	}
}
