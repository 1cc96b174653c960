package studio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// asked marks the context of a request whose statements are counted.
type asked struct{}

// statements counts the statements of marked requests.
type statements struct {
	mu  sync.Mutex
	all []string
}

func (s *statements) note(ctx context.Context, sql string) {
	if ctx.Value(asked{}) == nil || sql == "begin" || sql == "commit" || sql == "rollback" || strings.HasPrefix(sql, "begin ") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sql)
}

// take returns what was counted, and begins anew.
func (s *statements) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.note(ctx, data.SQL)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (s *statements) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	s.note(ctx, data.SQL)
}

func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// site is Studio of an engine, for requests within the process.
type site struct {
	*enginetest.World
	page       *studio.Page
	statements statements
}

func newSite(t *testing.T, person identity.Person, definitions ...bucket.Definition) *site {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{}
	config.ConnConfig.Tracer = &s.statements
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s.World = enginetest.New(t, pool, registrytest.Build(t, definitions...), enginetest.Options{})
	authenticate := func(*http.Request) (identity.Person, error) {
		if person.Name == "" {
			return identity.Person{}, identity.ErrUnknown
		}
		return person, nil
	}
	api := server.NewHandler(s.Engine, pool, "bucketgen", server.HTTP{Authenticate: authenticate}, nil)
	if s.page, err = studio.New(api, studio.Config{Authenticate: authenticate, Now: s.Time.Now}); err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks for a page, and returns the answer.
func (s *site) get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), asked{}, true), http.MethodGet, path, nil)
	w := httptest.NewRecorder()
	s.page.ServeHTTP(w, r)
	return w
}

// shopping are many buckets, of which one is busy.
func shopping(n int) []bucket.Definition {
	order := bucket.Event("order")
	plan := bucket.Text("plan")
	all := []bucket.Definition{bucket.Define(bucket.Spec{
		ID: "busy", Name: "Busy", Criteria: bucket.All(order.Within(7*bucket.Day).AtLeast(2), plan.Is("pro")),
	})}
	for i := range n {
		all = append(all, bucket.Define(bucket.Spec{
			ID: fmt.Sprintf("bucket-%03d", i), Name: fmt.Sprintf("Bucket number %d of many", i), Criteria: order.Within(bucket.Day).AtLeast(i + 3),
		}))
	}
	return all
}

// TestPageCosts bounds the statements and the compressed bytes of the pages that people open most.
func TestPageCosts(t *testing.T) { //nolint:tparallel // its parts count the statements of one pool
	t.Parallel()
	s := newSite(t, identity.Person{Name: "ada", Role: identity.Admin}, shopping(120)...)
	for i := range 300 {
		events := []engine.Event{
			{UserID: fmt.Sprintf("u%d", i), Name: "order", Traits: map[string]any{"plan": "pro"}}, {UserID: fmt.Sprintf("u%d", i), Name: "order"},
		}
		if _, err := s.IngestBatch(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	const html = 60 << 10
	for _, test := range []struct {
		name, path string
		most       int
	}{
		{"overview", "/studio/", 4},
		{"bucket", "/studio/buckets/busy", 6},
		{"user", "/studio/user?id=u1", 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.get(t, test.path) // prepares statements, and fills caches
			s.statements.take()
			got := s.get(t, test.path)
			if got.Code != http.StatusOK {
				t.Fatalf("got %d: %s", got.Code, got.Body)
			}
			if all := s.statements.take(); len(all) == 0 || len(all) > test.most {
				t.Errorf("got %d statements, want 1 to %d:\n%s", len(all), test.most, strings.Join(all, "\n---\n"))
			}
			if bytes := zipped(got.Body.Bytes()); bytes > html {
				t.Errorf("got %d bytes, want at most %d", bytes, html)
			}
		})
	}
	long := s.get(t, "/studio/buckets/busy?step=hour&from=2025-12-15&to=2026-01-01")
	if bytes := zipped(long.Body.Bytes()); long.Code != http.StatusOK || bytes > html {
		t.Errorf("with 400 steps: got %d with %d bytes, want 200 and at most %d", long.Code, bytes, html)
	}
}

// TestHeaders checks what keeps other sites and inline scripts out, on pages, files and refusals.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, identity.Person{Name: "ada", Role: identity.Read}, shopping(1)...)
	for _, path := range []string{"/studio/", "/studio/buckets/busy", "/studio/nothing", "/studio/buckets/unknown"} {
		got := s.get(t, path)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if value := got.Header().Get(name); value != want {
				t.Errorf("%s of %s is %q, want %q", name, path, value, want)
			}
		}
		policy := strings.Split(got.Header().Get("Content-Security-Policy"), "; ")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !slices.Contains(policy, want) {
				t.Errorf("the policy of %s is %q, without %s", path, policy, want)
			}
		}
	}
}

// TestStranger checks that a person who is not known to the host gets nothing.
func TestStranger(t *testing.T) {
	t.Parallel()
	s := newSite(t, identity.Person{}, shopping(1)...)
	for _, path := range []string{"/studio/", "/studio/buckets/busy", "/studio/v1/buckets", "/studio/v1/stream", "/studio/find?q=b", "/studio/strip"} {
		if got := s.get(t, path); got.Code != http.StatusUnauthorized || strings.Contains(got.Body.String(), "Busy") {
			t.Errorf("%s: got %d %s", path, got.Code, got.Body)
		}
	}
}

// TestNew checks that a wrong configuration is named.
func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := studio.New(nil, studio.Config{}); err == nil || !strings.Contains(err.Error(), "API is nil") {
		t.Errorf("without an API: got %v", err)
	}
	for _, prefix := range []string{"studio", "/studio/", "/", "/a b", "/{x}"} {
		if _, err := studio.New(http.NotFoundHandler(), studio.Config{Prefix: prefix}); err == nil || !strings.Contains(err.Error(), "Prefix") {
			t.Errorf("with the prefix %q: got %v", prefix, err)
		}
	}
}
