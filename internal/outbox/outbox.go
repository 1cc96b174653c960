package outbox

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen/internal/store"
)

// Deps is what the outbox needs of an engine.
type Deps struct {
	Pool *pgxpool.Pool
	Log  *slog.Logger

	// Store returns the store of the engine. It is called after the engine opened it.
	Store func() *store.Store

	// Now is the clock of the engine, by which a failed delivery is put off.
	Now func() time.Time

	// VirtualTime says that leases go by Now. Otherwise they go by the database's clock.
	VirtualTime bool

	// Process identifies this process in leases.
	Process pgtype.UUID

	// Lease is how long a delivery is leased, unless the lease is extended.
	Lease time.Duration

	// Poll is the wait between two claims that found nothing, unless [Outbox.Wake] ends it.
	Poll time.Duration

	// Off leaves deliveries to other processes: subscriptions are registered, and nothing is
	// claimed.
	Off bool

	// Rollback ends a transaction that failed with an error, and returns that error.
	Rollback func(ctx context.Context, conn *pgxpool.Conn, err error) error

	// Span begins a span. The function it returns ends the span with the error of the call.
	Span func(ctx context.Context, name string) (context.Context, func(error, ...attribute.KeyValue))
}

// Counters counts deliveries of this process.
type Counters struct {
	Delivered atomic.Int64 // completed
	Failed    atomic.Int64 // failed attempts
	Returned  atomic.Int64 // given back because the target of a forwarder was away
	Dead      atomic.Int64 // given up
	Forgotten atomic.Int64 // dead letters that were deleted as too old
}

// Outbox holds the dispatchers of a process. Each forwarder has a dispatcher of its own, and the
// handlers share one: a target that is slow or away delays no other. It is safe for concurrent use.
type Outbox struct {
	deps     Deps
	counters Counters

	mu          sync.RWMutex
	dispatchers []*Dispatcher // forwarders come and go
	running     sync.WaitGroup
}

// New makes an outbox without dispatchers.
func New(d Deps) *Outbox { return &Outbox{deps: d} }

// Counters returns the counters of the outbox.
func (o *Outbox) Counters() *Counters { return &o.counters }

// Add adds a dispatcher.
func (o *Outbox) Add(d *Dispatcher) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dispatchers = append(o.dispatchers, d)
}

// Replace makes dispatchers those of the outbox, in place of all others. None of them may have
// started.
func (o *Outbox) Replace(dispatchers []*Dispatcher) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dispatchers = dispatchers
}

// Remove removes a dispatcher.
func (o *Outbox) Remove(d *Dispatcher) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dispatchers = slices.DeleteFunc(o.dispatchers, func(other *Dispatcher) bool { return other == d })
}

// Forwarder returns the dispatcher of the forwarder with a name, or nil.
func (o *Outbox) Forwarder(name string) *Dispatcher {
	for _, d := range o.all() {
		if d.forwarder != nil && d.forwarder.Name == name {
			return d
		}
	}
	return nil
}

func (o *Outbox) all() []*Dispatcher {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.Clone(o.dispatchers)
}

// Start starts all dispatchers.
func (o *Outbox) Start() {
	for _, d := range o.all() {
		d.Start()
	}
}

// Wake makes all dispatchers claim again.
func (o *Outbox) Wake() {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, d := range o.dispatchers {
		d.poke()
	}
}

// Stop stops all dispatchers. It does not wait: calls in flight finish, see [Outbox.Wait].
func (o *Outbox) Stop() {
	for _, d := range o.all() {
		d.stop()
	}
}

// Abandon cancels the calls in flight.
func (o *Outbox) Abandon() {
	for _, d := range o.all() {
		if d.cancel != nil {
			d.cancel()
		}
	}
}

// Wait waits until all dispatchers have ended.
func (o *Outbox) Wait() { o.running.Wait() }
