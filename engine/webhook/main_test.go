package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

func TestMain(m *testing.M) {
	child.Main(map[string]func(string) error{workerVar: work})
	os.Exit(pgtest.Run(m))
}

var (
	plan  = bucket.Text("plan")
	visit = bucket.Event("visit")

	pro      = bucket.Define(bucket.Spec{ID: "pro", Name: "Who pays", Criteria: plan.Is("pro")})
	regulars = bucket.Define(bucket.Spec{ID: "regulars", Criteria: visit.AtLeast(2)})
)

// world is a database with an engine that takes events in and posts nothing, and a clock that only
// the test moves. It begins now, because receivers do not take what was signed long ago.
type world struct {
	*enginetest.World
	t     *testing.T
	hooks *webhook.Endpoints
}

// local lets webhooks go to servers of tests.
var local = webhook.Config{AllowPrivate: true, Poll: 2 * time.Millisecond}

func newWorld(t *testing.T, definitions ...bucket.Definition) *world {
	t.Helper()
	w := &world{t: t, World: enginetest.New(t, pgtest.New(t), registrytest.Build(t, definitions...), enginetest.Options{
		Begin: time.Now().UTC(), Config: engine.Config{NoDelivery: true},
	})}
	w.hooks = w.open(local)
	return w
}

func (w *world) open(config webhook.Config) *webhook.Endpoints {
	w.t.Helper()
	config.Now = w.Time.Now
	endpoints, err := webhook.Open(w.Pool, config)
	must(w.t, err)
	return endpoints
}

// serve starts a further engine, which posts webhooks.
func (w *world) serve(config webhook.Config) (*engine.Engine, *webhook.Service) {
	w.t.Helper()
	e := w.Start(engine.Config{NoClock: true, DeliveryPoll: 2 * time.Millisecond}, nil)
	s, err := webhook.New(e, w.Pool, config)
	must(w.t, err)
	must(w.t, s.Start(w.t.Context()))
	w.t.Cleanup(func() { waitfor.Stop(w.t, s) })
	return e, s
}

// endpoint makes an endpoint of all buckets.
func (w *world) endpoint(name, url string) webhook.Endpoint {
	w.t.Helper()
	e, err := w.hooks.Create(w.t.Context(), webhook.Endpoint{Name: name, URL: url})
	must(w.t, err)
	return e
}

// joins and leaves let a user do so.
func (w *world) joins(user string)  { w.t.Helper(); w.identify(user, "pro") }
func (w *world) leaves(user string) { w.t.Helper(); w.identify(user, "free") }

func (w *world) identify(user, plan string) {
	w.t.Helper()
	_, err := w.Ingest(w.t.Context(), engine.Event{UserID: user, Traits: map[string]any{"plan": plan}})
	must(w.t, err)
}

func (w *world) count(sql string, args ...any) int {
	w.t.Helper()
	var n int
	must(w.t, w.Pool.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

func (w *world) waiting() int {
	return w.count("select count(*) from bucketgen.deliveries where state = 'waiting'")
}

// webhookPost is a webhook as it was received.
type webhookPost struct {
	header http.Header
	body   []byte

	Type      string            `json:"type"`
	Timestamp time.Time         `json:"timestamp"`
	Data      engine.Transition `json:"data"`
}

func (p webhookPost) id() string { return p.header.Get("Webhook-Id") }

// receiver is a server that keeps what is posted to it.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	answer  http.HandlerFunc // nil: it takes everything
	posts   []webhookPost
	batches bool // what is posted may carry several transitions
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if got, want := in.UserAgent(), "bucketgen-webhooks/"+bucketgen.Version; got != want {
			t.Errorf("got the user agent %s, want %s", got, want)
		}
		body, err := io.ReadAll(in.Body)
		p := webhookPost{header: in.Header, body: body}
		r.mu.Lock()
		if err != nil || json.Unmarshal(body, &p) != nil && !r.batches {
			t.Errorf("received %q, %v", body, err)
		}
		r.posts = append(r.posts, p)
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			in.Body = io.NopCloser(bytes.NewReader(body))
			answer(out, in)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// answers lets the receiver answer with a status from now on.
func (r *receiver) answers(status int, header ...string) {
	r.does(func(out http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			out.Header().Set(header[i], header[i+1])
		}
		out.WriteHeader(status)
		fmt.Fprintf(out, "this is\n %d", status)
	})
}

func (r *receiver) does(f http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func (r *receiver) all() []webhookPost {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.posts)
}

// got returns what was posted, once it is so much.
func (r *receiver) got(t *testing.T, n int) []webhookPost {
	t.Helper()
	eventually(t, func() bool { return len(r.all()) >= n })
	all := r.all()
	equal(t, "webhooks", len(all), n)
	return all
}

// eventually waits for what another goroutine brings about.
var eventually = waitfor.That

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got\n%s", what, diff)
	}
}
