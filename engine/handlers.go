package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// HandlerFunc is called with a transition after that was committed. It is called at least once for
// each; after an error, a panic or the death of the process it is called again. Of one user and
// bucket, its transitions come in order, one at a time: the next only when this one was handled, or
// given up. Another handler has an order of its own: use [Engine.OnTransition] where a leave must
// not come before its join.
//
// ctx ends when the engine is stopped and does not wait any longer, and with the cause
// [ErrLeaseLost] when the lease of the delivery has ended, which the engine keeps while it reaches
// the database. It has no deadline, because the end of a lease moves.
type HandlerFunc func(ctx context.Context, t Transition) error

// EnterHandler is called when a user joined a bucket, if the bucket's entry policy lets that be
// announced.
type EnterHandler struct {
	// Name identifies the handler in the database, where its deliveries wait while no process
	// serves it. It must be unique among all handlers, and stay.
	Name string

	// FirstOnly leaves out all but the first stay of a user in the bucket. Defaults to false.
	FirstOnly bool

	// MaxAttempts is how often a transition is tried before it is given up. Defaults to 20, which
	// takes about ten hours.
	MaxAttempts int

	Func HandlerFunc
}

// LeaveHandler is called when a user left a bucket.
type LeaveHandler struct {
	// Name is as in EnterHandler.
	Name string

	// Reasons are those for which it is called. Defaults to all.
	Reasons []Reason

	// MaxAttempts is as in EnterHandler.
	MaxAttempts int

	Func HandlerFunc
}

// DwellHandler is called at a tick of a stay.
type DwellHandler struct {
	// Name is as in EnterHandler.
	Name string

	// MaxAttempts is as in EnterHandler.
	MaxAttempts int

	Func HandlerFunc
}

// OnEnter registers a handler. Handlers are registered before the engine starts. From the first
// start on, transitions are kept for it, also while it does not run; [Outbox.Unsubscribe] ends
// that.
func (e *Engine) OnEnter(bucket registry.BucketRef, h EnterHandler) error {
	return e.addHandler(bucket, handler{
		name: h.Name, call: h.Func, maxAttempts: h.MaxAttempts,
		subscription: db.SubscriptionsRegisterParams{Kinds: []string{string(Entered)}, FirstOnly: h.FirstOnly},
	})
}

// OnLeave registers a handler, as OnEnter does.
func (e *Engine) OnLeave(bucket registry.BucketRef, h LeaveHandler) error {
	if err := checkReasons(h.Reasons); err != nil {
		return fmt.Errorf("handler %q: %w", h.Name, err)
	}
	var reasons []string
	for _, r := range h.Reasons {
		reasons = append(reasons, string(r))
	}
	return e.addHandler(bucket, handler{
		name: h.Name, call: h.Func, maxAttempts: h.MaxAttempts,
		subscription: db.SubscriptionsRegisterParams{Kinds: []string{string(Left)}, Reasons: reasons},
	})
}

// OnDwell registers a handler, as OnEnter does. The tick is one that the bucket's definition
// declares.
func (e *Engine) OnDwell(tick registry.TickRef, h DwellHandler) error {
	label := tick.Label()
	b, err := e.bucket(tick.Bucket())
	if err != nil {
		return fmt.Errorf("handler %q: %w", h.Name, err)
	}
	if err := e.checkTick(b, label); err != nil {
		return fmt.Errorf("handler %q: %w", h.Name, err)
	}
	return e.addHandler(tick.Bucket(), handler{
		name: h.Name, call: h.Func, maxAttempts: h.MaxAttempts,
		subscription: db.SubscriptionsRegisterParams{Kinds: []string{string(Dwell)}, Tick: &label},
	})
}

// TransitionHandler is called at everything that happens to stays in a bucket. Unlike an
// [EnterHandler] beside a [LeaveHandler], which are two handlers that do not wait for each other,
// it gets the joins, leaves and ticks of a user in one order: a leave comes only when the join
// before it was handled, or given up.
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
	return e.addHandler(bucket, handler{
		name: h.Name, call: h.Func, maxAttempts: h.MaxAttempts, subscription: db.SubscriptionsRegisterParams{Kinds: kinds},
	})
}

func checkReasons(reasons []Reason) error {
	for _, r := range reasons {
		if !slices.Contains([]Reason{ReasonCriteria, ReasonMaxDwell, ReasonManual, ReasonRetired}, r) {
			return fmt.Errorf("there is no reason %q to leave", r)
		}
	}
	return nil
}

func (e *Engine) checkTick(b table.BucketIndex, label string) error {
	row := &e.registry.Buckets[b]
	if !slices.ContainsFunc(row.Ticks, func(t table.Tick) bool { return t.Label == label }) {
		return fmt.Errorf("bucket %q does not tick %q; declare it by Dwell in its definition", row.ID, label)
	}
	return nil
}

// Unsubscribe forgets a handler or a subscription of a forwarder by its name, together with
// everything that waits for it. It reports whether there was one.
func (g *Outbox) Unsubscribe(ctx context.Context, name string) (bool, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return false, fmt.Errorf("unsubscribe: %w", err)
	}
	n, err := e.store.Queries(e.pool).SubscriptionsRemove(ctx, name)
	if err != nil {
		return false, fmt.Errorf("unsubscribe: %w", err)
	}
	return n > 0, nil
}

// handler is a registered handler of any kind.
type handler struct {
	name         string
	bucket       table.BucketIndex
	call         HandlerFunc
	maxAttempts  int
	subscription db.SubscriptionsRegisterParams
}

const defaultAttempts = 20

func (e *Engine) addHandler(bucket registry.BucketRef, h handler) error {
	b, err := e.bucket(bucket)
	switch {
	case err != nil:
		return fmt.Errorf("handler %q: %w", h.name, err)
	case h.name == "":
		return fmt.Errorf("a handler of bucket %q has no name; it needs one that stays, because its deliveries wait under it", bucket.ID())
	case h.call == nil:
		return fmt.Errorf("handler %q has no Func", h.name)
	case h.maxAttempts < 0:
		return fmt.Errorf("handler %q: MaxAttempts is %d; it must be positive, or zero for the default", h.name, h.maxAttempts)
	}
	if h.maxAttempts == 0 {
		h.maxAttempts = defaultAttempts
	}
	h.bucket, h.subscription.Name = b, h.name
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase.Load() != fresh {
		return fmt.Errorf("handler %q: handlers are registered before the engine starts", h.name)
	}
	if slices.Contains(e.names, h.name) {
		return fmt.Errorf("handler %q: there is another of that name", h.name)
	}
	e.names = append(e.names, h.name)
	e.handlers = append(e.handlers, h)
	return nil
}

// numbered completes the parameters of a subscription by the number of its bucket in the database.
func (e *Engine) numbered(bucket table.BucketIndex, params db.SubscriptionsRegisterParams) db.SubscriptionsRegisterParams {
	if bucket != allBuckets {
		no := e.store.Bucket(bucket)
		params.BucketNo = &no
	}
	return params
}
