package webhook

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
)

// Service posts to the enabled endpoints, beside an engine. [New] makes one. It has a forwarder for
// each of them, which comes and goes with it.
type Service struct {
	*Endpoints

	engine   *engine.Engine
	poke     chan struct{}
	attempts attempts

	life    sync.Mutex // of Start and Stop
	started bool
	cancel  context.CancelFunc

	mu         sync.Mutex
	forwarders map[int]string // by the number of their endpoint: their names, or empty if they are ending
	batches    map[int]int    // by the number of their endpoint: how many transitions a webhook carries at most
	background sync.WaitGroup
}

// New makes a service beside an engine.
func New(e *engine.Engine, pool *pgxpool.Pool, config Config) (*Service, error) {
	if e == nil {
		return nil, errors.New("webhook.New: the engine is nil")
	}
	config.Now = e.Now
	endpoints, err := Open(pool, config)
	if err != nil {
		return nil, err
	}
	return &Service{
		Endpoints: endpoints, engine: e, poke: make(chan struct{}, 1), attempts: attempts{most: endpoints.config.Attempts},
		forwarders: map[int]string{}, batches: map[int]int{},
	}, nil
}

// String says in a line how many endpoints are posted to.
func (s *Service) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch n := len(s.forwarders); n {
	case 0:
		return "webhooks: no endpoints"
	case 1:
		return "webhooks: 1 endpoint"
	default:
		return fmt.Sprintf("webhooks: %d endpoints", n)
	}
}

// Start begins to post, and to follow what happens to endpoints. Start the engine first. ctx is for
// reading the endpoints for the first time only. A service is started once.
func (s *Service) Start(ctx context.Context) error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.started {
		return errors.New("start: the webhooks were started before; make another service with webhook.New")
	}
	background, cancel := context.WithCancel(context.Background())
	if err := s.follow(ctx, background); err != nil {
		cancel()
		return fmt.Errorf("start: %w", errors.Join(err, s.end(ctx)))
	}
	s.started, s.cancel = true, cancel
	s.background.Go(func() { s.run(background) })
	return nil
}

// Stop ends it: webhooks that are on their way may arrive. If ctx ends first, they are broken off,
// and posted again by who comes next, with the same id. Stop the engine afterwards. Stopping again
// does nothing.
func (s *Service) Stop(ctx context.Context) error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	s.cancel = nil
	s.background.Wait()
	if err := errors.Join(s.end(ctx), s.writeAttempts(ctx)); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// end lets all forwarders go, and waits for them.
func (s *Service) end(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := make(chan error, len(s.forwarders))
	for _, name := range s.forwarders {
		go func() { ended <- s.engine.Outbox().Unforward(ctx, name) }()
	}
	var errs []error
	for range s.forwarders {
		errs = append(errs, <-ended)
	}
	clear(s.forwarders)
	return errors.Join(errs...)
}

// Poke makes the service read the endpoints now, not at its next turn.
func (s *Service) Poke() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// run follows what happens to endpoints until ctx ends.
func (s *Service) run(ctx context.Context) {
	turn := time.NewTicker(s.config.Poll)
	defer turn.Stop()
	failing := false
	for {
		select {
		case <-turn.C:
		case <-s.poke:
		case <-ctx.Done():
			return
		}
		err := errors.Join(s.follow(ctx, ctx), s.writeAttempts(ctx))
		if err != nil && !failing && ctx.Err() == nil {
			s.config.Logger.ErrorContext(ctx, "endpoint poll failed, retrying", "component", "webhooks", "error", err)
		}
		failing = err != nil
	}
}

// follow lets forwarders come for endpoints that are enabled, and go for others. One that cannot
// come keeps no other from it.
func (s *Service) follow(ctx, background context.Context) error {
	all, err := s.List(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := map[int]bool{}
	for no := range s.forwarders {
		gone[no] = true
	}
	var errs []error
	for _, e := range all {
		if _, there := s.forwarders[e.No]; !there && e.DisabledAt.IsZero() {
			errs = append(errs, s.serve(ctx, e))
		}
		if e.DisabledAt.IsZero() && s.batches[e.No] == e.Batch {
			delete(gone, e.No) // otherwise its forwarder goes, and comes back for batches of another size
		}
	}
	for no := range gone {
		s.leave(background, no)
	}
	return errors.Join(errs...)
}

// serve lets the forwarder of an endpoint come.
func (s *Service) serve(ctx context.Context, e Endpoint) error {
	f := engine.Forwarder{
		Name: "webhook:" + strconv.Itoa(e.No), Batch: max(atOnce, e.Batch), MaxAttempts: s.config.MaxAttempts,
		Func: func(ctx context.Context, batch []engine.Delivery) ([]error, error) {
			return s.forward(ctx, e.No, batch)
		},
	}
	for _, name := range e.Subscriptions() {
		f.Subscriptions = append(f.Subscriptions, engine.Subscription{Name: name, Existing: true})
	}
	switch err := s.engine.Forward(ctx, f); {
	case errors.Is(err, engine.ErrUnknownSubscription):
		return nil // it was deleted a moment ago
	case err != nil:
		return err
	}
	s.forwarders[e.No], s.batches[e.No] = f.Name, e.Batch
	return nil
}

// leave lets the forwarder of an endpoint go, in the background: it may have to wait for webhooks
// that are on their way, and no other endpoint is to wait with it.
func (s *Service) leave(ctx context.Context, no int) {
	name := s.forwarders[no]
	if name == "" {
		return
	}
	s.forwarders[no] = ""
	s.background.Go(func() {
		if err := s.engine.Outbox().Unforward(ctx, name); err != nil && ctx.Err() == nil {
			s.config.Logger.ErrorContext(ctx, "endpoint could not be stopped", "component", "webhooks", "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.forwarders, no)
		s.Poke() // it may have been enabled meanwhile
	})
}
