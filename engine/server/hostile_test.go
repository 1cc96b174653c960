package server_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// ask sends a request whose path is sent as it is, with a key.
func (m *managed) ask(t testing.TB, method, path, body string, change func(*http.Request)) (answer, string) {
	t.Helper()
	where, query, _ := strings.Cut(path, "?")
	r, err := http.NewRequestWithContext(t.Context(), method, m.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque, r.URL.RawQuery = where, query
	r.Header.Set("Authorization", "Bearer "+m.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(r)
	}
	return m.do(t, r)
}

// isProblem checks the answer to an invalid request.
func isProblem(t *testing.T, got answer, body string) {
	t.Helper()
	if got.StatusCode < 400 || got.StatusCode > 499 {
		t.Errorf("got %d %s, want a status of 4xx", got.StatusCode, body)
	}
	var p client.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || int(p.Status) != got.StatusCode || p.Title == "" || p.Detail == "" {
		t.Errorf("got %q, %v; want a problem that says what is wrong", body, err)
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("it is %s", kind)
	}
	givesNothingAway(t, body)
}

// givesNothingAway checks that nothing internal is in an answer.
func givesNothingAway(t testing.TB, body string) {
	t.Helper()
	for _, never := range []string{"goroutine", "panic", "SQLSTATE", "pgx", ".go:", "bucketgen."} {
		if strings.Contains(body, never) {
			t.Errorf("the answer gives away %q: %.500s", never, body)
		}
	}
}

// TestManageRefuses sends invalid requests.
func TestManageRefuses(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	m.is(t, "ada", "pro")
	const members, replay = "/v1/buckets/pro/members", "/v1/outbox/dead/replay"
	for _, tc := range []struct {
		name, method, path, body string
		change                   func(*http.Request)
		status                   int
		says                     string
	}{
		{"nowhere", "GET", "/v1/nowhere", "", nil, 404, "there is nothing at GET /v1/nowhere"},
		{"root", "GET", "/", "", nil, 404, "there is nothing"},
		{"slash behind", "GET", "/v1/buckets/", "", nil, 404, "a part of the path is empty"},
		{"two slashes", "GET", "/v1//buckets", "", nil, 404, "a part of the path is empty"},
		{"dots", "GET", "/v1/users/../buckets", "", nil, 404, "write the dots of an id as %2E"},
		{"dots change nothing", "DELETE", "/v1/users/..", "", nil, 404, "write the dots of an id as %2E"},
		{"wrong method", "POST", "/v1/buckets", "{}", nil, 405, "takes GET, HEAD, not POST"},
		{"delete a list", "DELETE", members, "", nil, 405, "takes GET, HEAD, POST, not DELETE"},
		{"made up method", "FROB", "/v1/plan", "", nil, 405, "takes GET, HEAD, not FROB"},
		{"get of a change", "GET", replay, "", nil, 405, "takes POST, not GET"},
		{"preflight", "OPTIONS", "/v1/buckets", "", nil, 405, "takes GET, HEAD, not OPTIONS"},
		{"get of a track", "GET", "/v1/track", "", nil, 405, "takes OPTIONS, POST, not GET"},
		{"no key", "GET", "/v1/buckets", "", anonymous, 401, "there is no key"},
		{"document without key", "GET", "/v1/openapi.yaml", "", anonymous, 401, "there is no key"},
		{"unknown key", "GET", "/v1/buckets", "", header("Authorization", "Bearer x\xff"), 401, "the key is not known"},
		{"HTML", "GET", "/v1/buckets", "", header("Accept", "text/html"), 406, "answers are application/json"},
		{"anything but JSON", "GET", "/v1/buckets", "", header("Accept", "text/html, application/json;q=0"), 406, "answers are application/json"},
		{"limit 0", "GET", members + "?limit=0", "", nil, 400, "is 0; it must be 1 or more"},
		{"limit -1", "GET", members + "?limit=-1", "", nil, 400, "is -1; it must be 1 or more"},
		{"limit 1e9", "GET", members + "?limit=1000000000", "", nil, 400, "it must be 1000 or less"},
		{"limit as a word", "GET", members + "?limit=1e9", "", nil, 400, `is \"1e9\"; write a whole number`},
		{"limit beyond numbers", "GET", members + "?limit=99999999999999999999", "", nil, 400, "write a whole number"},
		{"limit twice", "GET", members + "?limit=1&limit=2", "", nil, 400, "is given 2 times; give it once"},
		{"bad escape", "GET", members + "?limit=%zz", "", nil, 400, "percent-encode what is in it"},
		{"semicolon", "GET", members + "?limit=1;after=x", "", nil, 400, "percent-encode what is in it"},
		{"unknown parameter", "GET", members + "?page=2", "", nil, 400, "is not a parameter of this operation"},
		{"several", "GET", members + "?limit=0&asOf=soon", "", nil, 400, `"others":[{"field":"asOf"`},
		{"cursor", "GET", members + "?after=../../etc", "", nil, 400, `"field":"after"`},
		{"long cursor", "GET", members + "?after=" + strings.Repeat("A", 20_000), "", nil, 400, `"field":"after"`},
		{"as of yesterday", "GET", members + "?asOf=yesterday", "", nil, 400, "write a time like 2026-12-01T00:00:00Z"},
		{"as of a date", "GET", members + "?asOf=2026-02-30T00:00:00Z", "", nil, 400, "write a time like 2026-12-01T00:00:00Z"},
		{"long query", "GET", members + "?x=" + strings.Repeat("y", 30_000), "", nil, 400, "is not a parameter of this operation"},
		{"many parameters", "GET", members + "?" + strings.Repeat("a&", 5_000), "", nil, 400, "is given"},
		{"all of time", "GET", "/v1/buckets/pro/sizes?from=0001-01-01T00:00:00Z", "", nil, 200, ""},
		{"all of time but a second", "GET", "/v1/buckets/pro/sizes?from=0001-01-01T00:00:01Z", "", nil, 400, `"field":"from"`},
		{"all of time to come", "GET", "/v1/buckets/pro/sizes?to=9999-12-31T23:59:59Z&from=0000-01-01T00:00:00Z", "", nil, 400, `"field":"from"`},
		{"the year 10000", "GET", "/v1/buckets/pro/sizes?to=9999-12-31T23:59:59-14:00&from=9999-12-31T00:00:00Z", "", nil, 400, `"field":"to"`},
		{"step", "GET", "/v1/buckets/pro/sizes?step=week", "", nil, 400, `is \"week\"; use hour or day`},
		{"sample of nothing", "GET", "/v1/plan?sample=0", "", nil, 400, "is 0; it must be more than 0"},
		{"sample NaN", "GET", "/v1/plan?sample=NaN", "", nil, 400, "it must be more than 0"},
		{"sample -Inf", "GET", "/v1/plan?sample=-Inf", "", nil, 400, "it must be more than 0"},
		{"bucket of another kind", "GET", "/v1/buckets/%00%ff", "", nil, 404, "there is no bucket of this id"},
		{"long bucket", "GET", "/v1/buckets/" + strings.Repeat("x", 20_000), "", nil, 404, "there is no bucket of this id"},
		{"long user", "GET", "/v1/users/" + strings.Repeat("x", 256) + "/buckets", "", nil, 400, `"field":"user"`},
		{"bad UTF-8", "GET", "/v1/users/%ff/buckets", "", nil, 400, `"field":"user"`},
		{"U+0000", "PUT", "/v1/buckets/testers/members/a%00b", "", nil, 400, `"field":"user"`},
		{"blank", "DELETE", "/v1/users/%20", "", nil, 400, `"field":"user"`},
		{"no body", "POST", replay, "", nil, 400, "there is no body"},
		{"no JSON", "POST", replay, "{", nil, 400, "is not JSON"},
		{"array", "POST", replay, "[]", nil, 400, "the body is an array; send an object"},
		{"unknown field", "POST", replay, `{"id":1}`, nil, 400, "is not a property of this object"},
		{"ids of words", "POST", replay, `{"ids":["1"]}`, nil, 400, `"field":"ids[0]"`},
		{"ids of fractions", "POST", replay, `{"ids":[1.5]}`, nil, 400, "is 1.5; write a whole number"},
		{"ids beyond numbers", "POST", replay, `{"ids":[1e30]}`, nil, 400, ""},
		{"no ids", "POST", replay, `{"ids":[]}`, nil, 400, `"field":"ids"`},
		{"null", "POST", replay, `{"ids":null}`, nil, 400, `"field":"ids"`},
		{"too many ids", "POST", replay, `{"ids":[1` + strings.Repeat(",1", 1000) + "]}", nil, 400, `"field":"ids"`},
		{"deep", "POST", replay, strings.Repeat(`{"ids":[`, 4_000), nil, 400, "is not JSON"},
		{"deep and whole", "POST", replay, `{"ids":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}", nil, 400, ""},
		{"huge", "POST", replay, `{"ids":[` + strings.Repeat("1,", 1<<20) + "1]}", nil, 413, "more than 65536 bytes"},
		{"XML", "POST", replay, "<all/>", header("Content-Type", "application/xml"), 415, "send application/json"},
		{"text", "POST", replay, "{}", header("Content-Type", "text/plain"), 415, "send application/json"},
		{"form", "POST", replay, "all=true", header("Content-Type", "application/x-www-form-urlencoded"), 415, "send application/json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, body := m.ask(t, tc.method, tc.path, tc.body, tc.change)
			if got.StatusCode != tc.status || !strings.Contains(body, tc.says) {
				t.Errorf("got %d %.1000s\nwant %d with %q", got.StatusCode, body, tc.status, tc.says)
			}
			if tc.status >= 400 {
				isProblem(t, got, body)
			}
			if len(body) > 2_000 && tc.status >= 400 {
				t.Errorf("the answer has %d bytes", len(body))
			}
		})
	}
}

// TestManageKeys shows each operation keys of every kind, and one that is revoked.
func TestManageKeys(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	m.is(t, "ada", "pro")
	for path, item := range m.document(t).Paths {
		for method := range item {
			path, body := requestFor(path)
			if method+path == "post/v1/sessions" {
				continue // its key is in the body: TestSession
			}
			// Readers begin jobs, end what is theirs, and imagine.
			own := []string{"delete/v1/sessions", "post/v1/jobs", "post/v1/suppressions/check", "delete/v1/jobs/{id}", "post/v1/users/bob/what-if"}
			reads := method == "get" || slices.Contains(own, method+path)
			for key, allowed := range map[string]bool{m.write: false, m.board: reads, m.ops: true} {
				got, says := m.ask(t, strings.ToUpper(method), path, body, header("Authorization", "Bearer "+key))
				forbidden := got.StatusCode == http.StatusForbidden
				if forbidden == allowed {
					t.Errorf("%s %s by key %.8s: got %d %s, want it allowed: %t", method, path, key, got.StatusCode, says, allowed)
				}
				if forbidden {
					isProblem(t, got, says)
				}
			}
		}
	}
	for path, kind := range map[string]string{"/v1/openapi.json": "application/json", "/v1/openapi.yaml": "application/yaml"} {
		got, body := m.ask(t, "GET", path, "", func(r *http.Request) { r.Header.Del("Authorization"); r.SetBasicAuth(m.board, "") })
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != kind || !strings.Contains(body, "/v1/buckets/{bucket}") {
			t.Errorf("%s: got %d %s", path, got.StatusCode, got.Header.Get("Content-Type"))
		}
	}
	if got := command(t, "keys", "revoke", "board", "--database", m.url); got != "revoked 1 key" {
		t.Error(got)
	}
	_, err := m.read.ListBuckets(t.Context(), client.ListBucketsParams{})
	refused(t, "a key that is revoked", err, 401, "")
}

// requestFor returns the path and the body of a request to an operation of the document.
func requestFor(path string) (asked, body string) {
	path = strings.NewReplacer("{bucket}", "testers", "{user}", "bob").Replace(path)
	switch {
	case strings.HasSuffix(path, "replay"):
		return path, `{"all":true}`
	case strings.HasSuffix(path, "what-if"):
		return path, `{"events":[{"name":"visit"}]}`
	case path == "/v1/stream":
		return path + "?kind=none", "" // so that it ends
	}
	return path, ""
}

// document is the OpenAPI document of the server.
func (m *managed) document(t testing.TB) (document struct {
	Paths map[string]map[string]any
},
) {
	t.Helper()
	got, body := m.ask(t, "GET", "/v1/openapi.json", "", nil)
	if err := json.Unmarshal([]byte(body), &document); err != nil || len(document.Paths) < 15 {
		t.Fatalf("got %d, %d paths: %v", got.StatusCode, len(document.Paths), err)
	}
	return document
}

// TestManageKeysRate lets a read key ask no more than it may.
func TestManageKeysRate(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	slow := m.as(t, command(t, "keys", "create", "slow", "--read", "--rate", "2", "--database", m.url))
	for range 2 {
		if _, err := slow.GetOutbox(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := slow.GetOutbox(t.Context())
	refused(t, "a third", err, 429, "")
}

// TestManageAway takes the tables away: no answer names them.
func TestManageAway(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	if _, err := m.pool.Exec(t.Context(), "alter table bucketgen.memberships rename to gone"); err != nil {
		t.Fatal(err)
	}
	got, body := m.ask(t, "GET", "/v1/buckets/pro/members", "", nil)
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "1" { // tables may come back
		t.Errorf("got %d %s", got.StatusCode, body)
	}
	givesNothingAway(t, body)
	later := func(what, says string) {
		t.Helper()
		got, body := m.ask(t, "GET", "/v1/outbox", "", nil)
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "1" || !strings.Contains(body, says) {
			t.Errorf("%s: got %d %v %s", what, got.StatusCode, got.Header, body)
		}
		givesNothingAway(t, body)
	}
	whole := m.Config.Handler
	m.Config.Handler = server.NewHandler(m.engine, m.pool, "bucketgen", server.HTTP{Wait: 1}, nil)
	later("no time", "the request took too long; retry")
	m.Config.Handler = whole
	if err := m.engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	later("no engine", "the server is stopping; retry")
	m.pool.Close()
	later("no database", "the key cannot be checked")
}

// TestManageAwayLogsLittle fails many requests, which write one line to the log.
func TestManageAwayLogsLittle(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	if _, err := m.pool.Exec(t.Context(), "alter table bucketgen.memberships rename to gone"); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	m.Config.Handler = server.NewHandler(m.engine, m.pool, "bucketgen", server.HTTP{}, slog.New(slog.NewTextHandler(&log, nil)))
	for range 20 {
		if got, body := m.ask(t, "GET", "/v1/buckets/pro/members", "", nil); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("got %d %s", got.StatusCode, body)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), `level=WARN msg="management request failed"`) {
		t.Errorf("got %d lines, want 1:\n%s", lines, &log)
	}
}

// TestManageStaysSmall sends many bodies without end at once and measures the memory.
func TestManageStaysSmall(t *testing.T) { //nolint:paralleltest // it measures memory
	m := newManaged(t)
	send := func() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/outbox/dead/replay", endless{})
		r.Header.Set("Authorization", "Bearer "+m.ops)
		w := &recorded{header: http.Header{}, status: http.StatusOK}
		m.Config.Handler.ServeHTTP(w, r)
		if w.status != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d %s", w.status, &w.body)
		}
	}
	send()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var senders sync.WaitGroup
	for range 20 {
		senders.Go(send)
	}
	senders.Wait()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
		t.Errorf("20 bodies without end took %d MB", took>>20)
	}
}

// endless is a body that goes on.
type endless struct{}

// Read reads brackets.
func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '['
	}
	return len(b), nil
}
