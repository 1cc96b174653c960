package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

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

func anonymous(r *http.Request) { r.Header.Del("Authorization") }

// TestTrackingRefuses sends invalid calls, and expects clear answers that give nothing away.
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
		{"no key", "/v1/track", track(`"messageId":"1"`), anonymous, 401, "there is no key"},
		{"unknown key", "/v1/track", track(`"messageId":"1"`), header("Authorization", "Bearer nonsense"), 401, "the key is not known"},
		{"unknown key in the body", "/v1/track", track(`"writeKey":"x"`), anonymous, 401, "the key is not known"},
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
		{"alias of anonymous", "/v1/alias", `{"userId":"ada"}`, nil, 400, `"field":"previousId"`},
		{"alias for anonymous", "/v1/alias", `{"previousId":"x"}`, nil, 400, `"field":"userId"`},
		{"time", "/v1/track", track(`"timestamp":"yesterday"`), nil, 400, `"field":"timestamp"`},
		{"sentAt", "/v1/track", track(`"timestamp":"2026-01-01T00:00:00Z","sentAt":"soon"`), nil, 400, `"field":"sentAt"`},
		{"future", "/v1/import", `{"batch":[` + track(`"timestamp":"2999-01-01T00:00:00Z"`) + `]}`, nil, 400, `"field":"batch[0].timestamp"`},
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
		`{"messageId":"4","status":"refused","field":"previousId","problem":"is empty"},` +
		`{"status":"refused","problem":"is a JSON number; send an object"}]}`
	if got.StatusCode != http.StatusOK || strings.TrimSpace(body) != want {
		t.Errorf("got %d %s\nwant %s", got.StatusCode, body, want)
	}
	ref := registrytest.Ref(t, tracked(t), "pro")
	if in, err := a.engine.Has(t.Context(), ref, "ada"); err != nil || !in {
		t.Errorf("ada is in pro: %t, %v", in, err)
	}
}

// TestAlias lets a visitor become a user, by a call of its own and in the middle of a batch: what
// comes before it is the visitor's, and what comes after it the user's, by whichever name.
func TestAlias(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.key = command(t, "keys", "create", "backend", "--server", "--database", a.url)
	for _, call := range []struct {
		path, body, want string
		status           int
	}{
		{"/v1/identify", `{"userId":"anon-1","traits":{"plan":"pro"}}`, `{"success":true}`, 200},
		{"/v1/alias", `{"previousId":"anon-1","userId":"ada","messageId":"1"}`, `{"success":true}`, 200},
		{"/v1/alias", `{"previousId":"anon-1","userId":"ada","messageId":"1"}`, `{"success":true}`, 200},
		{"/v1/batch?results=1", `{"batch":[
			{"type":"identify","userId":"bob","traits":{"plan":"free"}},
			{"type":"identify","userId":"anon-2","traits":{"plan":"pro"}},
			{"type":"alias","previousId":"anon-2","userId":"bob"},
			{"type":"alias","previousId":"anon-2"},
			{"type":"identify","userId":"anon-2","traits":{"plan":"pro"}}]}`, `{"success":true,"accepted":4,"refused":1,"results":[` +
			`{"status":"accepted"},{"status":"accepted"},{"status":"accepted"},{"status":"refused","field":"userId","problem":"is empty"},{"status":"accepted"}]}`, 200},
	} {
		got, body := a.send(t, call.path, strings.NewReader(call.body), nil)
		if got.StatusCode != call.status || strings.TrimSpace(body) != call.want {
			t.Errorf("%s: got %d %s\nwant %d %s", call.path, got.StatusCode, body, call.status, call.want)
		}
	}
	ref := registrytest.Ref(t, tracked(t), "pro")
	for _, user := range []string{"ada", "anon-1", "bob", "anon-2"} {
		if in, err := a.engine.Has(t.Context(), ref, user); err != nil || !in {
			t.Errorf("%s is in pro: %t, %v", user, in, err)
		}
	}
	if err := a.engine.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if got, body := a.send(t, "/v1/alias", strings.NewReader(`{"previousId":"anon-3","userId":"ada"}`), nil); got.StatusCode != http.StatusBadRequest || !strings.Contains(body, "deleted") {
		t.Errorf("got %d %s, want that the user is deleted", got.StatusCode, body)
	}
}

// TestAliasWaits gets 503 for an alias while other definitions are deployed than the server has.
func TestAliasWaits(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.key = command(t, "keys", "create", "backend", "--server", "--database", a.url)
	other, err := engine.New(a.pool, registrytest.Build(t, viewers), engine.Config{})
	if err == nil {
		_, err = other.Deploy(t.Context(), engine.DeployOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	got, body := a.send(t, "/v1/alias", strings.NewReader(`{"previousId":"anon-1","userId":"ada"}`), nil)
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %s %v, want that it is sent again", got.StatusCode, body, got.Header)
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
	if text := call("bob", "/v1/import"); !strings.Contains(text, "is in the future") {
		t.Errorf("what is imported is taken by its own clock, which is in the future: %s", text)
	}
	var ago time.Duration
	err := a.pool.QueryRow(t.Context(), "select now() - occurred_at from bucketgen.events").Scan(&ago)
	if err != nil || ago < time.Hour || ago > time.Hour+time.Minute {
		t.Errorf("it happened %v ago, want an hour: %v", ago, err)
	}
}

// TestKeysEnd revokes a key, which is refused from then on, and lets one send no more than it may.
func TestKeysEnd(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(time.Now().Unix())
	a := newAPI(t, engine.Config{NoClock: true, Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	const call = `{"userId":"ada","event":"order"}`
	for _, as := range []func(*http.Request){
		nil, header("Authorization", "Bearer "+a.key), header("Content-Type", "text/plain; charset=utf-8"), header("Content-Type", ""),
	} {
		if got, body := a.send(t, "/v1/track", strings.NewReader(call), as); got.StatusCode != http.StatusOK {
			t.Errorf("got %d %s", got.StatusCode, body)
		}
	}
	if got, body := a.send(t, "/v1/track", strings.NewReader(`{"userId":"ada","event":"order","writeKey":"`+a.key+`"}`), anonymous); got.StatusCode != http.StatusOK {
		t.Errorf("got %d %s", got.StatusCode, body)
	}
	first := a.key
	a.key = command(t, "keys", "create", "slow", "--rate", "2", "--database", a.url)
	const two = `{"batch":[{"type":"track","userId":"ada","event":"order"},{"type":"track","userId":"ada","event":"order"}]}`
	for second, want := range [][]int{{http.StatusOK, http.StatusTooManyRequests}, {http.StatusOK, http.StatusTooManyRequests}} {
		for _, status := range want {
			got, body := a.send(t, "/v1/batch", strings.NewReader(two), nil)
			if got.StatusCode != status || (got.Header.Get("Retry-After") == "1") != (status == http.StatusTooManyRequests) {
				t.Errorf("second %d: got %d %v %s, want %d", second, got.StatusCode, got.Header, body, status)
			}
		}
		now.Add(1)
	}
	a.key = first
	if got := command(t, "keys", "revoke", "test", "--database", a.url); got != "revoked 1 key" {
		t.Error(got)
	}
	if got, body := a.send(t, "/v1/track", strings.NewReader(call), nil); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d %s", got.StatusCode, body)
	}
	a.key = command(t, "keys", "create", "board", "--read", "--database", a.url)
	if got, body := a.send(t, "/v1/track", strings.NewReader(call), nil); got.StatusCode != http.StatusForbidden ||
		!strings.Contains(body, `\"board\" is a read key; this takes a write key, a server key or an admin key`) {
		t.Errorf("got %d %s", got.StatusCode, body)
	}
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/v1/projects/" + first + "/settings": 404} {
		if got := a.get(t, path); got.StatusCode != status {
			t.Errorf("%s: got %d, want %d", path, got.StatusCode, status)
		}
	}
}

// TestFullQueue holds the lock of a user, so that the queue fills up: it is bounded, and a refused
// call gets the time to come again.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]engine.Config{
		"events": {NoClock: true, QueueSize: 8},
		"bytes":  {NoClock: true, QueueBytes: 8 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fillQueue(t, newAPI(t, config))
		})
	}
}

func fillQueue(t *testing.T, a *api) {
	t.Helper()
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
	if err := a.pool.QueryRow(t.Context(), "select count(*) from bucketgen.events where kind <> 'identify'").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if statuses[200] != stored || statuses[200]+statuses[429] != 32 || stored == 0 {
		t.Errorf("got %v, and %d events are stored", statuses, stored)
	}
}

// TestBombsStaySmall sends many bombs at once and measures the memory.
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

// TestPayloadsSetProperties sends what a declared property is called, in a payload: it is the
// user's if that is wanted.
func TestPayloadsSetProperties(t *testing.T) {
	t.Parallel()
	for _, store := range []bool{false, true} {
		a := newAPI(t, engine.Config{NoClock: true})
		a.Config.Handler = server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{StoreProperties: store}, nil)
		call := `{"userId":"ada","event":"order","properties":{"plan":"pro"}}`
		if got, body := a.send(t, "/v1/track", strings.NewReader(call), nil); got.StatusCode != http.StatusOK {
			t.Fatal(body)
		}
		ref, _ := a.engine.Registry().Ref("pro")
		if member, err := a.engine.Has(t.Context(), ref, "ada"); err != nil || member != store {
			t.Errorf("StoreProperties %t: ada is in pro: %t, %v", store, member, err)
		}
	}
}

// TestSlowBody sends the beginning of a body and no more.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.Config.Handler = server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{Read: time.Second}, nil)
	body, rest := io.Pipe()
	defer rest.Close()
	go func() { _, _ = io.WriteString(rest, `{"userId":"ada",`) }()
	if got, says := a.send(t, "/v1/track", body, nil); got.StatusCode != http.StatusRequestTimeout || !strings.Contains(says, "did not arrive within 1s") {
		t.Errorf("got %d %s", got.StatusCode, says)
	}
	if got, says := a.send(t, "/v1/track", strings.NewReader(`{"userId":"ada","event":"order"}`), nil); got.StatusCode != http.StatusOK {
		t.Errorf("the next: got %d %s", got.StatusCode, says)
	}
}
