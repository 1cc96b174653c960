package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// managed is an HTTP API whose engine is managed by it, with a clock that only the test moves.
type managed struct {
	*api
	registry          *registry.Registry
	read, admin       *client.Client
	write, board, ops string // keys that let events in, see all, and do everything

	clock *enginetest.Clock

	down atomic.Bool // the handler is, and gives up
}

// dawn is when managed engines begin.
var dawn = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

var (
	testers = bucket.Define(bucket.Spec{ID: "testers", Name: "Testers", Description: "Who tests", Kind: bucket.Manual})
	shrunk  = bucket.Define(bucket.Spec{ID: "shrunk", Criteria: plan.Is("pro")})
	eager   = bucket.Define(bucket.Spec{ID: "active", Criteria: orders.Within(bucket.Day).AtLeast(2)})
)

func newManaged(t testing.TB, more ...bucket.Definition) *managed {
	t.Helper()
	m := &managed{api: &api{url: pgtest.NewURL(t)}, registry: registrytest.Build(t, append(more, paying, testers, eager)...)}
	m.pool = pgtest.Open(t, m.url)
	w := enginetest.New(t, m.pool, m.registry, enginetest.Options{Begin: dawn, Prepare: func(e *engine.Engine) error {
		return e.OnEnter(m.ref(t, "pro"), engine.EnterHandler{Name: "welcome", Func: func(context.Context, engine.Transition) error {
			if m.down.Load() {
				return engine.GiveUp(errors.New("down"))
			}
			return nil
		}})
	}})
	m.engine, m.clock = w.Engine, w.Time
	m.write = command(t, "keys", "create", "web", "--database", m.url)
	m.board = command(t, "keys", "create", "board", "--read", "--database", m.url)
	m.ops = command(t, "keys", "create", "ops", "--admin", "--database", m.url)
	m.key = m.ops
	m.Server = httptest.NewServer(server.NewHandler(m.engine, m.pool, "bucketgen", server.HTTP{}, nil))
	t.Cleanup(m.Close)
	m.read, m.admin = m.as(t, m.board), m.as(t, m.ops)
	return m
}

// as returns a client that shows a key.
func (m *managed) as(t testing.TB, key string) *client.Client {
	t.Helper()
	c, err := client.New(m.URL, key, client.Options{HTTP: &http.Client{Transport: documented{t}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (m *managed) ref(t testing.TB, id string) registry.Ref {
	t.Helper()
	return registrytest.Ref(t, m.registry, id)
}

// is lets a user have a plan.
func (m *managed) is(t testing.TB, user, name string) {
	t.Helper()
	if _, err := m.engine.Ingest(t.Context(), engine.Event{UserID: user, Traits: map[string]any{"plan": name}}); err != nil {
		t.Fatal(err)
	}
}

// does lets a user do something.
func (m *managed) does(t testing.TB, user, what string) {
	t.Helper()
	m.sends(t, engine.Event{UserID: user, Name: what})
}

// sends ingests an event.
func (m *managed) sends(t testing.TB, ev engine.Event) {
	t.Helper()
	if _, err := m.engine.Ingest(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
}

// same compares an answer with what the Go API says.
func same[T any](t *testing.T, what string, got any, gotErr error, want T, wantErr error) {
	t.Helper()
	if err := errors.Join(gotErr, wantErr); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if diff := cmp.Diff(plainly(t, want), plainly(t, got)); diff != "" {
		t.Errorf("%s (-Go API +HTTP API):\n%s", what, diff)
	}
}

// plainly returns a value as JSON says it.
func plainly(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// refused checks why a call was refused.
func refused(t *testing.T, what string, err error, status int64, field string) {
	t.Helper()
	p, ok := errors.AsType[*client.Problem](err)
	switch {
	case !ok:
		t.Errorf("%s: got %v, want a problem", what, err)
	case p.Status != status || p.Field != field || p.Title == "" || p.Detail == "":
		t.Errorf("%s: got %+v, want status %d, field %q", what, *p, status, field)
	}
}

// serving serves another engine on the same database, and returns a client with a read key.
func (m *managed) serving(t testing.TB, e *engine.Engine) *client.Client {
	t.Helper()
	return m.servingAs(t, e, m.board)
}

// servingAs is [managed.serving] with a client that shows a key.
func (m *managed) servingAs(t testing.TB, e *engine.Engine, key string) *client.Client {
	t.Helper()
	other := httptest.NewServer(server.NewHandler(e, m.pool, "bucketgen", server.HTTP{}, nil))
	t.Cleanup(other.Close)
	c, err := client.New(other.URL, key, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eventually waits for what another goroutine brings about.
var eventually = waitfor.That
