package rollout_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/rollout"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestBackfillKeepsItsRate claims parts of a deployment with a bounded rate by two workers:
// together they keep to it.
func TestBackfillKeepsItsRate(t *testing.T) {
	t.Parallel()
	ctx, pool, now := t.Context(), pgtest.New(t), time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	config := engine.Config{Now: func() time.Time { return now }, NoClock: true, NoDelivery: true}
	old, err := engine.New(pool, registrytest.Build(t), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = old.Stop(context.WithoutCancel(ctx)) })
	for i := range 25 {
		if _, err := old.Ingest(ctx, engine.Event{UserID: fmt.Sprint("u", i), Name: "visit"}); err != nil {
			t.Fatal(err)
		}
	}
	e, err := engine.New(pool, registrytest.Build(t, bucket.Define(bucket.Spec{ID: "visitors", Criteria: bucket.Event("visit").Exists()})), config)
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.Deploy(ctx, engine.DeployOptions{Rate: 100})
	if err != nil || d.Rate != 100 {
		t.Fatalf("deployed %+v, %v; want a rate of 100", d, err)
	}
	runner := &transact.Runner{Pool: pool, Store: store.StaysOnly(store.DefaultSchema, nil)}
	s := &rollout.Service{Runner: runner, Now: config.Now}
	workers := [...]rollout.Claim{s.ClaimOf(d.No), s.ClaimOf(d.No)}
	var waits []time.Duration
	for i := 0; ; i++ {
		_, upto, at, err := workers[i%2](ctx)
		if err != nil {
			t.Fatal(err)
		}
		if upto == 0 {
			break
		}
		waits = append(waits, at.Sub(now))
	}
	if want := []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond}; !slices.Equal(waits, want) {
		t.Errorf("parts of 10, 10 and 5 users wait %v, want %v", waits, want)
	}
}
