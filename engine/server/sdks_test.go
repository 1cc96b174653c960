package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	rudder "github.com/rudderlabs/analytics-go/v4"
	segment "github.com/segmentio/analytics-go/v3"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// memberships returns who is in which bucket.
func memberships(t testing.TB, pool *pgxpool.Pool, r *registry.Registry) map[string][]string {
	t.Helper()
	e := startOn(t, pool, r, engine.Config{NoClock: true, NoDelivery: true})
	all := map[string][]string{}
	for i := range r.Tables().Buckets {
		ref, _ := r.Ref(r.Tables().Buckets[i].ID)
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

// talk returns n calls of all types, with the same result in any order.
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
func (o *outcomes) all() int { o.mu.Lock(); defer o.mu.Unlock(); return o.good + o.poor }

type segmentOutcomes struct{ *outcomes }

func (o segmentOutcomes) Success(segment.Message)        { o.success() }
func (o segmentOutcomes) Failure(segment.Message, error) { o.failure() }

type rudderOutcomes struct{ *outcomes }

func (o rudderOutcomes) Success(rudder.Message)        { o.success() }
func (o rudderOutcomes) Failure(rudder.Message, error) { o.failure() }

// TestSDKs lets the SDKs of Segment and RudderStack deliver a stream of calls, of which nothing is
// changed but the host. The memberships are those of the same stream by the Go API.
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
			t.Fatalf("%s has no members, so nothing is compared", id)
		}
	}
	for name, deliver := range map[string]func(testing.TB, *api, *outcomes) error{
		"segment": func(t testing.TB, a *api, o *outcomes) error {
			t.Helper()
			client, err := segment.NewWithConfig(a.key, segment.Config{Endpoint: a.URL, Callback: segmentOutcomes{o}})
			if err != nil {
				return err
			}
			return sayAll(t, stream, o, func(s said) error { return client.Enqueue(s.segment()) }, client.Close)
		},
		"rudder": func(t testing.TB, a *api, o *outcomes) error {
			t.Helper()
			client, err := rudder.NewWithConfig(a.key, rudder.Config{DataPlaneUrl: a.URL, Callback: rudderOutcomes{o}})
			if err != nil {
				return err
			}
			return sayAll(t, stream, o, func(s said) error { return client.Enqueue(s.rudder()) }, client.Close)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, engine.Config{NoClock: true})
			o := &outcomes{}
			if err := deliver(t, a, o); err != nil {
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

// sayAll says everything by an SDK, and closes the SDK once it has an outcome of each call: an SDK
// that is closed drops what has to be sent again, as after a timeout on a slow machine.
func sayAll(t testing.TB, stream []said, o *outcomes, say func(said) error, end func() error) error {
	t.Helper()
	for _, s := range stream {
		if err := say(s); err != nil {
			return err
		}
	}
	waitfor.That(t, func() bool { return o.all() == len(stream) })
	return end()
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
