package mirror_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/mirror"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

var (
	plan    = bucket.Text("plan")
	entered = bucket.Event("Audience Entered")
	exited  = bucket.Event("Audience Exited")

	pro  = bucket.Define(bucket.Spec{ID: "pro", Name: "Who pays", Criteria: plan.Is("pro")})
	free = bucket.Define(bucket.Spec{ID: "free", Criteria: plan.Is("free")})
)

// world is an engine with a mirror.
type world struct {
	*enginetest.World
	t *testing.T
}

func newWorld(t *testing.T, reflect func(*engine.Engine) error, definitions ...bucket.Definition) *world {
	t.Helper()
	return &world{enginetest.New(t, pgtest.New(t), registrytest.Build(t, definitions...), enginetest.Options{Prepare: reflect}), t}
}

func (w *world) identify(user, plan string) {
	w.t.Helper()
	_, err := w.Ingest(w.t.Context(), engine.Event{UserID: user, Traits: map[string]any{"plan": plan}})
	must(w.t, err)
}

// waiting has users who join a bucket wait in the outbox: the mirror is away for the first, and is
// not asked again before the clock moves.
func (w *world) waiting(p *postHog, users ...string) {
	w.t.Helper()
	p.answers(http.StatusServiceUnavailable)
	for _, user := range users {
		w.identify(user, "pro")
		eventually(w.t, func() bool { return w.Stats().Returned == 1 })
	}
}

// postHog behaves as PostHog does: it knows a key, takes an event of a UUID once, and applies
// changes as they come.
type postHog struct {
	*httptest.Server
	mu      sync.Mutex
	status  int               // that it answers instead; 0: none
	refuses func(string) bool // distinct ids that it takes no event of
	uuids   map[string]bool
	persons map[string]map[string]any
	calls   int
}

func newPostHog(t *testing.T) *postHog {
	t.Helper()
	p := &postHog{uuids: map[string]bool{}, persons: map[string]map[string]any{}, refuses: func(string) bool { return false }}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *postHog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	var body struct {
		Key   string `json:"api_key"`
		Batch []struct {
			Event      string
			DistinctID string `json:"distinct_id"`
			UUID       string
			Timestamp  time.Time
			Properties struct {
				Set   map[string]any `json:"$set"`
				Unset []string       `json:"$unset"`
			}
		}
	}
	switch err := json.NewDecoder(r.Body).Decode(&body); {
	case p.status != 0:
		http.Error(w, "not now", p.status)
		return
	case r.Method != http.MethodPost || r.URL.Path != "/batch/" || err != nil:
		http.Error(w, "nonsense", http.StatusBadRequest)
		return
	case body.Key != "phc_test":
		http.Error(w, "API key is not valid", http.StatusUnauthorized)
		return
	}
	for _, e := range body.Batch {
		if e.Event != "$set" || e.UUID == "" || e.Timestamp.IsZero() || p.refuses(e.DistinctID) {
			http.Error(w, "an event cannot be read", http.StatusBadRequest)
			return
		}
	}
	for _, e := range body.Batch {
		if p.uuids[e.UUID] {
			continue
		}
		p.uuids[e.UUID] = true
		if p.persons[e.DistinctID] == nil {
			p.persons[e.DistinctID] = map[string]any{}
		}
		maps.Copy(p.persons[e.DistinctID], e.Properties.Set)
		for _, name := range e.Properties.Unset {
			delete(p.persons[e.DistinctID], name)
		}
	}
}

func (p *postHog) answers(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

func (p *postHog) called() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

func (p *postHog) person(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.persons[id]))
}

func TestPostHogHasPropertiesOfMembers(t *testing.T) {
	t.Parallel()
	p := newPostHog(t)
	w := newWorld(t, func(e *engine.Engine) error {
		return mirror.PostHog(e, mirror.PostHogConfig{Key: "phc_test", Host: p.URL, Prefix: "shop", Properties: map[string]string{"free": "is_free"}})
	}, pro, free)
	w.identify("ada", "pro")
	w.identify("bob", "free")
	w.Settle()
	equal(t, "ada", p.person("ada"), []string{"shop_bucket_pro"})
	equal(t, "value", p.persons["ada"]["shop_bucket_pro"], any(true))
	equal(t, "bob", p.person("bob"), []string{"is_free"})
	w.identify("ada", "free")
	w.Settle()
	equal(t, "ada", p.person("ada"), []string{"is_free"})
}

// TestPostHogIsAway loses nothing while PostHog is away, and counts no attempts.
func TestPostHogIsAway(t *testing.T) {
	t.Parallel()
	p := newPostHog(t)
	p.answers(http.StatusBadGateway)
	w := newWorld(t, func(e *engine.Engine) error {
		return mirror.PostHog(e, mirror.PostHogConfig{Key: "phc_test", Host: p.URL})
	}, pro)
	w.identify("ada", "pro")
	for i := range 3 {
		eventually(t, func() bool { return w.Stats().Returned == int64(i+1) })
		w.Time.Advance(time.Minute)
	}
	equal(t, "failed", w.Stats().Failed, int64(0))
	p.answers(0)
	w.Advance(time.Minute)
	equal(t, "ada", p.person("ada"), []string{"bucketgen_bucket_pro"})
}

// TestPostHogRefusesOne has one event that PostHog does not take: the others of its batch are
// taken.
func TestPostHogRefusesOne(t *testing.T) {
	t.Parallel()
	p := newPostHog(t)
	p.refuses = func(id string) bool { return id == "u7" }
	w := newWorld(t, func(e *engine.Engine) error {
		return mirror.PostHog(e, mirror.PostHogConfig{Key: "phc_test", Host: p.URL, Buckets: []registry.BucketRef{registrytest.Ref(t, registrytest.Build(t, pro), "pro")}})
	}, pro)
	w.waiting(p, "u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9")
	p.answers(0)
	w.Time.Advance(time.Minute)
	eventually(t, func() bool { return w.Stats().Delivered == 9 && w.Stats().Failed == 1 })
	equal(t, "u8", p.person("u8"), []string{"bucketgen_bucket_pro"})
	equal(t, "u7", len(p.person("u7")), 0)
	var errors []string
	rows, err := w.Pool.Query(t.Context(), "select distinct d.error || ' ' || s.name from bucketgen.deliveries d join bucketgen.subscriptions s on s.no = d.subscription_no")
	must(t, err)
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		errors = append(errors, text)
	}
	equal(t, "error", errors, []string{"answered 400 Bad Request: an event cannot be read posthog:pro"})
}

// TestPostHogGoesAwayWhileItRefuses refuses a batch, and is away before it gets the halves: what it
// did not accept comes again, and no attempt was counted.
func TestPostHogGoesAwayWhileItRefuses(t *testing.T) {
	t.Parallel()
	p := newPostHog(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.ServeHTTP(w, r)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.status == http.StatusBadRequest {
			p.status = http.StatusServiceUnavailable
		}
	}))
	t.Cleanup(front.Close)
	w := newWorld(t, func(e *engine.Engine) error {
		return mirror.PostHog(e, mirror.PostHogConfig{Key: "phc_test", Host: front.URL})
	}, pro)
	w.waiting(p, "ada", "bob", "cy")
	p.answers(http.StatusBadRequest)
	calls := p.called()
	w.Time.Advance(time.Minute)
	eventually(t, func() bool { return w.Stats().Returned == 1+3 })
	equal(t, "calls", p.called()-calls, 2)
	p.answers(0)
	w.Advance(time.Minute)
	equal(t, "failed", w.Stats().Failed, int64(0))
	equal(t, "cy", p.person("cy"), []string{"bucketgen_bucket_pro"})
}

// TestSegmentMirrorsIntoAnotherServer has the joins and leaves of one database arrive in another as
// events.
func TestSegmentMirrorsIntoAnotherServer(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	there := enginetest.New(t, pgtest.Open(t, url), registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "mirrored", Criteria: bucket.All(entered.Where(entered.Text("audience_id").Is("pro")).Exists(), exited.Never())})),
		enginetest.Options{Begin: time.Now()})
	var key bytes.Buffer
	if code := server.Run(t.Context(), server.Host{Registry: there.Registry}, []string{"keys", "create", "mirror", "--database", url}, strings.NewReader(""), &key, &key); code != 0 {
		t.Fatal(key.String())
	}
	api := httptest.NewServer(server.NewHandler(there.Engine, there.Pool, "bucketgen", server.HTTP{}, nil))
	t.Cleanup(api.Close)

	secret, _, _ := strings.Cut(key.String(), "\n")
	long := strings.Repeat("x", 150) // whose key is longer than a messageId may be
	w := newWorld(t, func(e *engine.Engine) error {
		return mirror.Segment(e, mirror.SegmentConfig{WriteKey: secret, Host: api.URL})
	}, pro)
	mirrored := func(user string) bool {
		has, err := there.Has(t.Context(), registrytest.Ref(t, there.Registry, "mirrored"), user)
		must(t, err)
		return has
	}
	for _, user := range []string{"ada", long} {
		w.identify(user, "pro")
		w.Settle()
		equal(t, "entered", mirrored(user), true)
		w.identify(user, "free")
		w.Settle()
		equal(t, "exited", mirrored(user), false)
	}
	var properties string
	must(t, there.Pool.QueryRow(t.Context(), `select e.properties::text from bucketgen.events e
		join bucketgen.event_names n on n.no = e.event_no where n.name = 'Audience Entered' limit 1`).Scan(&properties))
	equal(t, "properties", properties, `{"audience_id": "pro", "audience_name": "Who pays"}`)
	var keys []string
	rows, err := there.Pool.Query(t.Context(), "select key from bucketgen.idempotency_keys where contact_id = 1 order by key")
	must(t, err)
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		keys = append(keys, text)
	}
	var ids []string
	for made, err := range w.History(t.Context(), "ada") {
		must(t, err)
		ids = append(ids, "mirror:"+made.Key()+" "+made.At.Format(time.RFC3339Nano))
	}
	slices.Sort(ids)
	equal(t, "message ids", keys, ids)
	equal(t, "how many", len(ids), 2)
	var longest int
	must(t, there.Pool.QueryRow(t.Context(), "select max(length(key)) from bucketgen.idempotency_keys").Scan(&longest))
	equal(t, "length of the longest", longest, 71)
}

// TestSegmentRefusesOne has a call that a server of this project does not take: it has failed, and
// the others of its batch have not.
func TestSegmentRefusesOne(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.UserAgent(), "bucketgen-mirror/"+bucketgen.Version; got != want {
			t.Errorf("got the user agent %s, want %s", got, want)
		}
		var body struct {
			Batch []struct{ UserID string }
		}
		must(t, json.NewDecoder(r.Body).Decode(&body))
		var results []map[string]string
		for _, c := range body.Batch {
			result := map[string]string{"status": "accepted"}
			if c.UserID == "bob" {
				result = map[string]string{"status": "refused", "field": "userId", "problem": "is bob"}
			}
			results = append(results, result)
		}
		must(t, json.NewEncoder(w).Encode(map[string]any{"success": true, "results": results}))
	}))
	t.Cleanup(api.Close)
	w := newWorld(t, func(e *engine.Engine) error {
		return mirror.Segment(e, mirror.SegmentConfig{WriteKey: "key", Host: api.URL})
	}, pro)
	for _, user := range []string{"ada", "bob", "cy"} {
		w.identify(user, "pro")
	}
	eventually(t, func() bool { return w.Stats().Delivered == 2 && w.Stats().Failed == 1 })
	var text string
	must(t, w.Pool.QueryRow(t.Context(), "select error from bucketgen.deliveries").Scan(&text))
	equal(t, "error", text, "refused: userId is bob")
}

// TestSegmentRefusesTheKey has an unknown key: the delivery has failed.
func TestSegmentRefusesTheKey(t *testing.T) {
	t.Parallel()
	calls := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, _, _ := r.BasicAuth(); user != "wrong" {
			t.Errorf("user %q", user)
		}
		calls++
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(api.Close)
	w := newWorld(t, func(e *engine.Engine) error {
		return mirror.Segment(e, mirror.SegmentConfig{WriteKey: "wrong", Host: api.URL})
	}, pro)
	w.identify("ada", "pro")
	eventually(t, func() bool { return w.Stats().Failed == 1 })
	equal(t, "calls", calls, 1)
}

func TestConfigsAreChecked(t *testing.T) {
	t.Parallel()
	e, err := engine.New(pgtest.New(t), registrytest.Build(t, pro), engine.Config{})
	must(t, err)
	for want, err := range map[string]error{
		"mirror.PostHogConfig.Key is empty":                                        mirror.PostHog(e, mirror.PostHogConfig{}),
		`mirror.PostHogConfig.Host is "posthog"; it must be a URL`:                 mirror.PostHog(e, mirror.PostHogConfig{Key: "k", Host: "posthog"}),
		`mirror.PostHogConfig.Properties has "poor", which is no bucket`:           mirror.PostHog(e, mirror.PostHogConfig{Key: "k", Properties: map[string]string{"poor": "p"}}),
		`mirror.PostHogConfig.Properties has an empty name for bucket "pro"`:       mirror.PostHog(e, mirror.PostHogConfig{Key: "k", Properties: map[string]string{"pro": ""}}),
		"the bucket is not in the registry":                                        mirror.PostHog(e, mirror.PostHogConfig{Key: "k", Buckets: []registry.BucketRef{registry.NewRef("poor", 7)}}),
		"mirror.SegmentConfig.WriteKey is empty":                                   mirror.Segment(e, mirror.SegmentConfig{}),
		`mirror.SegmentConfig.Host is "ftp://example.com"; it must be a URL, like`: mirror.Segment(e, mirror.SegmentConfig{WriteKey: "k", Host: "ftp://example.com"}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	must(t, mirror.Segment(e, mirror.SegmentConfig{WriteKey: "k"}))
	must(t, mirror.PostHog(e, mirror.PostHogConfig{Key: "k"}))
	if err := mirror.PostHog(e, mirror.PostHogConfig{Key: "k"}); err == nil || !strings.Contains(err.Error(), `forwarder "posthog": there is another`) {
		t.Errorf("again: got %v", err)
	}
}

// eventually waits for what another goroutine brings about.
var eventually = waitfor.That

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got\n%s", what, diff)
	}
}
