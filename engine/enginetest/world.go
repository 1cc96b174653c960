package enginetest

import (
	"cmp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// Options say how a world begins. The zero value is a world without handlers.
type Options struct {
	// Begin is the first time of the clock. Defaults to 2026-01-01T00:00:00Z.
	Begin time.Time

	// Config is that of the engine. The world sets Now, VirtualTime and NoClock. DeliveryPoll
	// defaults to 2 ms, the rest as in [engine.Config].
	Config engine.Config

	// Prepare registers handlers and forwarders before the engine starts. Defaults to none.
	Prepare func(e *engine.Engine) error
}

// World is a started engine on a database, with a clock that only the test moves. What becomes due
// happens in Settle and Advance, and at no other time. An error ends the test. A world is for one
// goroutine; its engine and its clock are for any number.
type World struct {
	*engine.Engine

	// Pool leads to the database, and Registry has the buckets.
	Pool     *pgxpool.Pool
	Registry *registry.Registry

	// Time is the clock of every engine of the world.
	Time *Clock

	t        testing.TB
	queries  *db.Queries
	delivers bool
}

// New starts an engine on a database that has its tables (see package migrate) and that no other
// test uses. The engine stops when the test ends, before the pool may be closed.
func New(t testing.TB, pool *pgxpool.Pool, r *registry.Registry, o Options) *World {
	t.Helper()
	if o.Begin.IsZero() {
		o.Begin = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	o.Config.NoClock = true
	schema := cmp.Or(o.Config.Schema, store.DefaultSchema)
	w := &World{Pool: pool, Registry: r, Time: NewClock(o.Begin), t: t, queries: store.QueriesIn(pool, schema)}
	w.Engine = w.Start(o.Config, o.Prepare)
	return w
}

// Start starts a further engine on the database and the clock of the world, as another process
// would. prepare may be nil. The engine stops when the test ends.
func (w *World) Start(config engine.Config, prepare func(e *engine.Engine) error) *engine.Engine {
	w.t.Helper()
	config.Now, config.VirtualTime = w.Time.Now, true
	w.delivers = w.delivers || !config.NoDelivery
	return Start(w.t, w.Pool, w.Registry, config, prepare)
}

// Start starts an engine as config says: for tests beside services whose timers run in real time,
// as Hatchet's do. Any other test is better off with a [World], whose clock only the test moves.
// DeliveryPoll defaults to 2 ms. prepare registers handlers before the engine starts, and may be
// nil. The engine stops when the test ends.
func Start(t testing.TB, pool *pgxpool.Pool, r *registry.Registry, config engine.Config, prepare func(e *engine.Engine) error) *engine.Engine {
	t.Helper()
	if config.DeliveryPoll == 0 {
		config.DeliveryPoll = 2 * time.Millisecond
	}
	e, err := engine.New(pool, r, config)
	if err == nil && prepare != nil {
		err = prepare(e)
	}
	if err == nil {
		err = e.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { waitfor.Stop(t, e) })
	return e
}

// Settle does everything that is due by the clock, and waits until handlers and forwarders got all
// transitions that are theirs by then, also those that they cause themselves. Deliveries that
// failed and are tried again at a later time do not count, nor what waits behind them. The test
// fails if that takes more than two minutes: a subscription without a handler in any engine waits
// for ever.
func (w *World) Settle() {
	w.t.Helper()
	waitfor.That(w.t, func() bool {
		before := w.ready()
		n, err := w.Clock().RunDue(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		return before == 0 && n == 0 && w.ready() == 0
	})
}

// Advance moves the clock forward by d and settles. What became due on the way happens at its own
// instant.
func (w *World) Advance(d time.Duration) {
	w.t.Helper()
	w.Time.Advance(d)
	w.Settle()
}

// ready returns how many deliveries can be made by now, or are being made.
func (w *World) ready() int64 {
	w.t.Helper()
	if !w.delivers {
		return 0
	}
	n, err := w.queries.DeliveriesReady(w.t.Context(), pgtype.Timestamptz{Time: w.Time.Now(), Valid: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
