package server_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/session"
)

// asked records the statements of a request, which carries it in its context. What an engine sends
// by itself is not recorded, nor begin and commit.
type asked struct {
	mu    sync.Mutex
	names []string
}

type askedKey struct{}

var queryName = regexp.MustCompile(`-- name: (\w+)`)

func (a *asked) add(sql ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := ""
	for _, s := range sql {
		if found := queryName.FindStringSubmatch(s); found != nil {
			s = found[1]
		}
		name += " " + s
	}
	a.names = append(a.names, strings.TrimSpace(name))
}

// requestTracer hands statements to the request that they belong to. A batch is sent and answered
// at once, and is one.
type requestTracer struct{}

func (requestTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	word, _, _ := strings.Cut(data.SQL, " ")
	if a, recorded := ctx.Value(askedKey{}).(*asked); recorded && word != "begin" && word != "commit" && word != "rollback" {
		a.add(data.SQL)
	}
	return ctx
}

func (requestTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (requestTracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if a, recorded := ctx.Value(askedKey{}).(*asked); recorded {
		var all []string
		for _, q := range data.Batch.QueuedQueries {
			all = append(all, q.SQL)
		}
		a.add(all...)
	}
	return ctx
}

func (requestTracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (requestTracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TestStudioStatements counts the statements of each page of Studio. They do not grow with what the
// page shows.
func TestStudioStatements(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Tracer = requestTracer{}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	e := startOn(t, pool, tracked(t), engine.Config{NoClock: true, NoDelivery: true})
	for range 3 {
		for _, user := range []string{"ada", "bob", "cy"} {
			if _, err := e.Ingest(t.Context(), engine.Event{UserID: user, Name: "page", Traits: map[string]any{"email": user + "@example.com"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	page, cookie := signedIn(t, e, pool)
	for _, p := range []struct {
		path string
		most int // most is how many statements the page may take, the one for the session among them.
	}{
		{"/", 4},
		{"/?q=view&sort=name&order=desc", 4},
		{"/?part=buckets", 4},
		{"/strip", 4},
		{"/find?q=view", 4},
		{"/buckets/viewers", 6},
		{"/buckets/viewers?part=stats", 6},
		{"/buckets/viewers?step=hour&from=now-7d", 6},
		{"/buckets/viewers/members", 6},
		{"/buckets/viewers/history", 6},
		{"/buckets/viewers/reactions", 6},
		{"/user?id=ada", 8},
		{"/user?id=ada&part=now", 8},
		{"/user?id=ada&part=explain&why=spenders", 8},
		{"/user?id=ada&part=traits", 8},
		{"/user?id=ada&part=activity", 8},
		{"/user?id=unknown", 8},
		{"/live", 4},
		{"/outbox", 6},
		{"/events", 6},
		{"/health", 18},
		{"/v1/health", 12},
		{"/audit", 4},
		{"/plan", 20},
	} {
		ask := &asked{}
		for range 2 { // the first request may read what the process knows from then on
			ask = &asked{}
			r := httptest.NewRequestWithContext(context.WithValue(t.Context(), askedKey{}, ask), http.MethodGet, "/studio"+p.path, http.NoBody)
			r.AddCookie(cookie)
			if strings.Contains(p.path, "part=") {
				r.Header.Set("Hx-Request", "true")
			}
			w := httptest.NewRecorder()
			page.ServeHTTP(w, r)
			if w.Code != http.StatusOK && p.path != "/user?id=unknown" {
				body, _ := io.ReadAll(w.Result().Body)
				t.Fatalf("%s: %d\n%s", p.path, w.Code, body)
			}
		}
		if n := len(ask.names); n > p.most || n == 0 {
			t.Errorf("%s took %d statements, want 1 to %d:\n%s", p.path, n, p.most, strings.Join(ask.names, "\n"))
		}
	}
}

// signedIn returns Studio, and the cookie of a person who is signed in.
func signedIn(t testing.TB, e *engine.Engine, pool *pgxpool.Pool) (http.Handler, *http.Cookie) {
	t.Helper()
	k, err := apikey.Store{Pool: pool, Schema: "bucketgen"}.Create(t.Context(), "ops", apikey.Admin, 0)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := session.Store{Pool: pool, Schema: "bucketgen", Now: e.Now}.Begin(t.Context(), k.No)
	if err != nil {
		t.Fatal(err)
	}
	page, err := studio.New(server.NewHandler(e, pool, "bucketgen", server.HTTP{}, nil), studio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return page, &http.Cookie{Name: "bucketgen", Value: secret} //nolint:gosec // what a client sends
}
