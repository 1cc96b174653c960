package openfeature

import (
	"context"
	"slices"
	"sync"
	"time"

	sdk "github.com/open-feature/go-sdk/openfeature"

	"github.com/bucketgen/bucketgen/engine"
)

// watch is the goroutines that see what happens, while the provider is set.
type watch struct {
	mu      sync.Mutex
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// lookEvery is how often the provider asks whether the lookup sees what happens.
const lookEvery = 100 * time.Millisecond

// EventChannel returns the channel of events. Events that are not received are merged.
func (p *Provider) EventChannel() <-chan sdk.Event { return p.events }

// Init is as InitWithContext, for who has no context.
func (p *Provider) Init(in sdk.EvaluationContext) error {
	return p.InitWithContext(context.Background(), in)
}

// InitWithContext begins to see what happens. The engine must run, or it gives [engine.ErrStopped].
// ctx is for that only.
func (p *Provider) InitWithContext(ctx context.Context, _ sdk.EvaluationContext) error {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	if p.watch.cancel != nil {
		return nil // it is set for several domains
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	first, rounds := make(chan error, 1), make(chan engine.Invalidation)
	p.watch.running.Go(func() { p.see(background, rounds, first) })
	var err error
	select {
	case err = <-first:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		p.watch.running.Wait()
		return err
	}
	p.watch.cancel = cancel
	p.watch.running.Go(func() { p.emit(background, rounds) })
	return nil
}

// Shutdown is as ShutdownWithContext, for who has no context.
func (p *Provider) Shutdown() { _ = p.ShutdownWithContext(context.Background()) }

// ShutdownWithContext ends what InitWithContext began. The provider can be set again.
func (p *Provider) ShutdownWithContext(context.Context) error {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	if p.watch.cancel != nil {
		p.watch.cancel()
		p.watch.running.Wait()
		p.watch.cancel = nil
	}
	return nil
}

// see goes through rounds, and says when it has begun, or why not.
func (p *Provider) see(ctx context.Context, rounds chan<- engine.Invalidation, first chan<- error) {
	begun := false
	for round, err := range p.lookup.Engine().Invalidations(ctx) {
		if !begun {
			begun = true
			first <- err
			continue
		}
		if err != nil {
			return // the engine has stopped, and the lookup with it: that shows
		}
		select {
		case rounds <- round:
		case <-ctx.Done():
		}
	}
}

// emit makes events of what happens.
func (p *Provider) emit(ctx context.Context, rounds <-chan engine.Invalidation) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	n := news{fresh: true, reported: true}
	for {
		event, pending := n.next()
		var out chan<- sdk.Event
		if pending {
			out = p.events
		}
		select {
		case out <- event:
			n.done(event)
		case round := <-rounds:
			n.add(p, round)
		case <-tick.C:
			n.fresh = p.lookup.Fresh()
		case <-ctx.Done():
			return
		}
	}
}

// ids returns the ids of all buckets.
func (p *Provider) ids() []string {
	all := make([]string, len(p.registry.Tables().Buckets))
	for i := range all {
		all[i] = p.registry.Tables().Buckets[i].ID
	}
	return all
}

// news is what the next events report.
type news struct {
	fresh, reported bool     // what the lookup is, and what was said of it
	changed         []string // flags
}

// add notes which flags have changed.
func (n *news) add(p *Provider, round engine.Invalidation) {
	ids := round.Buckets
	if round.Lost || round.Hidden { // which may show anywhere
		ids = p.ids()
	}
	for _, id := range ids {
		flag := Prefix + id
		if _, known := p.bucket(flag); known && !slices.Contains(n.changed, flag) {
			n.changed = append(n.changed, flag)
		}
	}
}

// next returns the event that is next, if there is any.
func (n *news) next() (sdk.Event, bool) {
	event := sdk.Event{ProviderName: "bucketgen"}
	switch {
	case n.fresh != n.reported && n.fresh:
		event.EventType = sdk.ProviderReady
		event.Message = "what happens is seen again"
	case n.fresh != n.reported:
		event.EventType = sdk.ProviderStale
		event.Message = "what happens is not seen; the database answers"
	case len(n.changed) > 0:
		event.EventType = sdk.ProviderConfigChange
		event.FlagChanges = n.changed
	default:
		return event, false
	}
	return event, true
}

// done notes that an event was taken.
func (n *news) done(event sdk.Event) {
	if event.EventType == sdk.ProviderConfigChange {
		n.changed = nil
		return
	}
	n.reported = event.EventType == sdk.ProviderReady
}
