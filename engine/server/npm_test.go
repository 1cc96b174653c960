//go:build sdks

package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// sdksFolder is where the SDKs of package.json are installed, by make test-sdks.
const sdksFolder = "../../tools/sdks"

// npmPatience is how long a client may take. It is no part of what is tested: what takes this long
// hangs.
const npmPatience = 2 * time.Minute

// front stands between SDKs and an API: it lets the first requests with events fail, and notes
// which calls were acknowledged.
type front struct {
	next http.Handler

	mu      sync.Mutex
	failing int             // requests with events that are answered by 503 before any gets through
	failed  int             // that were
	acked   map[string]bool // messages that were answered by 2xx, by their ids
	refused []string        // answers of 2xx that say that a call was refused
	changed chan struct{}   // closed when there are more
	paths   map[string]int  // of requests with events
}

func newFront(next http.Handler, failing int) *front {
	return &front{next: next, failing: failing, acked: map[string]bool{}, changed: make(chan struct{}), paths: map[string]int{}}
}

// ServeHTTP answers a request.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		f.next.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	ids := messageIDs(body)
	if len(ids) > 0 && f.fails() {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	answer := httptest.NewRecorder()
	f.next.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
	f.note(r, ids, answer)
}

func (f *front) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == f.failing {
		return false
	}
	f.failed++
	return true
}

func (f *front) note(r *http.Request, ids []string, answer *httptest.ResponseRecorder) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paths[r.URL.Path]++
	switch {
	case answer.Code >= http.StatusMultipleChoices || strings.Contains(answer.Body.String(), `"refused"`):
		f.refused = append(f.refused, fmt.Sprintf("%s: %d %s", r.URL.Path, answer.Code, answer.Body))
	default:
		for _, id := range ids {
			f.acked[id] = true
		}
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// wait waits until n calls are acknowledged.
func (f *front) wait(ctx context.Context, want int) error {
	for {
		f.mu.Lock()
		got, refused, changed := len(f.acked), f.refused, f.changed
		f.mu.Unlock()
		switch {
		case len(refused) > 0:
			return fmt.Errorf("refused: %s", strings.Join(refused, "; "))
		case got >= want:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d calls are acknowledged: %w", got, want, ctx.Err())
		}
	}
}

// messageIDs returns the ids of the calls in a body, of any of the APIs.
func messageIDs(body []byte) []string {
	if zipped, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		body, _ = io.ReadAll(zipped)
	}
	type call struct {
		MessageID string `json:"messageId"`
		UUID      string `json:"uuid"`
	}
	var read struct {
		call
		Batch []call `json:"batch"`
	}
	if json.Unmarshal(body, &read) != nil {
		return nil
	}
	var ids []string
	for _, c := range append(read.Batch, read.call) {
		if id := c.MessageID + c.UUID; id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// npmAPI is an API behind a front.
func npmAPI(t *testing.T, failing int) (*api, *front) {
	t.Helper()
	return behindFront(t, newAPI(t, engine.Config{NoClock: true}), failing)
}

func behindFront(t *testing.T, a *api, failing int) (*api, *front) {
	t.Helper()
	f := newFront(a.Config.Handler, failing)
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	a.URL = s.URL
	return a, f
}

// run runs a script of the folder of SDKs.
func run(t *testing.T, input []byte, script string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), npmPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{script}, args...)...)
	cmd.Dir, cmd.Stdin = sdksFolder, bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "NODE_NO_WARNINGS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("node %s %v: %v", script, args, err)
	}
	if len(out) > 0 {
		t.Logf("%s", out)
	}
}

// spoken is a call for the scripts.
func spoken(stream []said) []map[string]any {
	all := make([]map[string]any, len(stream))
	for i, s := range stream {
		all[i] = map[string]any{"kind": s.kind, "user": s.user, "name": s.name, "values": s.values}
	}
	return all
}

// compare checks that what was acknowledged is in the log, once, and that the memberships are those
// of the same stream by the Go API.
func (a *api) compare(t *testing.T, f *front, stream []said) {
	t.Helper()
	if f.failed != f.failing || f.failing == 0 {
		t.Errorf("%d requests failed, want %d", f.failed, f.failing)
	}
	if len(f.refused) > 0 || len(f.acked) != len(stream) {
		t.Errorf("%d of %d calls are acknowledged, and refused are %q", len(f.acked), len(stream), f.refused)
	}
	var stored []string
	var events int
	err := a.pool.QueryRow(t.Context(), "select array_agg(key order by key), (select count(*) from bucketgen.events) from bucketgen.idempotency_keys").Scan(&stored, &events)
	if err != nil {
		t.Fatal(err)
	}
	for id := range f.acked {
		if !slices.Contains(stored, id) {
			t.Errorf("%s was acknowledged, and is not in the log", id)
		}
	}
	if events != len(stream) {
		t.Errorf("%d events are in the log, want %d", events, len(stream))
	}
	straight := pgtest.New(t)
	e := startOn(t, straight, tracked(t), engine.Config{NoClock: true, NoDelivery: true})
	for _, s := range stream {
		if _, err := e.Ingest(t.Context(), s.event()); err != nil {
			t.Fatal(err)
		}
	}
	want := memberships(t, straight, tracked(t))
	for id, users := range want {
		if len(users) == 0 {
			t.Errorf("%s has no members, so nothing is compared", id)
		}
	}
	if diff := cmp.Diff(want, memberships(t, a.pool, tracked(t))); diff != "" {
		t.Errorf("-Go API +SDK\n%s", diff)
	}
	t.Logf("%d calls by %v, after %d that failed", len(f.acked), f.paths, f.failed)
}

// TestNodeSDKs lets the SDKs for Node.js deliver a stream to an API that fails at first.
func TestNodeSDKs(t *testing.T) {
	t.Parallel()
	for _, sdk := range []string{"segment", "rudder", "posthog"} {
		t.Run(sdk, func(t *testing.T) {
			t.Parallel()
			a, f := npmAPI(t, 2)
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			stream := talk(seed, 600)
			input, err := json.Marshal(spoken(stream))
			if err != nil {
				t.Fatal(err)
			}
			run(t, input, "node.mjs", sdk, a.URL, a.key)
			a.compare(t, f, stream)
		})
	}
}

// visits is a stream of visitors of a page, who sign in first.
func visits(prefix string, users int) []said {
	var all []said
	for i := range users {
		user := fmt.Sprintf("%s-%d", prefix, i)
		all = append(all,
			said{"identify", user, "", map[string]any{"plan": "pro", "email": user + "@example.com"}},
			said{"page", user, "Pricing", map[string]any{"n": 1}}, said{"page", user, "Docs", map[string]any{"n": 2}},
			said{"page", user, "Half an emoji \ufffd", map[string]any{"n": 3}},
			said{"group", user, "acme", map[string]any{"size": 3}},
			said{"track", user, "order", map[string]any{"total": 40}}, said{"track", user, "order", map[string]any{"total": 40}},
			said{"track", user, "order", map[string]any{"total": 40 + i}})
	}
	return all
}

// TestBrowserSDKs lets the SDKs for browsers deliver in Chromium, from a page of another origin, to
// an API that fails at first: as usual, offline and online again, and when the page is left.
func TestBrowserSDKs(t *testing.T) {
	t.Parallel()
	for _, sdk := range []string{"segment", "rudder"} {
		t.Run(sdk, func(t *testing.T) {
			t.Parallel()
			a, f := npmAPI(t, 2)
			faults, offline, leave := visits("faults", 2), visits("offline", 1), visits("leave", 1)
			mux := http.NewServeMux()
			mux.Handle("GET /", http.FileServer(http.Dir(sdksFolder)))
			mux.HandleFunc("GET /plan", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"api": a.URL, "key": a.key, "parts": map[string]any{
					"faults": spoken(faults), "offline": spoken(offline), "leave": spoken(leave),
				}})
			})
			mux.HandleFunc("GET /stored", func(w http.ResponseWriter, r *http.Request) {
				want, _ := strconv.Atoi(r.URL.Query().Get("want"))
				ctx, cancel := context.WithTimeout(r.Context(), npmPatience/2)
				defer cancel()
				if err := f.wait(ctx, want); err != nil {
					http.Error(w, err.Error(), http.StatusGatewayTimeout)
				}
			})
			page := httptest.NewServer(mux)
			defer page.Close()
			run(t, nil, "browser.mjs", sdk, page.URL)
			a.compare(t, f, slices.Concat(faults, offline, leave))
		})
	}
}
