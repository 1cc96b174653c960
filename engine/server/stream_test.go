package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// sent is an event of a stream.
type sent struct{ id, event, data string }

// key returns what the event is about, in short.
func (s sent) key(t testing.TB) string {
	t.Helper()
	var sent engine.Transition
	if err := json.Unmarshal([]byte(s.data), &sent); err != nil {
		t.Fatalf("%q: %v", s.data, err)
	}
	if want := "bucket." + string(sent.Kind); s.event != want {
		t.Errorf("the event is %q, want %q", s.event, want)
	}
	return sent.Key()
}

// streamed is a stream that a client hears.
type streamed struct {
	t     testing.TB
	lines *bufio.Reader
	last  string // id
	stop  func()
}

// stream opens a stream.
func (a *api) stream(t testing.TB, query, last string) *streamed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	got := a.open(t, ctx, query, last)
	t.Cleanup(func() { _ = got.Body.Close() })
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "text/event-stream" {
		body, _ := io.ReadAll(got.Body)
		t.Fatalf("got %d %s %s", got.StatusCode, got.Header.Get("Content-Type"), body)
	}
	s := &streamed{t: t, lines: bufio.NewReader(got.Body), stop: cancel}
	if first, err := s.read(); err != nil || first.event != "" || s.last == "" {
		t.Fatalf("it begins with %v, %v", first, err)
	}
	return s
}

func (a *api) open(t testing.TB, ctx context.Context, query, last string) *http.Response { //nolint:revive // t comes first here
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/v1/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	got, err := a.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// read returns what comes next, also if it is no event.
func (s *streamed) read() (sent, error) {
	var next sent
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return next, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			next.id = value
			s.last = value
		case "event":
			next.event = value
		case "data":
			next.data = value
		case "":
			if line == "\n" {
				return next, nil
			}
		}
	}
}

// next returns the keys of the events that come next.
func (s *streamed) next(n int) []string {
	s.t.Helper()
	keys := []string{}
	for len(keys) < n {
		next, err := s.read()
		if err != nil {
			s.t.Fatalf("after %d events of %d: %v", len(keys), n, err)
		}
		if next.event != "" {
			keys = append(keys, next.key(s.t))
		}
	}
	return keys
}

// newStreams returns an API and a read key for it.
func newStreams(t testing.TB, l server.HTTP) *api {
	t.Helper()
	a := newAPI(t, engine.Config{NoClock: true})
	a.key = command(t, "keys", "create", "board", "--read", "--database", a.url)
	a.Server = httptest.NewUnstartedServer(server.NewHandler(a.engine, a.pool, "bucketgen", l, nil))
	a.Config.ReadTimeout, a.Config.WriteTimeout = time.Second, time.Second // no matter to streams
	a.Start()
	t.Cleanup(a.Close)
	return a
}

// join lets users enter the bucket pro, one by one.
func (a *api) join(t testing.TB, users ...string) {
	t.Helper()
	for _, user := range users {
		if _, err := a.engine.Ingest(t.Context(), engine.Event{UserID: user, Traits: map[string]any{"plan": "pro"}}); err != nil {
			t.Fatal(err)
		}
	}
}

func alike(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{})
	all := a.stream(t, "", "")
	begun := all.last
	viewers := a.stream(t, "?bucket=viewers&bucket=mailable", "")
	a.join(t, "ada", "bob")
	for range 3 {
		if _, err := a.engine.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "page"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.engine.Ingest(t.Context(), engine.Event{UserID: "bob", Traits: map[string]any{"plan": "free"}}); err != nil {
		t.Fatal(err)
	}
	want := []string{"bucket:pro:ada:entered:1", "bucket:pro:bob:entered:1", "bucket:viewers:ada:entered:1", "bucket:pro:bob:left:1"}
	alike(t, "all", all.next(2), want[:2])
	second := all.last
	alike(t, "all", all.next(2), want[2:])
	alike(t, "filtered", viewers.next(1), want[2:3])
	alike(t, "by Last-Event-ID", a.stream(t, "", second).next(2), want[2:])
	alike(t, "by after", a.stream(t, "?after="+begun, "").next(4), want)
	alike(t, "by both", a.stream(t, "?after="+begun, second).next(2), want[2:])
}

func TestStreamRefuses(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{Streams: 1})
	write := command(t, "keys", "create", "web", "--database", a.url)
	read := a.key
	for _, tc := range []struct {
		name, key, query, last string
		status                 int
		says                   string
	}{
		{"no key", "", "", "", 401, "there is no key"},
		{"write key", write, "", "", 403, "is a write key"},
		{"bucket", read, "?bucket=pro&bucket=nothing", "", 404, `there is no bucket \"nothing\"`},
		{"cursor", read, "", "nonsense", 400, `"field":"Last-Event-ID"`},
		{"after", read, "?after=nonsense", "", 400, `"field":"after"`},
		{"ahead", read, "", "1000000000000.1", 400, "ahead of the database"},
	} {
		a.key = tc.key
		got := a.open(t, t.Context(), tc.query, tc.last)
		body, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if err != nil || got.StatusCode != tc.status || !strings.Contains(string(body), tc.says) || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s, %v, want %d with %q", tc.name, got.StatusCode, body, err, tc.status, tc.says)
		}
	}
	a.key = read
	one := a.stream(t, "", "")
	full := a.open(t, t.Context(), "", "")
	_ = full.Body.Close()
	if full.StatusCode != http.StatusServiceUnavailable || full.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: got %d %v, want 503 and when to try again", full.StatusCode, full.Header)
	}
	one.stop()
	eventually(t, func() bool { // the server notices that the client is gone
		got := a.open(t, t.Context(), "", "")
		_ = got.Body.Close()
		return got.StatusCode == http.StatusOK
	})
}

// TestStreamComesBack loses its connection again and again while users join, and hears all of it,
// each once.
func TestStreamComesBack(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{Beat: 10 * time.Millisecond})
	s := a.stream(t, "", "")
	const users = 300
	var want []string
	go func() {
		for i := range users {
			_, err := a.engine.Ingest(t.Context(), engine.Event{UserID: fmt.Sprint("u", i), Traits: map[string]any{"plan": "pro"}})
			if err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
		}
	}()
	for i := range users {
		want = append(want, fmt.Sprintf("bucket:pro:u%d:entered:1", i))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	var heard []string
	for len(heard) < users {
		heard = append(heard, s.next(min(1+rng.IntN(30), users-len(heard)))...)
		s.stop()
		s = a.stream(t, "", s.last)
	}
	alike(t, "heard", heard, want)
}

// TestStreamBeats lets nothing happen, on a server whose answers must be short. What a stream sends
// then says from where to go on; once the key is revoked there is no more of it.
func TestStreamBeats(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{Beat: 5 * time.Millisecond})
	s := a.stream(t, "?bucket=viewers", "")
	all := a.stream(t, "", "")
	a.join(t, "ada")
	all.next(1)
	for since, beats := time.Now(), 0; beats < 3 || time.Since(since) < 3*a.Config.WriteTimeout; beats++ {
		if next, err := s.read(); err != nil || next.event != "" {
			t.Fatalf("got %v, %v", next, err)
		}
	}
	a.join(t, "bob")
	alike(t, "after a beat", a.stream(t, "", s.last).next(1), []string{"bucket:pro:bob:entered:1"})
	command(t, "keys", "revoke", "board", "--database", a.url)
	for {
		if _, err := s.read(); err != nil {
			return
		}
	}
}

// TestStreamLosesSlowClients opens a stream and reads nothing of it.
func TestStreamLosesSlowClients(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{Streams: 1, Patience: 20 * time.Millisecond})
	begun := a.stream(t, "", "")
	begun.stop()
	events := make([]engine.Event, 20_000) // more than the system takes for the client
	for i := range events {
		events[i] = engine.Event{UserID: fmt.Sprintf("%0200d", i+1), Traits: map[string]any{"plan": "pro"}}
	}
	if _, err := a.engine.IngestBatch(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	var conn net.Conn
	eventually(t, func() bool { // the first is gone
		var err error
		if conn, err = dialer.DialContext(t.Context(), "tcp", a.Listener.Addr().String()); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /v1/stream?after=%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", begun.last, a.key)
		line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		open := strings.Contains(line, "200")
		if !open {
			_ = conn.Close()
		}
		return open
	})
	defer conn.Close()
	eventually(t, func() bool {
		got := a.open(t, t.Context(), "", "")
		_ = got.Body.Close()
		return got.StatusCode == http.StatusOK // there is room again
	})
}

// TestStreamEndsWithTheServer shuts a server down on which streams are open.
func TestStreamEndsWithTheServer(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{})
	streams := []*streamed{a.stream(t, "", ""), a.stream(t, "?bucket=pro", "")}
	ctx, cancel := context.WithTimeout(t.Context(), waitfor.Long)
	defer cancel()
	if err := a.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	for _, s := range streams {
		if next, err := s.read(); err == nil {
			t.Errorf("the server is gone, and sends %v", next)
		}
	}
}

// TestStreamEndsWithItsKey revokes the key of a stream on which nothing happens, long before its
// next beat.
func TestStreamEndsWithItsKey(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{Beat: time.Hour})
	s := a.stream(t, "", "")
	other := command(t, "keys", "create", "other", "--read", "--database", a.url)
	first := a.key
	a.key = other
	stays := a.stream(t, "", "")
	a.key = first
	command(t, "keys", "revoke", "board", "--database", a.url)
	if next, err := s.read(); err == nil {
		t.Errorf("its key is revoked, and it sends %v", next)
	}
	a.join(t, "ada")
	alike(t, "that of another key", stays.next(1), []string{"bucket:pro:ada:entered:1"})
}

// TestStreamsOfAKey opens as many streams as a key may have, which leaves room for those of
// another.
func TestStreamsOfAKey(t *testing.T) {
	t.Parallel()
	a := newStreams(t, server.HTTP{Streams: 4, StreamsKey: 2})
	status := func() (int, string) {
		got := a.open(t, t.Context(), "", "")
		t.Cleanup(func() { _ = got.Body.Close() })
		return got.StatusCode, got.Header.Get("Retry-After")
	}
	for n, want := range []int{200, 200, 429, 429} {
		if got, later := status(); got != want || (later == "") != (want == 200) {
			t.Errorf("stream %d: got %d, to be tried again after %q, want %d", n+1, got, later, want)
		}
	}
	a.key = command(t, "keys", "create", "other", "--read", "--database", a.url)
	if got, _ := status(); got != http.StatusOK {
		t.Errorf("another key: got %d", got)
	}
}
