package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
)

// TestFailing reports a loop from its first failed turn until a turn succeeds.
func TestFailing(t *testing.T) {
	t.Parallel()
	fails := false
	l := &service.Loop{Backoff: retry.Backoff{Min: time.Second, Max: time.Second}, Turn: func(context.Context) (time.Duration, error) {
		if fails {
			return 0, errAway
		}
		return time.Second, nil
	}}
	run(t, l, func(g *service.Group, _ *strings.Builder) {
		sleep(time.Millisecond)
		if failing, loops := g.Failing(); len(failing) != 0 || loops != 1 {
			t.Errorf("got %v of %d loops", failing, loops)
		}
		fails = true
		sleep(10 * time.Second)
		failing, _ := g.Failing()
		if len(failing) != 1 || failing[0].Component != "test" || failing[0].Attempts < 2 || !errors.Is(failing[0].Err, errAway) {
			t.Fatalf("got %+v", failing)
		}
		if took := time.Since(failing[0].Since); took < 8*time.Second || took > 10*time.Second {
			t.Errorf("it fails for %s", took)
		}
		fails = false
		sleep(3 * time.Second)
		if failing, _ := g.Failing(); len(failing) != 0 {
			t.Errorf("after a success: got %+v", failing)
		}
	})
}
