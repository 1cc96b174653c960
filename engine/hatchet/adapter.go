package hatchet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	sdk "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/bucketgen/bucketgen/engine"
)

// Adapter connects an engine with Hatchet. [New] makes one.
type Adapter struct {
	engine    *engine.Engine
	config    Config
	log       *slog.Logger
	client    *client
	events    map[string]Event // by the name of the subscription
	workflows []sdk.WorkflowBase
	now       func() time.Time

	// ready says that what is pushed triggers this adapter's tasks: Hatchet matches events with the
	// workflows that it knows when they are pushed, and never again.
	ready atomic.Bool
	waits waits

	mu         sync.Mutex // of Start and Stop
	started    bool
	cancel     context.CancelFunc
	background sync.WaitGroup
	stopWorker func() error // nil while there is no worker
}

// New makes an adapter of an engine that is not started yet, and subscribes to the transitions to
// push. It does not connect: a server that is away is none of its errors, but settings that cannot
// be right are.
func New(e *engine.Engine, config Config) (*Adapter, error) {
	if e == nil {
		return nil, errors.New("hatchet.New: the engine is nil")
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	a := &Adapter{engine: e, config: config.withDefaults(e.Registry().Tables()), events: map[string]Event{}, now: time.Now}
	a.log = a.config.Logger
	var err error
	if a.client, err = newClient(a.log); err != nil {
		return nil, fmt.Errorf("hatchet.New: %w", err)
	}
	if err := a.declare(); err != nil {
		return nil, fmt.Errorf("hatchet.New: %w", err)
	}
	if err := a.subscribe(); err != nil {
		return nil, fmt.Errorf("hatchet.New: %w", err)
	}
	return a, nil
}

// declare makes the workflows that this process serves.
func (a *Adapter) declare() error {
	if err := checkReactions(a.config.Reactions); err != nil {
		return err
	}
	if a.config.PushOnly {
		return nil
	}
	a.workflows = append(a.workflows, a.expiryTask(), a.backfillTask(), a.reconcileTask())
	for _, r := range a.config.Reactions {
		a.workflows = append(a.workflows, a.reactionTask(r))
	}
	return nil
}

// subscribe registers the forwarder and the callbacks of the adapter.
func (a *Adapter) subscribe() error {
	all := a.config.Events
	for _, r := range a.config.Reactions {
		all = append(slices.Clip(all), r.event)
	}
	events, err := distinct(all)
	if err != nil {
		return err
	}
	if err := errors.Join(a.engine.Clock().OnExpiryTimer(a.startTimers), a.engine.Deployments().OnDeploy(a.deployed)); err != nil {
		return err
	}
	f := engine.Forwarder{Name: "hatchet", Batch: mostEvents, Func: a.forward}
	for _, e := range events {
		a.events[e.subscription.Name] = e
		f.Subscriptions = append(f.Subscriptions, e.subscription)
	}
	if len(f.Subscriptions) > 0 {
		if err := a.engine.Forward(context.Background(), f); err != nil { // an engine that is not started waits for nothing
			return err
		}
	}
	return nil
}

// String says what the adapter does, in a line for people.
func (a *Adapter) String() string {
	does := "timers, jobs and reactions run here"
	if a.config.PushOnly {
		does = "timers, jobs and reactions run elsewhere"
	}
	return fmt.Sprintf("with Hatchet at %s: %s, %s", a.client.address, pushes(len(a.events)), does)
}

func pushes(n int) string {
	switch n {
	case 0:
		return "no transitions are pushed"
	case 1:
		return "transitions are pushed for 1 subscription"
	default:
		return fmt.Sprintf("transitions are pushed for %d subscriptions", n)
	}
}

// Check says what is wrong with the server, if anything is: that it is away, or does not accept the
// token. The adapter need not have been started.
func (a *Adapter) Check(ctx context.Context) error { return a.client.check(ctx) }

// Start connects, registers tasks, and starts to work. If the server is away that is logged and
// tried again in the background; until then transitions wait. A token, an address or a TLS setting
// that the server does not accept, and a server that is too old, are errors. ctx is for connecting
// only. Start the engine first. An adapter is started once.
func (a *Adapter) Start(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.started {
		return errors.New("start: the adapter was started before; make another with hatchet.New")
	}
	err := a.connect(ctx)
	if err != nil && !away(err) {
		return fmt.Errorf("start: %w", err)
	}
	a.started = true
	background, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	if err != nil {
		a.log.WarnContext(ctx, "Hatchet cannot be reached, transitions wait, retrying", "component", "hatchet", "address", a.client.address, "error", err)
		a.background.Go(func() { a.connectLater(background) })
	}
	return nil
}

// connect makes sure of the server and registers the tasks.
func (a *Adapter) connect(ctx context.Context) error {
	if err := a.client.check(ctx); err != nil {
		return err
	}
	if !a.config.PushOnly {
		stop, err := a.client.work(a.config, a.workflows)
		if err != nil {
			return err
		}
		a.stopWorker = stop
	}
	a.ready.Store(true)
	a.log.InfoContext(ctx, "connected to Hatchet", "component", "hatchet", "address", a.client.address)
	return nil
}

// connectLater connects as soon as that can be done.
func (a *Adapter) connectLater(ctx context.Context) {
	const least, most = time.Second, 30 * time.Second
	for wait := least; ; wait = min(2*wait, most) {
		timer := time.NewTimer(wait + rand.N(wait/4)) //nolint:gosec // no secret
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		switch err := a.connect(ctx); {
		case err == nil || ctx.Err() != nil:
			return
		case !away(err):
			a.log.ErrorContext(ctx, "Hatchet connection failed, transitions wait, retrying", "component", "hatchet", "error", err)
		}
	}
}

// Stop ends the work: what sleeps goes on elsewhere, or when the next adapter starts. If ctx ends
// first, it is left alone, and Hatchet gives it to others. Stop the engine afterwards. Stopping
// again does nothing.
func (a *Adapter) Stop(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel == nil {
		return nil
	}
	a.cancel()
	a.cancel = nil
	stopped := make(chan error, 1)
	go func() {
		a.background.Wait()
		var err error
		if a.stopWorker != nil {
			a.waits.await(ctx)
			err = a.stopWorker()
		}
		stopped <- err
	}()
	select {
	case err := <-stopped:
		if err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop: %w", ctx.Err())
	}
}
