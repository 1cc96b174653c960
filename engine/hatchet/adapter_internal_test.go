package hatchet

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// newEngine returns an engine that is never started, so it needs no database.
func newEngine(t *testing.T, r *registry.Registry) *engine.Engine {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), "postgres://127.0.0.1:1/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	e, err := engine.New(pool, r, engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func trial(t *testing.T) (*registry.Registry, registry.Ref) {
	t.Helper()
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "trial", Criteria: bucket.Text("plan").Is("trial")}))
	return r, registrytest.Ref(t, r, "trial")
}

func newAdapter(t *testing.T, config Config) (*Adapter, error) {
	t.Helper()
	r, _ := trial(t)
	config.Logger = slog.New(slog.DiscardHandler)
	return New(newEngine(t, r), config)
}

func TestNewRefuses(t *testing.T) {
	setToken(t, "127.0.0.1:1")
	_, ref := trial(t)
	act := func(DurableContext, engine.Transition) error { return nil }
	for _, tc := range []struct {
		name   string
		config Config
		want   string
	}{
		{"slots", Config{Slots: -1}, "hatchet.Config.Slots is -1"},
		{"durable slots", Config{DurableSlots: -1}, "hatchet.Config.DurableSlots is -1"},
		{"no bucket", Config{Events: []Event{Entered(nil)}}, "an event has no bucket"},
		{"another's bucket", Config{Events: []Event{Left(registry.NewRef("gone", 0))}}, `bucket "gone"`},
		{"no name", Config{Reactions: []Reaction{OnEnter(ref, Task{Func: act})}}, "a reaction has no Name"},
		{"no function", Config{Reactions: []Reaction{OnEnter(ref, Task{Name: "mail"})}}, `reaction "mail" has no Func`},
		{"our name", Config{Reactions: []Reaction{OnLeave(ref, Task{Name: "Bucketgen-expiry", Func: act})}}, `reaction "Bucketgen-expiry": names that begin with bucketgen- are for the adapter's own tasks`},
		{"same name", Config{Reactions: []Reaction{OnEnter(ref, Task{Name: "mail", Func: act}), OnLeave(ref, Task{Name: "Mail", Func: act})}}, `reaction "Mail": there is another of that name`},
		{"first leave", Config{Reactions: []Reaction{OnLeave(ref, Task{Name: "mail", Func: act, FirstOnly: true})}}, "FirstOnly is for joins"},
		{"reasons to enter", Config{Reactions: []Reaction{OnEnter(ref, Task{Name: "mail", Func: act, Reasons: []engine.Reason{engine.ReasonManual}})}}, "Reasons are of leaves"},
		{"retries", Config{Reactions: []Reaction{OnEnter(ref, Task{Name: "mail", Func: act, Retries: -1})}}, "Retries is -1"},
		{"timeout", Config{Reactions: []Reaction{OnEnter(ref, Task{Name: "mail", Func: act, Timeout: -1})}}, "Timeout is -1ns"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := newAdapter(t, tc.config); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	_, ref := trial(t)
	for _, tc := range []struct {
		name string
		in   []Event
		want []string
	}{
		{"twice", []Event{Entered(ref), Left(ref), Entered(ref)}, []string{"hatchet:bucket:entered:trial", "hatchet:bucket:left:trial"}},
		{"everything", []Event{Entered(ref), AnyLeft(), Everything(), Left(ref)}, []string{"hatchet:bucket:left", "hatchet:bucket:*"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			events, err := distinct(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range events {
				got = append(got, e.subscription.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCron(t *testing.T) {
	t.Parallel()
	for every, want := range map[time.Duration]string{
		0:                "",
		time.Minute:      "*/1 * * * *",
		25 * time.Minute: "*/20 * * * *",
		time.Hour:        "0 */1 * * *",
		5 * time.Hour:    "0 */4 * * *",
		24 * time.Hour:   "0 0 * * *",
		100 * time.Hour:  "0 0 * * *",
	} {
		if got := cronOf([]table.Bucket{{}, {ReconcileEvery: every}}); got != want {
			t.Errorf("every %v: got %q, want %q", every, got, want)
		}
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	first, manual := Task{FirstOnly: true}, Task{Reasons: []engine.Reason{engine.ReasonManual}}
	for _, tc := range []struct {
		name string
		task Task
		tr   engine.Transition
		want bool
	}{
		{"first", first, engine.Transition{EntryCount: 1}, true},
		{"second", first, engine.Transition{EntryCount: 2}, false},
		{"for that reason", manual, engine.Transition{Reason: engine.ReasonManual}, true},
		{"for another", manual, engine.Transition{Reason: engine.ReasonCriteria}, false},
		{"any", Task{}, engine.Transition{EntryCount: 7, Reason: engine.ReasonCriteria}, true},
	} {
		if got := tc.task.wants(tc.tr); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

// TestForward checks the outcomes of the server's answers.
func TestForward(t *testing.T) {
	transition := engine.Transition{BucketID: "trial", UserID: "ada", Kind: engine.Entered, EntryCount: 1}
	deliveries := make([]engine.Delivery, 3)
	for i := range deliveries {
		deliveries[i] = engine.Delivery{Subscription: "hatchet:bucket:entered:trial", Transition: transition, Attempt: 1}
	}
	_, ref := trial(t)
	for _, tc := range []struct {
		name   string
		push   func(n int) error
		away   bool
		failed []bool // of each delivery; nil if all went
		calls  int
	}{
		{name: "all are taken", calls: 1},
		{name: "the server is away", push: func(int) error { return refusal(codes.Unavailable) }, away: true, calls: 1},
		{name: "one is refused", push: func(n int) error {
			if n == 1 || n == 3 { // all together, then each: the second
				return refusal(codes.InvalidArgument)
			}
			return nil
		}, failed: []bool{false, true, false}, calls: 4},
		{name: "the server goes away while one is refused", push: func(n int) error {
			if n == 1 {
				return refusal(codes.InvalidArgument)
			}
			return refusal(codes.Unavailable)
		}, away: true, calls: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := fake{version: "v0.104.7", push: tc.push}
			server.start(t)
			a, err := newAdapter(t, Config{PushOnly: true, Events: []Event{Entered(ref)}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.forward(t.Context(), deliveries); !errors.Is(err, errNotReady) {
				t.Errorf("before it is started: got %v, want %v", err, errNotReady)
			}
			if err := a.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = a.Stop(context.Background()) })
			errs, err := a.forward(t.Context(), deliveries)
			var failed []bool
			for _, err := range errs {
				failed = append(failed, err != nil)
			}
			if diff := cmp.Diff(tc.failed, failed); diff != "" || (err != nil) != tc.away {
				t.Errorf("got %v, %v; -want +got\n%s", errs, err, diff)
			}
			if server.pushes != tc.calls {
				t.Errorf("%d calls, want %d", server.pushes, tc.calls)
			}
		})
	}
}

// TestPayload reads what a transition and notices trigger a workflow with.
func TestPayload(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	phone, ada := engine.ID{Kind: engine.KindAnonymous, Value: "phone"}, engine.ID{Kind: engine.KindUser, Value: "ada"}
	for _, tc := range []struct {
		name, want string
		delivery   engine.Delivery
	}{
		{
			"a transition", `{"bucketId":"trial","bucketName":"","userId":"ada","transition":"entered","source":"","entryCount":1,"membershipId":7,` +
				`"enteredAs":{"kind":"anonymous","value":"phone"},"at":"2026-01-01T00:00:00Z","decidedAt":"0001-01-01T00:00:00Z",` +
				`"key":"bucket-of:anonymous:trial:7:entered"}`,
			engine.Delivery{Transition: engine.Transition{
				BucketID: "trial", UserID: "ada", Kind: engine.Entered, EntryCount: 1, MembershipID: 7, EnteredAs: &phone, NameKind: phone.Kind, At: at,
			}},
		},
		{
			"a merge", `{"from":{"kind":"anonymous","value":"phone"},"into":{"kind":"user","value":"ada"},"at":"2026-01-01T00:00:00Z","key":"person:merged:3"}`,
			engine.Delivery{Transition: engine.Transition{Kind: engine.Merged, MembershipID: 3}, Notice: &engine.Notice{From: &phone, Into: &ada, At: at}},
		},
		{
			"an erasure", `{"ids":[{"kind":"user","value":"ada"}],"at":"2026-01-01T00:00:00Z","key":"person:erased:4"}`,
			engine.Delivery{Transition: engine.Transition{Kind: engine.Erased, MembershipID: 4}, Notice: &engine.Notice{IDs: []engine.ID{ada}, At: at}},
		},
	} {
		got, err := json.Marshal(payloadOf(&tc.delivery))
		if diff := cmp.Diff(tc.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v; -want +got\n%s", tc.name, err, diff)
		}
	}
}

// TestStartWithoutServer starts while the server is away, which is no error, and stops.
func TestStartWithoutServer(t *testing.T) {
	setToken(t, "127.0.0.1:1")
	a, err := newAdapter(t, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err == nil {
		t.Error("started twice: got no error")
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestStartRefused sees that what does not pass by itself ends the start.
func TestStartRefused(t *testing.T) {
	server := fake{version: "v0.50.0"}
	server.start(t)
	a, err := newAdapter(t, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("got %v, want that the server is too old", err)
	}
}

// TestTimer cuts sleeps that are longer than Hatchet remembers.
func TestTimer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	a := &Adapter{now: func() time.Time { return now }}
	for _, tc := range []struct{ until, sleep time.Duration }{
		{time.Hour, time.Hour},
		{7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{60 * 24 * time.Hour, 7 * 24 * time.Hour},
		{-time.Second, -time.Second},
	} {
		of := engine.ExpiryTimer{MembershipID: 7, BucketID: "trial", UserID: "ada", UserEmail: "ada@example.com", ExpiresAt: now.Add(tc.until)}
		got := a.timer(of)
		want := timer{
			RowID: 7, BucketID: "trial", UserID: "ada", UserEmail: "ada@example.com",
			ArmedExpiresAt: now.Add(tc.until), MsUntilExpiry: tc.until.Milliseconds(), WakeAt: now.Add(tc.sleep),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: -want +got\n%s", tc.until, diff)
		}
		if diff := cmp.Diff(of, got.expiry()); diff != "" {
			t.Errorf("%v: it is for something else: -want +got\n%s", tc.until, diff)
		}
	}
}
