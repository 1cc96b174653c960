package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// api is an HTTP API on a database of its own.
type api struct {
	*httptest.Server
	engine *engine.Engine
	pool   *pgxpool.Pool
	url    string // of the database
	key    string
}

var (
	viewers   = bucket.Define(bucket.Spec{ID: "viewers", Criteria: bucket.Event("page").AtLeast(3)})
	grouped   = bucket.Define(bucket.Spec{ID: "grouped", Criteria: bucket.Event("group").Where(bucket.Event("group").Text("groupId").Is("acme")).Exists()})
	buyers    = bucket.Define(bucket.Spec{ID: "buyers", Criteria: bucket.All(plan.Is("pro"), orders.Within(30*bucket.Day).AtLeast(3))})
	spenders  = bucket.Define(bucket.Spec{ID: "spenders", Criteria: orders.Sum(orders.Number("total")).MoreThan(100)})
	withEmail = bucket.Define(bucket.Spec{ID: "mailable", Criteria: bucket.Text("email").Contains("@")})
)

func tracked(t testing.TB) *registry.Registry {
	t.Helper()
	return registrytest.Build(t, viewers, grouped, buyers, spenders, withEmail, paying)
}

func newAPI(t testing.TB, config engine.Config) *api {
	t.Helper()
	return newAPIOf(t, tracked(t), config)
}

// newAPIOf is newAPI with buckets of the caller's.
func newAPIOf(t testing.TB, r *registry.Registry, config engine.Config) *api {
	t.Helper()
	a := &api{url: pgtest.NewURL(t)}
	a.pool = pgtest.Open(t, a.url)
	config.NoDelivery = true
	a.engine = startOn(t, a.pool, r, config)
	a.key = command(t, "keys", "create", "test", "--database", a.url)
	a.Server = httptest.NewServer(server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{}, nil))
	t.Cleanup(a.Close)
	return a
}

func startOn(t testing.TB, pool *pgxpool.Pool, r *registry.Registry, config engine.Config) *engine.Engine {
	t.Helper()
	e, err := engine.New(pool, r, config)
	if err == nil {
		err = e.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return e
}

// command runs a command line and returns what it prints.
func command(t testing.TB, args ...string) string {
	t.Helper()
	var out, trouble bytes.Buffer
	if code := server.Run(t.Context(), server.Host{Registry: tracked(t), Name: "bucketd"}, args, strings.NewReader(""), &out, &trouble); code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, &trouble)
	}
	return strings.TrimSpace(out.String())
}

// answer is what a request was answered.
type answer struct {
	StatusCode int
	Header     http.Header
}

// get asks for something without a key.
func (a *api) get(t testing.TB, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := a.do(t, r)
	return got
}

// send sends a request with a key and returns the answer and its body.
func (a *api) send(t testing.TB, path string, body io.Reader, change func(*http.Request)) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(a.key, "")
	if change != nil {
		change(r)
	}
	return a.do(t, r)
}

func (*api) do(t testing.TB, r *http.Request) (answer, string) {
	t.Helper()
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header}, string(text)
}
