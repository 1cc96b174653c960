//go:build studio

package studio_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/session"
	"github.com/bucketgen/bucketgen/registry"
)

// today is the time that the clock of a world shows first: the purchases end the day before.
var today = time.Date(1998, time.July, 1, 9, 30, 0, 0, time.UTC)

// suppressionSecret is the secret of all engines of a world.
const suppressionSecret = "the secret of a world"

// The vocabulary of the shop, and its buckets: those of examples/cdnow, and others that show more
// of the page.
var (
	purchase   = bucket.Event("purchase")
	amount     = purchase.Number("amount")
	signedUp   = bucket.Event("signed_up")
	plan       = bucket.Text("plan")
	newsletter = bucket.Bool("newsletter")

	repeat = bucket.Define(bucket.Spec{
		ID: "repeat-buyers", Name: "Repeat buyers", Description: "Customers with two purchases or more.", Criteria: purchase.AtLeast(2),
	})
	power = bucket.Define(bucket.Spec{
		ID: "power-buyers", Name: "Power buyers", Description: "Customers with three purchases or more within 90 days.", Criteria: purchase.Within(90 * bucket.Day).AtLeast(3),
	})
	lapsed = bucket.Define(bucket.Spec{
		ID: "lapsed", Name: "Lapsed customers", Description: "Customers who have bought, but not within the last 180 days.",
		Criteria: bucket.All(purchase.Exists(), purchase.Within(180*bucket.Day).Never()),
	})
	// loyalBefore is what the bucket was when it was deployed first.
	loyalBefore = bucket.Define(bucket.Spec{
		ID: "loyal-readers", Name: "Loyal readers", Criteria: bucket.All(purchase.Within(30*bucket.Day).Exists(), plan.Is("plus")),
	})
	loyal = bucket.Define(bucket.Spec{
		ID: "loyal-readers", Name: "Loyal readers", Description: "Readers of the newsletter on the plan plus who bought lately.",
		Criteria: bucket.All(purchase.Within(60*bucket.Day).Exists(), plan.Is("plus"), bucket.Not(newsletter.IsFalse())),
	})
	spenders = bucket.Define(bucket.Spec{
		ID: "big-spenders", Name: "Big spenders", Description: "Customers who spent more than 100 dollars within 30 days.",
		Criteria: purchase.Within(30 * bucket.Day).Sum(amount).AtLeast(100), Entry: bucket.OncePer(90 * bucket.Day),
	})
	newcomers = bucket.Define(bucket.Spec{
		ID: "newcomers", Name: "Newcomers", Description: "Users who signed up within the last week.", Criteria: signedUp.Within(7 * bucket.Day).Exists(),
	})
	guests = bucket.Define(bucket.Spec{ID: "guests", Name: "Guest list", Description: "Users invited by hand.", Kind: bucket.Manual})
)

// world is a shop with its API, Studio, and what a test does to it.
type world struct {
	*httptest.Server
	pool     *pgxpool.Pool
	url      string
	registry *registry.Registry
	engine   *engine.Engine
	clock    *enginetest.Clock
	traffic  traffic
	next     *next             // next is what the shop would deploy.
	keys     map[string]string // keys has the secrets of keys by their names.
	broken   atomic.Bool       // broken makes handlers fail.
	down     atomic.Bool       // down makes the API answer 503, as without a database.
}

// newWorld replays the purchases of every nth customer.
func newWorld(t testing.TB, every uint32) *world {
	t.Helper()
	w := &world{url: pgtest.NewURL(t), clock: enginetest.NewClock(today), keys: map[string]string{}}
	w.pool = pgtest.Open(t, w.url)
	w.registry = registrytest.Build(t, repeat, power, lapsed, loyal, spenders, newcomers, guests)
	w.replay(t, registrytest.Build(t, repeat, power, lapsed, loyalBefore, spenders, newcomers, guests), every)
	var err error
	w.engine, err = engine.New(w.pool, w.registry, engine.Config{NoClock: true, Now: w.clock.Now, VirtualTime: true, SuppressionSecret: suppressionSecret, Logger: quiet()})
	if err == nil {
		err = w.engine.OnEnter(w.ref(t, "power-buyers"), engine.EnterHandler{Name: "welcome", Func: w.welcome})
	}
	if err == nil {
		err = w.engine.OnLeave(w.ref(t, "loyal-readers"), engine.LeaveHandler{Name: "win back", Func: w.welcome})
	}
	if err == nil {
		err = w.engine.Start(t.Context())
	}
	if err == nil {
		err = w.deploy(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for name, kind := range map[string]string{"ops": apikey.Admin, "board": apikey.Read, "support": apikey.Support, "web": apikey.Write, "leaver": apikey.Read} {
		k, err := w.apiKeys().Create(t.Context(), name, kind, 0)
		if err != nil {
			t.Fatal(err)
		}
		w.keys[name] = k.Secret
	}
	w.serve(t)
	return w
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (w *world) apiKeys() apikey.Store { return apikey.Store{Pool: w.pool, Schema: "bucketgen"} }

// welcome is a handler that fails while it is broken.
func (w *world) welcome(context.Context, engine.Transition) error {
	if w.broken.Load() {
		return engine.GiveUp(errors.New("the mail server does not answer"))
	}
	return nil
}

func (w *world) ref(t testing.TB, id string) registry.Ref {
	t.Helper()
	return registrytest.Ref(t, w.registry, id)
}

// deploy makes the definitions of the world the deployed ones, and lets all users follow.
func (w *world) deploy(ctx context.Context) error {
	_, err := w.engine.Deploy(ctx, engine.DeployOptions{Emit: engine.EmitSilent})
	if err == nil {
		_, err = w.engine.Deployments().Backfill(ctx, nil)
	}
	return err
}

// replay ingests what happened before the clock's time, by definitions that were deployed before.
func (w *world) replay(t testing.TB, r *registry.Registry, every uint32) {
	t.Helper()
	e, err := engine.New(w.pool, r, engine.Config{NoClock: true, NoDelivery: true, QueueSize: 5000, SuppressionSecret: suppressionSecret, Logger: quiet()})
	if err == nil {
		err = e.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	events := shop(t, every)
	if _, err := e.Replay().Events(t.Context(), each(events), engine.ReplayOptions{Until: today}); err != nil {
		t.Fatal(err)
	}
}

func each(events []engine.Event) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		for _, ev := range events {
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// shop returns the purchases of every nth customer in the order of time, with traits at their first
// purchase.
func shop(t testing.TB, every uint32) []engine.Event {
	t.Helper()
	file, err := os.Open("../../examples/cdnow/data/CDNOW_master.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var events []engine.Event
	known := map[string]bool{}
	scanner := bufio.NewScanner(text)
	for scanner.Scan() {
		var customer, date string
		var cds int
		var dollars float64
		if _, err := fmt.Sscan(scanner.Text(), &customer, &date, &cds, &dollars); err != nil {
			continue // the head
		}
		draw := fnv.New32a()
		_, _ = io.WriteString(draw, customer)
		n := draw.Sum32()
		if n%every != 0 {
			continue
		}
		at, err := time.Parse("20060102", date)
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Duration(n%86400) * time.Second / 2).Add(time.Duration(len(events)%600) * time.Second)
		id := "c" + customer
		ev := engine.Event{UserID: id, Name: "purchase", OccurredAt: at, Properties: map[string]any{"cds": cds, "amount": dollars}}
		if !known[id] {
			known[id] = true
			ev.Traits = map[string]any{"email": id + "@example.com", "plan": []string{"plus", "basic"}[n/7%2], "newsletter": n/3%4 > 0}
		}
		events = append(events, ev)
	}
	for i := range 12 { // an event whose name nearly is a declared one
		events = append(events, engine.Event{UserID: fmt.Sprintf("visitor-%d", i), Name: "signed up", OccurredAt: today.Add(-time.Duration(i) * time.Hour)})
	}
	for _, id := range []string{"..", "a/b"} {
		events = append(events, engine.Event{UserID: id, Name: "purchase", OccurredAt: today.Add(-time.Hour), Properties: map[string]any{"cds": 1, "amount": 10}})
	}
	slices.SortStableFunc(events, func(a, b engine.Event) int { return a.OccurredAt.Compare(b.OccurredAt) })
	return events
}

// serve serves the API, Studio, and the control of the world.
func (w *world) serve(t testing.TB) {
	t.Helper()
	api := server.NewHandler(w.engine, w.pool, "bucketgen", server.HTTP{PrivateWebhooks: true}, quiet())
	gate := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.down.Load() {
			rw.Header().Set("Content-Type", "application/problem+json")
			rw.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(rw, `{"title":"Service Unavailable","status":503,"detail":"the database does not answer"}`)
			return
		}
		api.ServeHTTP(rw, r)
	})
	page, err := studio.New(gate, studio.Config{Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	studioOf := w.traffic.counted(page)
	w.next = newNext(t, w)
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/control/"):
			w.control(rw, r)
		case strings.HasPrefix(r.URL.Path, nextPrefix+"/"):
			w.next.ServeHTTP(rw, r)
		case strings.HasPrefix(r.URL.Path, "/studio/"):
			studioOf.ServeHTTP(rw, r)
		default:
			api.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(w.CloseClientConnections)
	t.Cleanup(w.Close)
	w.next.behindProxy(t, w.URL)
}

// command is what a browser test asks of the world.
type command struct {
	Advance string // Advance moves the clock on.
	Ingest  []struct {
		User, Event string
		Properties  map[string]any
		Traits      map[string]any
	}
	Broken *bool
	Down   *bool
	Revoke string // Revoke is the name of a key.
	Create string // Create is the name of a new read key.
	Once   bool   // Once asks for a link that is good once.
	Merge  []string
	Rate   int // Rate is how many transitions happen in each of some Seconds.

	Seconds int
	Plan    bool  // Plan asks for what bucketd plan prints of the next definitions.
	Stale   *bool // Stale lets a process with the deployed definitions answer for the next one.
	Hold    bool  // Hold lets some users follow a deployment of the next definitions.
	Follow  bool  // Follow lets all users follow a deployment of the next definitions.
	Deploy  bool  // Deploy deploys the definitions of the world again.
}

// control does what a browser test asks for.
func (w *world) control(rw http.ResponseWriter, r *http.Request) {
	var c command
	err := json.NewDecoder(r.Body).Decode(&c)
	answer := map[string]any{}
	if err == nil {
		answer, err = w.do(r.Context(), &c)
	}
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(rw).Encode(answer)
}

func (w *world) do(ctx context.Context, c *command) (map[string]any, error) {
	answer := map[string]any{"requests": w.traffic.requests.Load(), "streams": w.traffic.streams.Load()}
	if c.Rate > 0 {
		made, took, err := w.rate(ctx, c.Rate, c.Seconds)
		if err != nil {
			return nil, err
		}
		answer["made"], answer["took"] = made, took
	}
	if c.Broken != nil {
		w.broken.Store(*c.Broken)
	}
	if c.Down != nil {
		w.down.Store(*c.Down)
	}
	if c.Advance != "" {
		d, err := time.ParseDuration(c.Advance)
		if err != nil {
			return nil, err
		}
		w.clock.Advance(d)
		if _, err := w.engine.Clock().RunDue(ctx); err != nil {
			return nil, err
		}
	}
	for _, ev := range c.Ingest {
		if _, err := w.engine.Ingest(ctx, engine.Event{UserID: ev.User, Name: ev.Event, Properties: ev.Properties, Traits: ev.Traits}); err != nil {
			return nil, err
		}
	}
	if c.Revoke != "" {
		if _, err := w.apiKeys().Revoke(ctx, c.Revoke); err != nil {
			return nil, err
		}
	}
	if c.Create != "" {
		k, err := w.apiKeys().Create(ctx, c.Create, apikey.Read, 0)
		if err != nil {
			return nil, err
		}
		answer["key"] = k.Secret
	}
	if len(c.Merge) == 2 {
		if _, err := w.engine.Merge(ctx, c.Merge[0], c.Merge[1]); err != nil {
			return nil, err
		}
	}
	if c.Stale != nil {
		w.next.stale.Store(*c.Stale)
	}
	if c.Hold {
		if err := w.next.hold(); err != nil {
			return nil, err
		}
	}
	if c.Follow {
		if err := w.next.follow(ctx); err != nil {
			return nil, err
		}
	}
	if c.Deploy {
		w.next.letGo()
		if err := w.deploy(ctx); err != nil {
			return nil, err
		}
	}
	if c.Plan {
		answer["plan"] = w.next.plan(ctx, w)
	}
	if c.Once {
		k, err := w.apiKeys().Create(ctx, "once "+w.clock.Now().String(), apikey.Read, 0)
		if err != nil {
			return nil, err
		}
		secret, err := session.Store{Pool: w.pool, Schema: "bucketgen", Now: w.engine.Now}.Offer(ctx, k.No)
		if err != nil {
			return nil, err
		}
		answer["once"] = secret
	}
	return answer, nil
}
