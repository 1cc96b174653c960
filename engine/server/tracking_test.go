package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	rudder "github.com/rudderlabs/analytics-go/v4"
	segment "github.com/segmentio/analytics-go/v3"

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
	a := &api{url: pgtest.NewURL(t)}
	a.pool = pgtest.Open(t, a.url)
	config.NoDelivery = true
	a.engine = startOn(t, a.pool, tracked(t), config)
	a.key = command(t, "keys", "create", "test", "--database", a.url)
	a.Server = httptest.NewServer(server.NewHandler(a.engine, a.pool, "bucketgen", server.Limits{}, nil))
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

// memberships returns who is in which bucket.
func memberships(t testing.TB, pool *pgxpool.Pool, r *registry.Registry) map[string][]string {
	t.Helper()
	e := startOn(t, pool, r, engine.Config{NoClock: true, NoDelivery: true})
	all := map[string][]string{}
	for i := range r.Buckets {
		ref, _ := r.Ref(r.Buckets[i].ID)
		for m, err := range e.Members(t.Context(), ref) {
			if err != nil {
				t.Fatal(err)
			}
			all[ref.ID()] = append(all[ref.ID()], m.UserID)
		}
		slices.Sort(all[ref.ID()])
	}
	return all
}

// said is a call, in the words of both SDKs and of the engine.
type said struct {
	kind, user string
	name       string
	values     map[string]any
}

// talk returns so many calls of all types. Whatever their order, they come to the same.
func talk(seed uint64, n int) []said {
	draw := rand.New(rand.NewPCG(seed, 0))
	var all []said
	for i := range n {
		user := fmt.Sprintf("u%d", draw.IntN(n/12))
		switch draw.IntN(8) {
		case 0:
			all = append(all, said{"identify", user, "", map[string]any{"plan": "pro", "email": user + "@example.com"}})
		case 1, 2:
			all = append(all, said{"page", user, "Pricing", map[string]any{"n": i}})
		case 3:
			all = append(all, said{"group", user, []string{"acme", "umbrella"}[draw.IntN(2)], map[string]any{"size": 3}})
		default:
			all = append(all, said{"track", user, "order", map[string]any{"total": draw.IntN(50)}})
		}
	}
	return all
}

func (s said) segment() segment.Message { //nolint:ireturn // the SDK takes nothing else
	switch s.kind {
	case "identify":
		return segment.Identify{UserId: s.user, Traits: s.values}
	case "page":
		return segment.Page{UserId: s.user, Name: s.name, Properties: s.values}
	case "group":
		return segment.Group{UserId: s.user, GroupId: s.name, Traits: s.values}
	default:
		return segment.Track{UserId: s.user, Event: s.name, Properties: s.values}
	}
}

func (s said) rudder() rudder.Message { //nolint:ireturn // as segment
	switch s.kind {
	case "identify":
		return rudder.Identify{UserId: s.user, Traits: s.values}
	case "page":
		return rudder.Page{UserId: s.user, Name: s.name, Properties: s.values}
	case "group":
		return rudder.Group{UserId: s.user, GroupId: s.name, Traits: s.values}
	default:
		return rudder.Track{UserId: s.user, Event: s.name, Properties: s.values}
	}
}

func (s said) event() engine.Event {
	switch s.kind {
	case "identify":
		return engine.Event{UserID: s.user, Traits: s.values}
	case "group":
		return engine.Event{UserID: s.user, Name: "group", Properties: map[string]any{"groupId": s.name, "size": 3}}
	case "page":
		return engine.Event{UserID: s.user, Name: "page", Properties: map[string]any{"name": s.name}}
	default:
		return engine.Event{UserID: s.user, Name: s.name, Properties: s.values}
	}
}

// outcomes counts the calls that an SDK says were delivered, or not.
type outcomes struct {
	mu         sync.Mutex
	good, poor int
}

func (o *outcomes) success() { o.mu.Lock(); defer o.mu.Unlock(); o.good++ }
func (o *outcomes) failure() { o.mu.Lock(); defer o.mu.Unlock(); o.poor++ }

type segmentOutcomes struct{ *outcomes }

func (o segmentOutcomes) Success(segment.Message)        { o.success() }
func (o segmentOutcomes) Failure(segment.Message, error) { o.failure() }

type rudderOutcomes struct{ *outcomes }

func (o rudderOutcomes) Success(rudder.Message)        { o.success() }
func (o rudderOutcomes) Failure(rudder.Message, error) { o.failure() }

// TestSDKs lets the SDKs of Segment and RudderStack deliver a stream of calls, of which nothing is changed but the host.
// The memberships are those of the same stream by the Go API.
func TestSDKs(t *testing.T) {
	t.Parallel()
	const calls = 10_000
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	stream := talk(seed, calls)
	straight := pgtest.New(t)
	e := startOn(t, straight, tracked(t), engine.Config{NoClock: true, NoDelivery: true})
	var events []engine.Event
	for _, s := range stream {
		events = append(events, s.event())
	}
	if _, err := e.IngestBatch(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	want := memberships(t, straight, tracked(t))
	for id, users := range want {
		if len(users) == 0 {
			t.Fatalf("nobody is in %s, so nothing is compared", id)
		}
	}
	for name, deliver := range map[string]func(*api, *outcomes) error{
		"segment": func(a *api, o *outcomes) error {
			client, err := segment.NewWithConfig(a.key, segment.Config{Endpoint: a.URL, Callback: segmentOutcomes{o}})
			if err != nil {
				return err
			}
			for _, s := range stream {
				if err := client.Enqueue(s.segment()); err != nil {
					return err
				}
			}
			return client.Close()
		},
		"rudder": func(a *api, o *outcomes) error {
			client, err := rudder.NewWithConfig(a.key, rudder.Config{DataPlaneUrl: a.URL, Callback: rudderOutcomes{o}})
			if err != nil {
				return err
			}
			for _, s := range stream {
				if err := client.Enqueue(s.rudder()); err != nil {
					return err
				}
			}
			return client.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, engine.Config{NoClock: true})
			o := &outcomes{}
			if err := deliver(a, o); err != nil {
				t.Fatal(err)
			}
			if o.good != calls || o.poor != 0 {
				t.Errorf("%d of %d calls were delivered, %d were not", o.good, calls, o.poor)
			}
			if diff := cmp.Diff(want, memberships(t, a.pool, tracked(t))); diff != "" {
				t.Errorf("-Go API +SDK\n%s", diff)
			}
		})
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func nobody(r *http.Request) { r.Header.Del("Authorization") }

// TestTrackingRefuses sends what nobody should, and looks for a clear answer that gives nothing away.
func TestTrackingRefuses(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	nested := strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000)
	manyKeys := make([]string, 10_000)
	for i := range manyKeys {
		manyKeys[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	track := func(fields string) string { return `{"type":"track","userId":"ada","event":"order",` + fields + `}` }
	for _, tc := range []struct {
		name, path, body string
		change           func(*http.Request)
		status           int
		says             string
	}{
		{"no key", "/v1/track", track(`"messageId":"1"`), nobody, 401, "there is no key"},
		{"unknown key", "/v1/track", track(`"messageId":"1"`), header("Authorization", "Bearer nonsense"), 401, "the key is not known"},
		{"unknown key in the body", "/v1/track", track(`"writeKey":"x"`), nobody, 401, "the key is not known"},
		{"empty", "/v1/track", "", nil, 400, "the body is no JSON"},
		{"cut", "/v1/track", `{"type":"track"`, nil, 400, "the body is no JSON"},
		{"two", "/v1/track", track(`"messageId":"1"`) + "{}", nil, 400, "the body is no JSON"},
		{"array", "/v1/batch", "[]", nil, 400, "the body is a JSON array; send an object"},
		{"no batch", "/v1/batch", "{}", nil, 400, "batch is missing"},
		{"batch of another kind", "/v1/batch", `{"batch":{}}`, nil, 400, "batch is a JSON object"},
		{"other type", "/v1/track", `{"type":"identify","userId":"ada"}`, nil, 400, `is \"identify\", but the call is track`},
		{"no event", "/v1/track", `{"userId":"ada"}`, nil, 400, `"field":"event"`},
		{"event of another kind", "/v1/track", `{"userId":"ada","event":7}`, nil, 400, `"field":"event"`},
		{"no user", "/v1/track", `{"event":"order"}`, nil, 400, `"field":"userId"`},
		{"anonymous", "/v1/track", `{"event":"order","anonymousId":"x"}`, nil, 400, "identify them"},
		{"alias", "/v1/alias", `{"userId":"ada","previousId":"x"}`, nil, 400, "users have one userId"},
		{"time", "/v1/track", track(`"timestamp":"yesterday"`), nil, 400, `"field":"timestamp"`},
		{"sentAt", "/v1/track", track(`"timestamp":"2026-01-01T00:00:00Z","sentAt":"soon"`), nil, 400, `"field":"sentAt"`},
		{"future", "/v1/import", `{"batch":[` + track(`"timestamp":"2999-01-01T00:00:00Z"`) + `]}`, nil, 200, `"refused":1`},
		{"transition", "/v1/track", `{"userId":"ada","event":"bucket:entered:pro"}`, nil, 400, "which is for transitions"},
		{"U+0000", "/v1/track", track(`"properties":{"a":"\u0000"}`), nil, 400, "properties.a"},
		{"bad UTF-8", "/v1/track", track(`"properties":{"a":"` + "\xff" + `"}`), nil, 400, "UTF-8"},
		{"huge number", "/v1/track", track(`"properties":{"a":1e400}`), nil, 400, "properties.a"},
		{"nesting", "/v1/track", track(`"properties":` + nested), nil, 400, ""},
		{"10,000 keys", "/v1/track", track(`"properties":{` + strings.Join(manyKeys, ",") + "}"), nil, 400, "more than the 32768"},
		{"huge call", "/v1/track", track(`"properties":{"a":"` + strings.Repeat("x", 33<<10) + `"}`), nil, 400, "more than the 32768"},
		{"huge body", "/v1/batch", `{"batch":["` + strings.Repeat("x", 1<<20) + `"]}`, nil, 413, "send fewer events at once"},
		{"gzip bomb", "/v1/batch", zipped(strings.Repeat(" ", 200<<20)), header("Content-Encoding", "gzip"), 413, "send fewer events at once"},
		{"no gzip", "/v1/batch", "{}", header("Content-Encoding", "gzip"), 400, "not compressed by gzip"},
		{"cut gzip", "/v1/batch", zipped(`{"batch":[]}`)[:20], header("Content-Encoding", "gzip"), 400, "cannot be read"},
		{"encoding", "/v1/batch", "{}", header("Content-Encoding", "br"), 415, "send gzip or none"},
		{"content type", "/v1/batch", "{}", header("Content-Type", "application/xml"), 415, "send application/json"},
		{"no path", "/v1/nowhere", "{}", nil, 404, "there is nothing at POST /v1/nowhere"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, body := a.send(t, tc.path, strings.NewReader(tc.body), tc.change)
			if got.StatusCode != tc.status || !strings.Contains(body, tc.says) {
				t.Errorf("got %d %s\nwant %d with %q", got.StatusCode, body, tc.status, tc.says)
			}
			if tc.status >= 400 && got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %s, want a problem", got.Header.Get("Content-Type"))
			}
			for _, never := range []string{"goroutine", "SQLSTATE", "pgx", ".go:", "bucketgen."} {
				if strings.Contains(body, never) {
					t.Errorf("the answer gives away %q: %s", never, body)
				}
			}
		})
	}
}

// TestTrackingResults asks what became of each call of a batch.
func TestTrackingResults(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	batch := `{"batch":[
		{"type":"identify","userId":"ada","traits":{"plan":"pro"},"messageId":"1"},
		{"type":"track","userId":"ada","event":"order","messageId":"2"},
		{"type":"track","userId":"ada","event":"order","messageId":"2"},
		{"type":"track","userId":" ","event":"order","messageId":"3"},
		{"type":"alias","userId":"ada","messageId":"4"},
		7]}`
	got, body := a.send(t, "/v1/batch?results=1", strings.NewReader(zipped(batch)), header("Content-Encoding", "gzip"))
	want := `{"success":true,"accepted":3,"refused":3,"results":[` +
		`{"messageId":"1","status":"accepted"},{"messageId":"2","status":"accepted"},{"messageId":"2","status":"duplicate"},` +
		`{"messageId":"3","status":"refused","field":"userId","problem":"is empty"},` +
		`{"messageId":"4","status":"refused","field":"type","problem":"is alias; users have one userId, which cannot be changed"},` +
		`{"status":"refused","problem":"is a JSON number; write an object"}]}`
	if got.StatusCode != http.StatusOK || strings.TrimSpace(body) != want {
		t.Errorf("got %d %s\nwant %s", got.StatusCode, body, want)
	}
	ref := registrytest.Ref(t, tracked(t), "pro")
	if in, err := a.engine.Has(t.Context(), ref, "ada"); err != nil || !in {
		t.Errorf("ada is in pro: %t, %v", in, err)
	}
}

// TestClientsClock corrects the time of a client whose clock is a day ahead.
func TestClientsClock(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	ahead := time.Now().Add(24 * time.Hour).UTC()
	call := func(name, endpoint string) string {
		body := fmt.Sprintf(`{"batch":[{"type":"track","userId":%q,"event":"order","timestamp":%q}],"sentAt":%q}`,
			name, ahead.Add(-time.Hour).Format(time.RFC3339Nano), ahead.Format(time.RFC3339Nano))
		_, text := a.send(t, endpoint, strings.NewReader(body), nil)
		return text
	}
	if text := call("ada", "/v1/batch"); !strings.Contains(text, `"accepted":1`) {
		t.Error(text)
	}
	if text := call("bob", "/v1/import"); !strings.Contains(text, `"refused":1`) {
		t.Errorf("what is imported is taken by its own clock, which is in the future: %s", text)
	}
	var ago time.Duration
	err := a.pool.QueryRow(t.Context(), "select now() - occurred_at from bucketgen.events").Scan(&ago)
	if err != nil || ago < time.Hour || ago > time.Hour+time.Minute {
		t.Errorf("it happened %v ago, want an hour: %v", ago, err)
	}
}

// TestKeysEnd revokes a key, which nobody is let in by from then on, and lets one send no more than it may.
func TestKeysEnd(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	const call = `{"userId":"ada","event":"order"}`
	for _, as := range []func(*http.Request){
		nil, header("Authorization", "Bearer "+a.key), header("Content-Type", "text/plain; charset=utf-8"), header("Content-Type", ""),
	} {
		if got, body := a.send(t, "/v1/track", strings.NewReader(call), as); got.StatusCode != http.StatusOK {
			t.Errorf("got %d %s", got.StatusCode, body)
		}
	}
	if got, body := a.send(t, "/v1/track", strings.NewReader(`{"userId":"ada","event":"order","writeKey":"`+a.key+`"}`), nobody); got.StatusCode != http.StatusOK {
		t.Errorf("got %d %s", got.StatusCode, body)
	}
	first := a.key
	a.key = command(t, "keys", "create", "slow", "--rate", "2", "--database", a.url)
	statuses := map[int]int{}
	for range 3 {
		got, _ := a.send(t, "/v1/batch", strings.NewReader(`{"batch":[`+strings.Repeat(`{"type":"track","userId":"ada","event":"order"},`, 1)+`{"type":"track","userId":"ada","event":"order"}]}`), nil)
		statuses[got.StatusCode]++
		if got.StatusCode == http.StatusTooManyRequests && got.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if statuses[200] == 0 || statuses[429] == 0 {
		t.Errorf("got %v, want some of each of 200 and 429", statuses)
	}
	a.key = first
	if got := command(t, "keys", "revoke", "test", "--database", a.url); got != "revoked 1 key" {
		t.Error(got)
	}
	if got, body := a.send(t, "/v1/track", strings.NewReader(call), nil); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d %s", got.StatusCode, body)
	}
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/v1/projects/" + first + "/settings": 404} {
		if got := a.get(t, path); got.StatusCode != status {
			t.Errorf("%s: got %d, want %d", path, got.StatusCode, status)
		}
	}
}

// TestFullQueue holds the lock of a user, so that the queue fills up: it has an end, and what finds no room is told when to
// come again.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true, QueueSize: 8})
	if got, body := a.send(t, "/v1/identify", strings.NewReader(`{"userId":"ada","traits":{}}`), nil); got.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	tx, err := a.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select from bucketgen.contacts where user_id = 'ada' for no key update"); err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	full := make(chan struct{})
	var once sync.Once
	for range 32 {
		senders.Go(func() {
			got, _ := a.send(t, "/v1/track", strings.NewReader(`{"userId":"ada","event":"order"}`), nil)
			mu.Lock()
			defer mu.Unlock()
			statuses[got.StatusCode]++
			if got.StatusCode == http.StatusTooManyRequests {
				once.Do(func() { close(full) })
			}
		})
	}
	<-full
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	senders.Wait()
	var stored int
	if err := a.pool.QueryRow(t.Context(), "select count(*) from bucketgen.events where kind = 'track'").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if statuses[200] != stored || statuses[200]+statuses[429] != 32 || stored == 0 {
		t.Errorf("got %v, and %d events are stored", statuses, stored)
	}
}

// TestBombsStaySmall sends many bombs at once and looks at the memory.
func TestBombsStaySmall(t *testing.T) { //nolint:paralleltest // it measures memory
	a := newAPI(t, engine.Config{NoClock: true})
	bomb := zipped(strings.Repeat(" ", 300<<20))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var senders sync.WaitGroup
	for range 20 {
		senders.Go(func() {
			if got, body := a.send(t, "/v1/batch", strings.NewReader(bomb), header("Content-Encoding", "gzip")); got.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("got %d %s", got.StatusCode, body)
			}
		})
	}
	senders.Wait()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 200<<20 {
		t.Errorf("20 bombs of 300 MB took %d MB", took>>20)
	}
}

// BenchmarkHTTP compares batches by HTTP with the same by the Go API, turn by turn.
func BenchmarkHTTP(b *testing.B) {
	a := newAPI(b, engine.Config{NoClock: true})
	const size, workers = 100, 16
	spent := map[string]time.Duration{}
	number := 0
	for b.Loop() {
		for _, way := range []string{"go", "http"} {
			var group sync.WaitGroup
			number++
			start := time.Now()
			for w := range workers {
				stream := talk(uint64(number*workers+w), size*12)[:size]
				group.Go(func() {
					if way == "go" {
						var events []engine.Event
						for _, s := range stream {
							events = append(events, s.event())
						}
						if _, err := a.engine.IngestBatch(b.Context(), events); err != nil {
							b.Error(err)
						}
						return
					}
					if got, text := a.send(b, "/v1/batch", bytes.NewReader(body(stream)), nil); got.StatusCode != http.StatusOK {
						b.Error(text)
					}
				})
			}
			group.Wait()
			spent[way] += time.Since(start)
		}
	}
	events := float64(b.N * size * workers)
	b.ReportMetric(events/spent["go"].Seconds(), "go_events/s")
	b.ReportMetric(events/spent["http"].Seconds(), "http_events/s")
	b.ReportMetric(spent["go"].Seconds()/spent["http"].Seconds(), "ratio")
}

// body returns a stream as the body of a batch.
func body(stream []said) []byte {
	var batch []map[string]any
	for _, s := range stream {
		c := map[string]any{"type": s.kind, "userId": s.user}
		switch s.kind {
		case "identify":
			c["traits"] = s.values
		case "group":
			c["groupId"], c["traits"] = s.name, s.values
		case "page":
			c["name"], c["properties"] = s.name, s.values
		default:
			c["event"], c["properties"] = s.name, s.values
		}
		batch = append(batch, c)
	}
	text, err := json.Marshal(map[string]any{"batch": batch, "sentAt": time.Now().UTC().Format(time.RFC3339Nano)})
	if err != nil {
		panic(err)
	}
	return text
}
