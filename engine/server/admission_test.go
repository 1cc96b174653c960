package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
)

// countedBody is a body that counts what is read of it, and may have no end.
type countedBody struct {
	io.Reader

	read atomic.Int64
}

func (c *countedBody) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.read.Add(int64(n))
	return n, err
}

func (*countedBody) Close() error { return nil }

// forever repeats a text.
type forever struct {
	text string
	at   int
}

func (f *forever) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = f.text[f.at%len(f.text)]
		f.at++
	}
	return len(b), nil
}

// direct sends a request to the handler of an API, without a network that reads ahead.
func (a *api) direct(t testing.TB, path string, body io.Reader, change ...func(*http.Request)) *recorded {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
	r.Header.Set("Content-Type", "application/json")
	for _, change := range change {
		change(r)
	}
	w := &recorded{header: http.Header{}, status: http.StatusOK}
	a.Config.Handler.ServeHTTP(w, r)
	return w
}

func basic(key string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(key, "") }
}

// TestKeyBeforeBody reads nothing of a body before the key is known, wherever it stands in the
// headers, and little of one whose key stands in it.
func TestKeyBeforeBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	read := command(t, "keys", "create", "board", "--read", "--database", a.url)
	const most = 64<<10 + 4<<10
	bomb := zipped(strings.Repeat(" ", 50<<20))
	for _, tc := range []struct {
		name   string
		body   io.Reader
		change func(*http.Request)
		status int
		most   int64
	}{
		{"unknown key", &forever{text: "["}, basic("bg_write_X"), 401, 0},
		{"another kind", &forever{text: "["}, basic(read), 403, 0},
		{"unknown token", &forever{text: "["}, header("Authorization", "Bearer x"), 401, 0},
		{"content type", &forever{text: "["}, header("Content-Type", "text/csv"), 415, 0},
		{"no key", &forever{text: "["}, nil, 401, most},
		{"no key in items", io.MultiReader(strings.NewReader(`{"batch":[`), &forever{text: `"",`}), nil, 413, most},
		{"no key in a bomb", strings.NewReader(bomb), header("Content-Encoding", "gzip"), 401, 17 << 10},
		{"no key in what does not decompress", &forever{text: "\x00"}, header("Content-Encoding", "gzip"), 400, 17 << 10},
		{"unknown key first", io.MultiReader(strings.NewReader(`{"writeKey":"x",`), &forever{text: "["}), nil, 401, most},
		{"key of another kind first", io.MultiReader(strings.NewReader(`{"writeKey":"`+read+`",`), &forever{text: "["}), nil, 403, most},
	} {
		body := &countedBody{Reader: tc.body}
		if tc.change == nil {
			tc.change = anonymous
		}
		got := a.direct(t, "/v1/batch", body, tc.change)
		if got.status != tc.status || body.read.Load() > tc.most {
			t.Errorf("%s: got %d %s after %d bytes, want %d after at most %d", tc.name, got.status, &got.body, body.read.Load(), tc.status, tc.most)
		}
	}
}

// TestKeyInBody finds the key of SDKs that cannot set headers, wherever it stands, and takes what
// they send.
func TestKeyInBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	call := `{"type":"track","userId":"ada","event":"order"}`
	large := call + strings.Repeat(","+call, 999) + strings.Repeat(" ", 400<<10)
	for name, body := range map[string]string{
		"first":              `{"writeKey":"` + a.key + `","batch":[` + call + `]}`,
		"last":               `{"batch":[` + call + `],"sentAt":"2026-01-01T00:00:00Z","writeKey":"` + a.key + `"}`,
		"first of very much": `{"writeKey":"` + a.key + `","batch":[` + large + `]}`,
		"last of much":       `{"batch":[` + call + strings.Repeat(","+call, 999) + strings.Repeat(" ", 10<<10) + `],"writeKey":"` + a.key + `"}`,
	} {
		for encoding, text := range map[string]string{"": body, "gzip": zipped(body)} {
			if got, says := a.send(t, "/v1/batch", strings.NewReader(text), func(r *http.Request) {
				anonymous(r)
				r.Header.Set("Content-Encoding", encoding)
			}); got.StatusCode != http.StatusOK {
				t.Errorf("%s, %q: got %d %s", name, encoding, got.StatusCode, says)
			}
		}
	}
	if got, says := a.send(t, "/v1/batch", strings.NewReader(`{"batch":[`+large+`],"writeKey":"`+a.key+`"}`), anonymous); got.StatusCode != http.StatusUnauthorized ||
		!strings.Contains(says, "as writeKey in the first 65536 bytes of the body") {
		t.Errorf("behind very much: got %d %s", got.StatusCode, says)
	}
}

// TestManyKeysInBodies sends 200 bodies with a valid key in each at once. Those that find no room
// are refused unread, and are taken when they come again, as SDKs do.
func TestManyKeysInBodies(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	body := `{"api_key":"` + a.key + `","batch":[{"event":"order","distinct_id":"ada"}]}`
	var senders sync.WaitGroup
	for range 200 {
		senders.Go(func() {
			eventually(t, func() bool {
				got := a.direct(t, "/batch", strings.NewReader(body), anonymous)
				if got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") == "1" {
					return false
				}
				if got.status != http.StatusOK {
					t.Errorf("got %d %s", got.status, &got.body)
				}
				return true
			})
		})
	}
	senders.Wait()
}

// TestKeylessBodiesAreRefusedUnread sends bodies without a key until there is no time left for
// them. Of a further one nothing is read.
func TestKeylessBodiesAreRefusedUnread(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.Config.Handler = server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{Refusals: 100_000}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	defer senders.Wait()
	defer cancel()
	var waiting, unread atomic.Int64
	for range 200 {
		senders.Go(func() {
			body := &countedBody{Reader: io.MultiReader(strings.NewReader(`{"batch":[`), &blocked{ctx, &waiting})}
			got := a.direct(t, "/v1/batch", body, anonymous)
			if got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") == "1" && body.read.Load() == 0 {
				unread.Add(1)
			}
		})
	}
	eventually(t, func() bool { return waiting.Load()+unread.Load() == 200 })
	if waiting.Load() == 0 || unread.Load() == 0 {
		t.Errorf("%d bodies are read and %d are refused unread, want some of each", waiting.Load(), unread.Load())
	}
	if got := a.direct(t, "/v1/batch", strings.NewReader(`{"batch":[]}`), basic(a.key)); got.status != http.StatusOK {
		t.Errorf("a key in a header: got %d %s", got.status, &got.body)
	}
}

// TestItemsAreBounded refuses a batch of too many items while it arrives.
func TestItemsAreBounded(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	for name, items := range map[string]string{"numbers": "1,", "objects": "{},", "arrays": "[[1,2],3],"} {
		body := &countedBody{Reader: strings.NewReader(`{"batch":[` + strings.Repeat(items, 40_000) + "1]}")}
		got := a.direct(t, "/v1/batch", body, basic(a.key))
		if got.status != http.StatusRequestEntityTooLarge || !strings.Contains(got.body.String(), "more than 1000 items") || body.read.Load() > 64<<10 {
			t.Errorf("%s: got %d %s after %d bytes", name, got.status, &got.body, body.read.Load())
		}
	}
	if got := a.direct(t, "/v1/batch", strings.NewReader(`{"batch":[`+strings.Repeat("1,", 999)+`{"type":"track","userId":"ada","event":"order"}]}`), basic(a.key)); got.status != http.StatusOK {
		t.Errorf("1,000 items: got %d %s", got.status, &got.body)
	}
}

// TestAnswersAreBounded asks for the results of a batch whose items are as bad as can be.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	long := strings.Repeat("<", 20_000)
	for name, item := range map[string]string{
		"names":  `{"` + long + `":1,"` + long + `":1}`,
		"ids":    `{"type":"track","userId":"ada","event":"order","messageId":"` + long + `"}`,
		"types":  `{"type":"` + long + `","userId":"ada"}`,
		"times":  `{"type":"track","userId":"ada","event":"order","timestamp":"` + long + `"}`,
		"values": `{"type":"track","userId":"ada","event":"order","properties":{"` + long + `":"\u0000"}}`,
	} {
		n := 450_000 / len(item)
		got := a.direct(t, "/v1/batch?results=1", strings.NewReader(`{"batch":[`+strings.Repeat(item+",", n)+item+"]}"), basic(a.key))
		if got.status >= 500 || got.body.Len() > (n+1)*4096 {
			t.Errorf("%s: got %d and %d bytes for %d items", name, got.status, got.body.Len(), n+1)
		}
	}
	for name, body := range map[string]string{
		"field": `{"userId":"ada","event":"order","properties":{"` + long + `":"\u0000"}}`,
		"type":  `{"userId":"ada","type":"` + long + `"}`,
		"id":    `{"userId":"` + long + `","event":"order"}`,
	} {
		if got := a.direct(t, "/v1/track", strings.NewReader(body), basic(a.key)); got.status != http.StatusBadRequest || got.body.Len() > 4096 {
			t.Errorf("%s: got %d and %d bytes", name, got.status, got.body.Len())
		}
	}
}

// TestBatchesAreChargedWhole lets a key with a rate have no more than that, whatever its batches
// are made of.
func TestBatchesAreChargedWhole(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(time.Now().Unix())
	a := newAPI(t, engine.Config{NoClock: true, Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	key := command(t, "keys", "create", "slow", "--rate", "5", "--database", a.url)
	send := func(name, path, body string, status int, later string) {
		t.Helper()
		got := a.direct(t, path, strings.NewReader(body), basic(key))
		if got.status != status || got.header.Get("Retry-After") != later {
			t.Errorf("%s: got %d %v %s, want %d and %q", name, got.status, got.header, &got.body, status, later)
		}
	}
	batch := func(n int, item string) string { return `{"batch":[` + strings.Repeat(item+",", n-1) + item + "]}" }
	const good, bad = `{"type":"track","userId":"ada","event":"order"}`, `{"type":"track"}`
	send("4 at once", "/v1/batch", batch(4, good), 200, "")
	send("more than is left", "/v1/batch", batch(2, good), 429, "1")
	send("what is left", "/v1/batch", batch(1, bad), 400, "")
	send("15 at once", "/v1/batch", batch(15, good), 429, "1") // when one may come: of this, nothing is read
	now.Add(1)
	send("15 at once", "/v1/batch", batch(15, good), 429, "2")
	now.Add(2)
	send("15 when they may come", "/v1/batch", batch(15, bad), 400, "")
	send("one refused more", "/v1/batch", batch(1, bad), 429, "1")
	now.Add(1)
	send("no JSON", "/v1/batch", `{"batch":[`, 400, "")
	send("no batch", "/v1/batch", `{}`, 400, "")
	send("an empty one", "/v1/batch", `{"batch":[]}`, 200, "")
	send("another type", "/v1/track", `{"type":"identify"}`, 400, "")
	send("too many", "/v1/batch", batch(1001, "1"), 413, "")
	send("nothing is left", "/v1/track", good, 429, "1")
	send("whatever it is", "/v1/batch", batch(4000, good), 429, "1")
	now.Add(3600)
	send("a thousand", "/v1/batch", batch(1000, "1"), 400, "")
	send("no more than those", "/v1/batch", batch(1, good), 429, "1")
}

// TestBodiesInFlight lets slow bodies of a key hold no more than its share, so that another key
// finds room.
func TestBodiesInFlight(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.Config.Handler = server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{InFlight: 4 << 20, InFlightKey: 2 << 20}, nil)
	other := command(t, "keys", "create", "other", "--database", a.url)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	statuses := make(chan int)
	var waiting atomic.Int64
	for range 20 {
		go func() {
			head := &countedBody{Reader: io.MultiReader(strings.NewReader(`{"batch":["`+strings.Repeat("x", 100<<10)), &blocked{ctx, &waiting})}
			statuses <- a.direct(t, "/v1/batch", head, basic(a.key), func(r *http.Request) { r.ContentLength = -1 }).status
		}()
	}
	refused := 0
	eventually(t, func() bool {
		select {
		case status := <-statuses:
			if status != http.StatusServiceUnavailable {
				t.Errorf("got %d, want 503", status)
			}
			refused++
		default:
		}
		return refused+int(waiting.Load()) == 20
	})
	if held := waiting.Load(); held == 0 || held > 10 {
		t.Errorf("%d bodies of 100 KB are held", held)
	}
	call := `{"type":"track","userId":"ada","event":"order"}`
	if got := a.direct(t, "/v1/track", strings.NewReader(call), basic(other)); got.status != http.StatusOK {
		t.Errorf("another key: got %d %s", got.status, &got.body)
	}
	cancel()
	for n := waiting.Load(); n > 0; n-- {
		<-statuses
	}
	if got := a.direct(t, "/v1/batch", strings.NewReader(`{"batch":[`+call+`]}`), basic(a.key)); got.status != http.StatusOK {
		t.Errorf("afterwards: got %d %s", got.status, &got.body)
	}
}

// blocked gives nothing until a context ends.
type blocked struct {
	ctx     context.Context //nolint:containedctx // it is a reader
	waiting *atomic.Int64
}

func (b *blocked) Read([]byte) (int, error) {
	b.waiting.Add(1)
	<-b.ctx.Done()
	return 0, io.ErrUnexpectedEOF
}

// TestUnknownKeysAreLookedUpTogether tries many keys that are unknown, which costs hardly any
// queries.
func TestUnknownKeysAreLookedUpTogether(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.Config.Handler = server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{Refusals: 100_000}, nil)
	before := a.pool.Stat().AcquireCount()
	const tries = 600
	statuses := make(chan int)
	for i := range tries {
		go func() {
			statuses <- a.direct(t, "/v1/track", strings.NewReader("{}"), basic("bg_write_"+strconv.Itoa(i))).status
		}()
	}
	for range tries {
		if status := <-statuses; status != http.StatusUnauthorized {
			t.Errorf("got %d", status)
		}
	}
	if asked := a.pool.Stat().AcquireCount() - before; asked > tries/10 {
		t.Errorf("%d unknown keys cost %d queries", tries, asked)
	}
	before = a.pool.Stat().AcquireCount()
	for range 100 {
		a.direct(t, "/v1/track", strings.NewReader("{}"), basic("bg_write_7"))
	}
	if asked := a.pool.Stat().AcquireCount() - before; asked > 10 {
		t.Errorf("one unknown key 100 times costs %d queries", asked)
	}
	for range 200 { // longer than any key is
		a.direct(t, "/v1/track", strings.NewReader("{}"), basic(strings.Repeat("x", 10_000)))
	}
}

// TestExhaustedKeyCostsNoQuery sends with a key whose allowance is used up.
func TestExhaustedKeyCostsNoQuery(t *testing.T) {
	t.Parallel()
	at := time.Now()
	a := newAPI(t, engine.Config{NoClock: true, Now: func() time.Time { return at }})
	a.Config.Handler = server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{Refusals: 100_000}, nil)
	key := command(t, "keys", "create", "slow", "--rate", "1", "--database", a.url)
	if got := a.direct(t, "/v1/track", strings.NewReader(`{"userId":"ada","event":"order"}`), basic(key)); got.status != http.StatusOK {
		t.Fatal(&got.body)
	}
	before := a.pool.Stat().AcquireCount()
	for range 100 {
		body := &countedBody{Reader: &forever{text: "["}}
		if got := a.direct(t, "/v1/batch", body, basic(key)); got.status != http.StatusTooManyRequests || body.read.Load() > 0 {
			t.Fatalf("got %d after %d bytes", got.status, body.read.Load())
		}
	}
	if asked := a.pool.Stat().AcquireCount() - before; asked > 10 {
		t.Errorf("100 requests cost %d queries", asked)
	}
}

// TestAbortedRequests logs no error for clients that go away.
func TestAbortedRequests(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	var log bytes.Buffer
	h := server.NewHandler(m.engine, m.pool, "bucketgen", server.HTTP{}, slog.New(slog.NewJSONHandler(&log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/v1/track", "/v1/batch", "/v1/buckets", "/v1/buckets/pro/members", "/v1/users/ada/timeline", "/v1/plan", "/v1/outbox"} {
		method, body := http.MethodGet, ""
		if strings.HasSuffix(path, "track") || strings.HasSuffix(path, "batch") {
			method, body = http.MethodPost, `{"userId":"ada","event":"order","batch":[{"type":"track","userId":"ada","event":"order"}]}`
		}
		for _, key := range []string{m.ops, "unknown" + path} {
			r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
			r.SetBasicAuth(key, "")
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	for line := range strings.Lines(log.String()) {
		var entry struct{ Level string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level == "ERROR" {
			t.Error(fmt.Sprint(line, err))
		}
	}
}
