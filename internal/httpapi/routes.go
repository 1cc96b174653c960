package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/problem"
)

// routes answers requests by a mux. What that does not know is answered by a problem, and so is
// what a handler breaks down on.
type routes struct {
	mux *http.ServeMux
	log *slog.Logger

	// origins keeps pages of other origins out, whose requests browsers send with the credentials
	// of their users. Handlers of SDKs let them in.
	origins *http.CrossOriginProtection
}

func newRoutes(mux *http.ServeMux, log *slog.Logger) *routes {
	return &routes{mux, log, http.NewCrossOriginProtection()}
}

// noSniff keeps browsers from guessing what an answer is. Answers share it.
var noSniff = []string{"nosniff"}

// openHandler answers pages of other origins, too.
type openHandler struct{ http.HandlerFunc }

// ServeHTTP answers a request.
func (s *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &trackedWriter{ResponseWriter: w}
	w.Header()["X-Content-Type-Options"] = noSniff
	defer func() {
		if why := recover(); why != nil {
			s.recoverPanic(a, r, why)
		}
	}()
	if p := s.refuse(r); p != nil {
		p.Answer(a)
		return
	}
	s.mux.ServeHTTP(a, r)
}

// refuse returns a problem if nothing is at the path of a request, or not by its method. Otherwise
// the mux would answer in a form of its own, or redirect to another path, by which a user called ..
// would become another.
func (s *routes) refuse(r *http.Request) *problem.Problem {
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	empty := func() *problem.Problem {
		return problem.New(http.StatusNotFound, "a part of the path is empty, or . or ..; write the dots of an id as %2E")
	}
	last := len(segments) - 1
	if slices.ContainsFunc(segments, func(s string) bool { return s == "." || s == ".." }) || slices.Contains(segments[:last], "") {
		return empty()
	}
	handler, pattern := s.mux.Handler(r)
	if pattern != "" {
		if _, open := handler.(openHandler); !open && s.origins.Check(r) != nil {
			return problem.New(http.StatusForbidden, "the request comes from a page of another origin; only calls of SDKs may")
		}
		return nil
	}
	if last > 0 && segments[last] == "" { // a slash at the end, which some SDKs send and only their paths take
		return empty()
	}
	c := &recorder{header: http.Header{}}
	handler.ServeHTTP(c, r)
	if allowed := c.header.Get("Allow"); c.status == http.StatusMethodNotAllowed {
		p := problem.New(c.status, fmt.Sprintf("%s takes %s, not %s", r.URL.Path, allowed, r.Method))
		p.Allow(allowed)
		return p
	}
	return problem.New(http.StatusNotFound, "there is nothing at "+r.Method+" "+r.URL.Path)
}

// recoverPanic answers a request whose handler broke down, if nothing was answered yet. If
// something was, the connection is cut, so that no client takes it for all.
func (s *routes) recoverPanic(a *trackedWriter, r *http.Request, why any) {
	if why != http.ErrAbortHandler { //nolint:errorlint,err113 // it is panicked with as it is
		s.log.ErrorContext(r.Context(), "request handler panicked", "component", "http", "method", r.Method, "path", r.URL.Path, "error", why, "stack", string(debug.Stack()))
		if !a.begun {
			problem.New(http.StatusInternalServerError, "the server failed; its log says why").Answer(a)
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// trackedWriter is a response writer that knows whether the answer has begun.
type trackedWriter struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader begins the answer.
func (a *trackedWriter) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

// Write writes a part of the answer.
func (a *trackedWriter) Write(b []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (a *trackedWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// recorder is a response writer whose answer is not sent.
type recorder struct {
	header http.Header
	status int
}

// Header returns the headers.
func (c *recorder) Header() http.Header { return c.header }

// WriteHeader notes the status.
func (c *recorder) WriteHeader(status int) { c.status = status }

// Write throws away what is written.
func (*recorder) Write(b []byte) (int, error) { return len(b), nil }
