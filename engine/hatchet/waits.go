package hatchet

import (
	"context"
	"sync/atomic"
	"time"

	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	"github.com/hatchet-dev/hatchet/pkg/worker"
	sdk "github.com/hatchet-dev/hatchet/sdks/go"
)

// waits knows when a durable task last began to wait. A worker that stops hands waiting tasks back
// to Hatchet, and does not check that Hatchet has received what they wait for: if it has not, it
// never wakes them. So no worker stops before that had time to arrive.
type waits struct{ last atomic.Int64 }

// watched is Hatchet's own note of what waits, and ours.
type watched struct {
	worker.DurableEvictionHook
	waits *waits
}

func (w watched) MarkWaiting(key, kind, resource string) {
	w.waits.last.Store(time.Now().UnixNano())
	w.DurableEvictionHook.MarkWaiting(key, kind, resource)
}

// watch takes note of the waits of a run, which may begin at once.
func (w *waits) watch(ctx sdk.DurableContext) {
	w.last.Store(time.Now().UnixNano())
	run, ok := ctx.(interface {
		DurableEvictionHook() worker.DurableEvictionHook
		DurableTaskListener() *v0.DurableTaskListener
		DurableEvictionSupported() bool
	})
	if !ok || run.DurableEvictionHook() == nil {
		return
	}
	worker.SetContextDurableHooks(ctx, watched{run.DurableEvictionHook(), w}, run.DurableTaskListener(), run.DurableEvictionSupported())
}

// await waits until no wait is young, but not for ever: others may begin all the time.
func (w *waits) await(ctx context.Context) {
	const young, most = time.Second, 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		age := time.Since(time.Unix(0, w.last.Load()))
		if age >= young {
			return
		}
		select {
		case <-time.After(young - age):
		case <-ctx.Done():
			return
		}
	}
}
