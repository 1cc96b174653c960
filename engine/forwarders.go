package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Forwarder takes transitions to another system, many at once.
type Forwarder struct {
	// Name is what the forwarder is called in the log, and by [Outbox.Unforward]. It must be unique
	// among all forwarders.
	Name string

	// Subscriptions are what it forwards.
	Subscriptions []Subscription

	// Batch is how many deliveries it is called with at most, 1 to 100. Defaults to 100.
	Batch int

	// MaxAttempts is as in EnterHandler.
	MaxAttempts int

	// Func is called with deliveries, by one goroutine at a time, and each of them at least once.
	// There is never more than one of a subscription, user and bucket in a batch, and the next
	// comes only when that was taken, or given up.
	//
	// Its errors are those of the deliveries, one for each, or nil if all were taken: a delivery
	// with an error is tried again later, as with handlers, [RetryAfter] says how much later at
	// least, and [GiveUp] gives it up. Its second result says that the target as a whole is away:
	// then what was not taken, all of the batch or whatever has an error, goes back to the outbox,
	// which counts no attempt, and Func is not called for a while: a second at first, half a minute
	// in the end. Deliveries of other subscriptions do not wait for it.
	//
	// Of a batch that makes it panic, every delivery has failed. ctx ends as that of a
	// [HandlerFunc] does: with the first lease of the batch that is lost.
	Func func(ctx context.Context, batch []Delivery) ([]error, error)
}

// Subscription says which transitions are wanted.
type Subscription struct {
	// Name is as in EnterHandler: handlers and subscriptions share their names.
	Name string

	// Bucket is the one whose transitions are wanted. Defaults to all buckets, also those that this
	// program does not have.
	Bucket registry.BucketRef

	// Kinds are those that are wanted, at least one. Merged and Erased ask for notices, which are
	// of no bucket: so Bucket must be nil. The notices of a user are delivered in order; one may
	// come before or after what happened to the user in a bucket at about that time.
	Kinds []Kind

	// Tick is the label of the ticks that are wanted. Defaults to all.
	Tick string

	// FirstOnly leaves out all but the first stay of a user in a bucket. Defaults to false.
	FirstOnly bool

	// Reasons are those of the leaves that are wanted. Defaults to all.
	Reasons []Reason

	// Existing says that another program has recorded the subscription of this Name in the
	// database, and may remove it: it is served as it is, and no other field that describes it is
	// set here. Where there is none, [ErrUnknownSubscription] is returned. Defaults to false.
	Existing bool
}

// Delivery is a transition on its way to a subscription.
type Delivery = bucketgen.Delivery

// maxForward is how many deliveries are leased at once at most; the query that does it says so,
// too.
const maxForward = 100

// allBuckets is in place of a bucket.
const allBuckets table.BucketIndex = -1

func (f *Forwarder) check() error {
	switch {
	case f.Name == "":
		return errors.New("a forwarder has no name")
	case f.Func == nil:
		return fmt.Errorf("forwarder %q has no Func", f.Name)
	case f.Batch < 0 || f.Batch > maxForward:
		return fmt.Errorf("forwarder %q: Batch is %d; it must be 1 to %d, or zero for the default", f.Name, f.Batch, maxForward)
	case f.MaxAttempts < 0:
		return fmt.Errorf("forwarder %q: MaxAttempts is %d; it must be positive, or zero for the default", f.Name, f.MaxAttempts)
	case len(f.Subscriptions) == 0:
		return fmt.Errorf("forwarder %q has no subscriptions", f.Name)
	default:
		return nil
	}
}

func (e *Engine) checkSubscription(s Subscription, names []string) error {
	switch {
	case s.Name == "":
		return errors.New("a subscription has no name; it needs one that stays, because its deliveries wait under it")
	case slices.Contains(names, s.Name):
		return fmt.Errorf("subscription %q: there is another of that name", s.Name)
	case s.Existing && (s.Bucket != nil || s.Kinds != nil || s.Tick != "" || s.FirstOnly || s.Reasons != nil):
		return fmt.Errorf("subscription %q is an Existing one; give nothing but its Name", s.Name)
	case s.Existing:
		return nil
	case len(s.Kinds) == 0:
		return fmt.Errorf("subscription %q has no Kinds", s.Name)
	}
	for _, k := range s.Kinds {
		switch {
		case !slices.Contains([]Kind{Entered, Left, Dwell, Merged, Erased}, k):
			return fmt.Errorf("subscription %q: there is no kind %q of transitions", s.Name, k)
		case s.Bucket != nil && (k == Merged || k == Erased):
			return fmt.Errorf("subscription %q: %s is of no bucket; ask for it by a subscription without Bucket", s.Name, k)
		}
	}
	if err := checkReasons(s.Reasons); err != nil {
		return fmt.Errorf("subscription %q: %w", s.Name, err)
	}
	if s.Bucket == nil {
		return nil
	}
	b, err := e.bucket(s.Bucket)
	if err != nil {
		return fmt.Errorf("subscription %q: %w", s.Name, err)
	}
	if s.Tick != "" {
		if err := e.checkTick(b, s.Tick); err != nil {
			return fmt.Errorf("subscription %q: %w", s.Name, err)
		}
	}
	return nil
}

// params returns a subscription as the database knows it, and its bucket.
func (s *Subscription) params(r *registry.Registry) (table.BucketIndex, db.SubscriptionsRegisterParams) {
	p := db.SubscriptionsRegisterParams{Name: s.Name, FirstOnly: s.FirstOnly}
	for _, k := range s.Kinds {
		p.Kinds = append(p.Kinds, string(k))
	}
	for _, r := range s.Reasons {
		p.Reasons = append(p.Reasons, string(r))
	}
	if s.Tick != "" {
		p.Tick = &s.Tick
	}
	if s.Bucket == nil {
		return allBuckets, p
	}
	b, _ := r.Resolve(s.Bucket) // it was checked
	return b, p
}

// Forward registers a forwarder. Before the engine starts it does no more than that. On a running
// engine it makes the subscriptions known to the database, for which ctx is, and begins to forward.
// Transitions are kept for its subscriptions from the start of the engine on, or from now on if it
// runs, also while the forwarder does not run; [Outbox.Unsubscribe] ends that.
//
// Forwarders may come and go at any time, and from several goroutines, but not from a Func: Stop
// waits for those.
func (e *Engine) Forward(ctx context.Context, f Forwarder) error {
	if err := f.check(); err != nil {
		return err
	}
	def(&f.Batch, maxForward)
	def(&f.MaxAttempts, defaultAttempts)
	f.Subscriptions = slices.Clone(f.Subscriptions)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.forward(ctx, &f); err != nil {
		return fmt.Errorf("forwarder %q: %w", f.Name, err)
	}
	return nil
}

// forward registers a forwarder, all of it or nothing, and starts it if the engine runs.
func (e *Engine) forward(ctx context.Context, f *Forwarder) error {
	if e.forwarderOf(f.Name) != nil {
		return errors.New("there is another of that name")
	}
	names := slices.Clone(e.names)
	for _, s := range f.Subscriptions {
		if err := e.checkSubscription(s, names); err != nil {
			return err
		}
		names = append(names, s.Name)
	}
	switch e.phase.Load() {
	case stopped:
		return ErrStopped
	case running:
		d, err := e.newForwardDispatcher(ctx, f)
		if err != nil {
			return err
		}
		e.outbox.Add(d)
		d.Start()
	}
	e.names = names
	e.forwarders = append(e.forwarders, f)
	return nil
}

// Unforward ends a forwarder by its name, and waits for its Func. If ctx ends first, so does that
// of Func, and what it was called with is delivered again once a lease has passed. Transitions are
// still kept for its subscriptions, until another forwarder serves them, or [Outbox.Unsubscribe]
// ends that. It must not be called from a Func.
func (g *Outbox) Unforward(ctx context.Context, name string) error {
	e := (*Engine)(g)
	e.mu.Lock()
	f := e.forwarderOf(name)
	if f == nil || e.phase.Load() == fresh {
		defer e.mu.Unlock()
		if f == nil {
			return fmt.Errorf("forwarder %q: there is none of that name", name)
		}
		e.dropForwarder(f)
		return nil
	}
	d := e.outbox.Forwarder(f.Name)
	e.mu.Unlock()
	err := d.End(ctx) // without the lock, because others need not wait for it; its names stay taken until then
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outbox.Remove(d)
	e.dropForwarder(f)
	if err != nil {
		return fmt.Errorf("forwarder %q: %w", name, err)
	}
	return nil
}

func (e *Engine) forwarderOf(name string) *Forwarder {
	i := slices.IndexFunc(e.forwarders, func(f *Forwarder) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return e.forwarders[i]
}

// dropForwarder forgets a forwarder, unless that was done already.
func (e *Engine) dropForwarder(f *Forwarder) {
	i := slices.Index(e.forwarders, f)
	if i < 0 {
		return
	}
	e.forwarders = slices.Delete(e.forwarders, i, i+1)
	e.names = slices.DeleteFunc(e.names, func(name string) bool {
		return slices.ContainsFunc(f.Subscriptions, func(s Subscription) bool { return s.Name == name })
	})
}
