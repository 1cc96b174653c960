package engine

import (
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry"
)

// TransitionHandler is called at everything that happens to stays in a bucket. Unlike an [EnterHandler] beside a [LeaveHandler],
// which are two handlers that do not wait for each other, it gets the joins, leaves and ticks of a user in one order:
// a leave comes only when the join before it was handled, or given up.
type TransitionHandler struct {
	// Name is as in EnterHandler.
	Name string

	// Kinds are those that it is called for. Defaults to joins and leaves.
	Kinds []Kind

	// MaxAttempts is as in EnterHandler.
	MaxAttempts int

	Func HandlerFunc
}

// OnTransition registers a handler, as OnEnter does.
func (e *Engine) OnTransition(bucket registry.BucketRef, h TransitionHandler) error {
	if len(h.Kinds) == 0 {
		h.Kinds = []Kind{Entered, Left}
	}
	var kinds []string
	for _, k := range h.Kinds {
		if !slices.Contains([]Kind{Entered, Left, Dwell}, k) {
			return fmt.Errorf("handler %q: there is no kind %q of transitions", h.Name, k)
		}
		kinds = append(kinds, string(k))
	}
	return e.on(bucket, handler{
		name: h.Name, call: h.Func, maxAttempts: h.MaxAttempts, subscription: db.SubscriptionsRegisterParams{Kinds: kinds},
	})
}
