package openfeature_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	sdk "github.com/open-feature/go-sdk/openfeature"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/engine/lookup"
	"github.com/bucketgen/bucketgen/engine/openfeature"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// flags is a client of the SDK, whose provider is ours, with the world that it asks about.
type flags struct {
	*sdk.Client
	world *enginetest.World
	heard chan sdk.Event
}

func newFlags(t *testing.T) *flags {
	t.Helper()
	f := &flags{heard: make(chan sdk.Event, 100)}
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "pro", Criteria: bucket.Text("plan").Is("pro")}),
		bucket.Define(bucket.Spec{ID: "buyers", Criteria: bucket.Event("order").AtLeast(1)}),
		bucket.Define(bucket.Spec{ID: "twice", Criteria: bucket.Event("visit").AtLeast(2), Anonymous: bucket.Include}),
	)
	var l *lookup.Lookup
	var p *openfeature.Provider
	f.world = enginetest.New(t, pgtest.New(t), r, enginetest.Options{
		Config: engine.Config{NoDelivery: true},
		Prepare: func(e *engine.Engine) (err error) {
			if l, err = lookup.New(e, lookup.Config{MaxStale: 200 * time.Millisecond}); err != nil {
				return err
			}
			p = openfeature.New(l)
			if err := sdk.SetNamedProviderAndWait(t.Name(), p); err == nil {
				t.Error("without an engine that runs the provider is ready")
			}
			return nil
		},
	})
	if err := errors.Join(l.Start(t.Context()), sdk.SetNamedProviderWithContextAndWait(t.Context(), t.Name(), p)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Shutdown()
		if err := l.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f.Client = sdk.NewClient(t.Name())
	for _, kind := range []sdk.EventType{sdk.ProviderConfigChange, sdk.ProviderStale} {
		f.hear(kind)
	}
	return f
}

// hear hears events of a kind.
func (f *flags) hear(kind sdk.EventType) {
	handler := func(d sdk.EventDetails) {
		f.heard <- sdk.Event{EventType: kind, ProviderEventDetails: d.ProviderEventDetails}
	}
	f.AddHandler(kind, &handler)
}

// next returns the next event that was heard.
func (f *flags) next(t *testing.T) sdk.Event {
	t.Helper()
	return waitfor.Next(t, f.heard)
}

func (f *flags) ingest(t *testing.T, ev engine.Event) {
	t.Helper()
	if _, err := f.world.Ingest(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
}

// TestVisitors asks about a visitor by the anonymous id, before and after they sign up.
func TestVisitors(t *testing.T) {
	t.Parallel()
	f := newFlags(t)
	visitor := sdk.NewTargetlessEvaluationContext(map[string]any{openfeature.AnonymousID: "laptop"})
	is := func(who sdk.EvaluationContext) bool { return f.Boolean(t.Context(), "bucket:twice", false, who) }
	f.ingest(t, engine.Event{AnonymousID: "laptop", Name: "visit"})
	if is(visitor) {
		t.Error("a visitor who came once is in")
	}
	f.ingest(t, engine.Event{AnonymousID: "laptop", Name: "visit"})
	waitfor.That(t, func() bool { return is(visitor) })
	f.ingest(t, engine.Event{UserID: "eve", AnonymousID: "laptop", Name: "visit"})
	waitfor.That(t, func() bool { return is(sdk.NewEvaluationContext("eve", nil)) && is(visitor) })
	if is(sdk.NewEvaluationContext("ada", map[string]any{openfeature.AnonymousID: "laptop"})) {
		t.Error("the targeting key does not count before the anonymous id")
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	f := newFlags(t)
	f.ingest(t, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro"}})
	for _, tc := range []struct {
		name, flag, user string
		want             bool // what is answered: the default, true, where there is an error
		reason           sdk.Reason
		code             sdk.ErrorCode
	}{
		{"member", "bucket:pro", "ada", true, sdk.TargetingMatchReason, ""},
		{"member of another", "bucket:buyers", "ada", false, sdk.DefaultReason, ""},
		{"unknown user", "bucket:pro", "bob", false, sdk.DefaultReason, ""},
		{"unknown bucket", "bucket:none", "ada", true, sdk.ErrorReason, sdk.FlagNotFoundCode},
		{"another name", "pro", "ada", true, sdk.ErrorReason, sdk.FlagNotFoundCode},
		{"no user", "bucket:pro", "", true, sdk.ErrorReason, sdk.TargetingKeyMissingCode},
	} {
		for range 2 { // from the database, and from memory
			got, _ := f.BooleanValueDetails(t.Context(), tc.flag, true, sdk.NewEvaluationContext(tc.user, nil))
			if got.Value != tc.want || got.Reason != tc.reason || got.ErrorCode != tc.code {
				t.Errorf("%s: got %v, %s, %s, want %v, %s, %s", tc.name, got.Value, got.Reason, got.ErrorCode, tc.want, tc.reason, tc.code)
			}
		}
	}
	in := sdk.NewEvaluationContext("ada", nil)
	text, _ := f.StringValueDetails(t.Context(), "bucket:pro", "x", in)
	number, _ := f.FloatValueDetails(t.Context(), "bucket:pro", 1, in)
	whole, _ := f.IntValueDetails(t.Context(), "bucket:pro", 1, in)
	object, _ := f.ObjectValueDetails(t.Context(), "bucket:pro", 1, in)
	none, _ := f.StringValueDetails(t.Context(), "bucket:none", "x", in)
	got := []sdk.ErrorCode{text.ErrorCode, number.ErrorCode, whole.ErrorCode, object.ErrorCode, none.ErrorCode}
	want := []sdk.ErrorCode{sdk.TypeMismatchCode, sdk.TypeMismatchCode, sdk.TypeMismatchCode, sdk.TypeMismatchCode, sdk.FlagNotFoundCode}
	if !slices.Equal(got, want) {
		t.Errorf("other types: got %v, want %v", got, want)
	}
	if name := f.Metadata().Domain(); name != t.Name() {
		t.Errorf("got %s", name)
	}
}

// TestFlagsChange receives which flags have changed for any user.
func TestFlagsChange(t *testing.T) {
	t.Parallel()
	f := newFlags(t)
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"enter", func() { f.ingest(t, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro"}}) }, []string{"bucket:pro"}},
		{"enter another", func() { f.ingest(t, engine.Event{UserID: "ada", Name: "order"}) }, []string{"bucket:buyers"}},
		{"delete", func() {
			if err := f.world.Delete(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
		}, []string{"bucket:buyers", "bucket:pro", "bucket:twice"}},
	} {
		step.do()
		event := f.next(t)
		for event.EventType == sdk.ProviderStale { // the machine is slow
			event = f.next(t)
		}
		if event.EventType != sdk.ProviderConfigChange || !slices.Equal(event.FlagChanges, step.want) {
			t.Errorf("%s: got %s %v, want %v", step.name, event.EventType, event.FlagChanges, step.want)
		}
	}
}

// TestFlagsAreStale keeps the lookup from seeing anything for a while.
func TestFlagsAreStale(t *testing.T) {
	t.Parallel()
	f := newFlags(t)
	tx, err := f.world.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), "lock table bucketgen.transitions in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	if event := f.next(t); event.EventType != sdk.ProviderStale || f.State() != sdk.StaleState {
		t.Errorf("got %v in state %s", event, f.State())
	}
	has, err := f.BooleanValueDetails(t.Context(), "bucket:pro", true, sdk.NewEvaluationContext("ada", nil))
	if err != nil || has.Value {
		t.Errorf("stale: got %v, %v", has, err)
	}
	f.hear(sdk.ProviderReady)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		if event := f.next(t); event.EventType == sdk.ProviderReady && f.State() == sdk.ReadyState {
			return
		}
	}
}
