package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posthog/posthog-go"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// inBody sends no key in a header: it stands in the body.
func inBody(r *http.Request) { r.Header.Del("Authorization") }

// TestPostHog sends events in every shape and to every path of PostHog's capture API.
func TestPostHog(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	event := func(user, uuid string) string {
		return fmt.Sprintf(`{"event":"order","distinct_id":%q,"uuid":%q,"properties":{"total":3}}`, user, uuid)
	}
	key := `"api_key":"` + a.key + `"`
	n := 0
	for _, path := range []string{"/capture", "/batch", "/e", "/i/v0/e"} {
		for _, path := range []string{path, path + "/"} {
			for _, body := range []string{
				strings.Replace(event("ada", strconv.Itoa(n)), "{", "{"+key+",", 1),
				strings.Replace(event("ada", strconv.Itoa(n)), `"properties":{`, `"properties":{"token":"`+a.key+`",`, 1), // again: a duplicate
				`{` + key + `,"batch":[` + event("ada", strconv.Itoa(n+1)) + `,` + event("bob", strconv.Itoa(n+2)) + `],"sent_at":"2026-11-29T12:00:00Z"}`,
			} {
				if got, text := a.send(t, path, strings.NewReader(body), inBody); got.StatusCode != http.StatusOK {
					t.Errorf("%s: %s: got %d %s", path, body, got.StatusCode, text)
				}
			}
			zippedBody := zipped(`[` + event("ada", strconv.Itoa(n+3)) + `]`)
			if got, text := a.send(t, path+"?compression=gzip-js", strings.NewReader(zippedBody), header("Content-Type", "text/plain")); got.StatusCode != http.StatusOK {
				t.Errorf("%s: got %d %s", path, got.StatusCode, text)
			}
			n += 4
		}
	}
	var stored int
	if err := a.pool.QueryRow(t.Context(), "select count(*) from bucketgen.events").Scan(&stored); err != nil || stored != n {
		t.Errorf("%d events are stored, want %d: %v", stored, n, err)
	}
	for body, want := range map[string]string{
		`{` + key + `,"event":"order"}`:                                                                                      `"field":"distinct_id"`,
		`{` + key + `,"batch":[{"event":"order","distinct_id":"undefined"}]}`:                                                `"field":"batch[0].distinct_id"`,
		`{` + key + `,"event":"bucket:entered:pro","distinct_id":"ada"}`:                                                     `"field":"event"`,
		`{` + key + `,"event":"order","distinct_id":"ada","properties":{"$set":{"a":"\u0000"}}}`:                             `"field":"properties.$set.a"`,
		`{` + key + `,"event":"$identify","distinct_id":"mallory","properties":{"$anon_distinct_id":"ada"}}`:                 `"code":"merge-not-allowed"`,
		`{` + key + `,"event":"$create_alias","distinct_id":"mallory","properties":{"distinct_id":"mallory","alias":"ada"}}`: `"field":"properties.alias"`,
		`{"event":"order","distinct_id":"ada"}`:                                                                              "there is no key",
		`{"api_key":"phc_x","event":"order","distinct_id":"ada"}`:                                                            "the key is not known",
	} {
		if got, text := a.send(t, "/capture/", strings.NewReader(body), inBody); got.StatusCode < 400 || got.StatusCode >= 500 || !strings.Contains(text, want) {
			t.Errorf("%s: got %d %s, want %s", body, got.StatusCode, text, want)
		}
	}
	for _, path := range []string{"/flags/?v=2", "/flags", "/decide/?v=3"} {
		got, text := a.send(t, path, strings.NewReader(`{"token":"`+a.key+`","distinct_id":"ada"}`), inBody)
		if got.StatusCode != http.StatusOK || !strings.Contains(text, `"flags":{}`) || !strings.Contains(text, `"featureFlags":{}`) {
			t.Errorf("%s: got %d %s", path, got.StatusCode, text)
		}
	}
}

// TestPostHogIdentifies sets traits, some of them once, and makes users one.
func TestPostHogIdentifies(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.key = command(t, "keys", "create", "backend", "--server", "--database", a.url)
	send := func(event string) {
		t.Helper()
		if got, text := a.send(t, "/i/v0/e/", strings.NewReader(event), nil); got.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d %s", event, got.StatusCode, text)
		}
	}
	send(`{"event":"$identify","distinct_id":"ada","properties":{"$set":{"plan":"free"},"$set_once":{"first":"a","plan":"pro"}}}`)
	send(`{"event":"order","distinct_id":"ada","properties":{"$set":{"n":1},"$set_once":{"first":"b","second":"b","n":2}}}`)
	send(`{"event":"order","distinct_id":"anon","properties":{"$set_once":{"plan":"pro","third":"c"}}}`)
	send(`{"event":"$identify","distinct_id":"ada","properties":{"$anon_distinct_id":"anon","$set":{"plan":"pro"},"$unset":["second"]}}`)
	send(`{"event":"order","distinct_id":"anon"}`)
	var traits string
	err := a.pool.QueryRow(t.Context(), "select properties::text from bucketgen.contacts where user_id = 'ada'").Scan(&traits)
	if want := `{"n": 1, "plan": "pro", "first": "a", "third": "c"}`; err != nil || traits != want {
		t.Errorf("got %s, %v, want %s", traits, err, want)
	}
	users, names := a.contacts(t)
	if diff := cmp.Diff([][]string{{"ada", "anon"}, {"user anon ada"}}, [][]string{users, names}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ada"}, memberships(t, a.pool, tracked(t))["pro"]); diff != "" {
		t.Error(diff)
	}
}

// captured counts what the SDK says of its messages.
type captured struct {
	mu         sync.Mutex
	good, poor int
}

func (c *captured) Success(posthog.APIMessage)        { c.mu.Lock(); defer c.mu.Unlock(); c.good++ }
func (c *captured) Failure(posthog.APIMessage, error) { c.mu.Lock(); defer c.mu.Unlock(); c.poor++ }

func (c *captured) total() int { c.mu.Lock(); defer c.mu.Unlock(); return c.good + c.poor }

func (s said) posthog() posthog.Message { //nolint:ireturn // the SDK takes nothing else
	switch s.kind {
	case "identify":
		return posthog.Identify{DistinctId: s.user, Properties: maps.Clone(s.values)} // the SDK writes into it
	case "page":
		properties := posthog.Properties{"name": s.name}
		maps.Copy(properties, s.values)
		return posthog.Capture{DistinctId: s.user, Event: "page", Properties: properties}
	case "group":
		return posthog.Capture{DistinctId: s.user, Event: "group", Properties: posthog.Properties{"groupId": s.name, "size": 3}}
	default:
		return posthog.Capture{DistinctId: s.user, Event: s.name, Properties: maps.Clone(s.values)}
	}
}

// TestPostHogSDK delivers a stream by posthog-go, plain and compressed, of which nothing is changed
// but the host. The memberships are those of the same stream by the Go API.
func TestPostHogSDK(t *testing.T) {
	t.Parallel()
	const calls = 2_000
	stream := talk(uint64(time.Now().UnixNano()), calls)
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
	for name, compression := range map[string]posthog.CompressionMode{"plain": posthog.CompressionNone, "gzip": posthog.CompressionGzip} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, engine.Config{NoClock: true})
			said := &captured{}
			client, err := posthog.NewWithConfig(a.key, posthog.Config{Endpoint: a.URL, Callback: said, Compression: compression})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range stream {
				if err := client.Enqueue(s.posthog()); err != nil {
					t.Fatal(err)
				}
			}
			waitfor.That(t, func() bool { return said.total() == calls }) // when it is closed, the SDK drops what it would retry
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			if said.good != calls || said.poor != 0 {
				t.Errorf("%d of %d messages were delivered, %d were not", said.good, calls, said.poor)
			}
			if diff := cmp.Diff(want, memberships(t, a.pool, tracked(t))); diff != "" {
				t.Errorf("-Go API +SDK\n%s", diff)
			}
		})
	}
}
