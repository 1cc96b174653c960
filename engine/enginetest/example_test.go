package enginetest_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// A test of a handler ingests events, moves the clock, and checks what the handler did.
func Example() {
	t, done := pgtest.Testing() // a test has a *testing.T, and a pool on a database of its own
	defer done()
	pool := pgtest.New(t)

	register := func(e *engine.Engine) error {
		return e.OnEnter(gen.WentDormant, engine.EnterHandler{Name: "win back", Func: func(_ context.Context, tr engine.Transition) error {
			fmt.Println(tr.UserID, "went dormant at", tr.At)
			return nil
		}})
	}
	w := enginetest.New(t, pool, gen.Registry, enginetest.Options{Prepare: register})
	for range 3 {
		if _, err := w.Ingest(t.Context(), gen.AppActiveEvent{}.By("ada")); err != nil {
			t.Fatal(err)
		}
	}
	w.Advance(13 * bucket.Day)
	fmt.Println("a day later")
	w.Advance(bucket.Day)
	// Output:
	// a day later
	// ada went dormant at 2026-01-15 00:00:00 +0000 UTC
}
