//go:build hatchet

package hatchet

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	sdk "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// received is what triggered a workflow.
type received struct {
	event, key string
	input      map[string]any
}

// listen runs a worker with a workflow for each of some events, by Hatchet's SDK alone, as a
// program would that has nothing of this module. It returns what triggers them.
func listen(t *testing.T, events ...string) <-chan received {
	t.Helper()
	client, err := sdk.NewClient(v0.WithLogger(&quiet))
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan received, 100)
	var workflows []sdk.WorkflowBase
	for _, event := range events {
		workflows = append(workflows, client.NewStandaloneTask("on-"+strings.ReplaceAll(event, ":", "-"), func(ctx sdk.Context, input map[string]any) (map[string]any, error) {
			out <- received{event, ctx.AdditionalMetadata()["idempotencyKey"], input}
			return map[string]any{}, nil
		}, sdk.WithWorkflowEvents(event)))
	}
	worker, err := client.NewWorker("plain", sdk.WithWorkflows(workflows...), sdk.WithLogger(&quiet))
	if err != nil {
		t.Fatal(err)
	}
	stop, err := worker.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() })
	return out
}

// TestHatchetPlainWorkflow triggers workflows of which the engine knows nothing, and checks all of
// their input.
func TestHatchetPlainWorkflow(t *testing.T) {
	useHatchet(t)
	w := newWorld(t, lapsed)
	place, _ := w.registry.Tables().Bucket("lapsed")
	tick := registry.NewTickRef("lapsed", place, "after-1s")
	from := listen(t, "bucket:entered:lapsed", "bucket:left:lapsed", "bucket:dwell:lapsed:after-1s", "bucket:left")
	w.start(t, engine.Config{}, Config{Events: []Event{Entered(w.ref(t, "lapsed")), Left(w.ref(t, "lapsed")), Ticked(tick), AnyLeft()}})

	w.ingest(t, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "lapsed", "email": "ada@example.com"}})
	common := map[string]any{"bucketId": "lapsed", "bucketName": "Lapsed", "userId": "ada", "userEmail": "ada@example.com", "entryCount": 1.0}
	want := func(event, kind, key string, more map[string]any) {
		t.Helper()
		got := waitfor.Next(t, from)
		input := map[string]any{"transition": kind, "key": key}
		for _, m := range []map[string]any{common, more} {
			maps.Copy(input, m)
		}
		for _, k := range []string{"membershipId", "at", "decidedAt"} { // of which the test does not know the value
			if input[k] = got.input[k]; got.input[k] == nil {
				t.Errorf("%s: there is no %s", event, k)
			}
		}
		if diff := cmp.Diff(input, got.input); got.event != event || got.key != key || diff != "" {
			t.Errorf("got event %q with key %q, want %q with %q; input -want +got:\n%s", got.event, got.key, event, key, diff)
		}
	}
	want("bucket:entered:lapsed", "entered", "bucket:lapsed:ada:entered:1", map[string]any{"source": "event"})
	want("bucket:dwell:lapsed:after-1s", "dwell", "bucket:lapsed:ada:dwell:after-1s:1:1", map[string]any{"source": "clock", "tick": "after-1s", "dwellCount": 1.0})

	w.ingest(t, plans("ada", "pro"))
	left := map[string]int{}
	for range 2 { // the specific event and the generic one; which is first is not said
		got := waitfor.Next(t, from)
		left[got.event]++
		if got.key != "bucket:lapsed:ada:left:1" || got.input["reason"] != "criteria" {
			t.Errorf("got %+v", got)
		}
	}
	if diff := cmp.Diff(map[string]int{"bucket:left": 1, "bucket:left:lapsed": 1}, left); diff != "" {
		t.Error(diff)
	}
}
