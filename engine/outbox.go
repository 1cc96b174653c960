package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/outbox"
	"github.com/bucketgen/bucketgen/internal/store"
)

// newProcess returns an identity for this process, in leases and heartbeats.
func newProcess() pgtype.UUID {
	id := pgtype.UUID{Valid: true}
	_, _ = rand.Read(id.Bytes[:]) // it never fails
	return id
}

func (e *Engine) newOutbox() *outbox.Outbox {
	return outbox.New(outbox.Deps{
		Pool: e.pool, Log: e.log, Store: func() *store.Store { return e.store }, Now: e.Now, VirtualTime: e.config.VirtualTime,
		Process: e.processID, Lease: e.config.Lease, Poll: e.config.DeliveryPoll, Off: e.config.NoDelivery, Rollback: e.link.Rollback,
		Span: func(ctx context.Context, name string) (context.Context, func(error, ...attribute.KeyValue)) {
			return e.telemetry.Begin(ctx, name)
		},
	})
}

// prepareOutbox registers the subscriptions of handlers and forwarders in the database, so that
// transitions are kept for them from now on.
func (e *Engine) prepareOutbox(ctx context.Context) error {
	var all []*outbox.Dispatcher
	if len(e.handlers) > 0 {
		d := e.outbox.NewDispatcher(nil, e.config.DeliveryWorkers)
		for i := range e.handlers {
			h := &e.handlers[i]
			if err := d.Subscribe(ctx, outbox.Subscriber{Name: h.name, MaxAttempts: h.maxAttempts, Call: h.call}, e.numbered(h.bucket, h.subscription)); err != nil {
				return fmt.Errorf("register handler %q: %w", h.name, err)
			}
		}
		all = append(all, d)
	}
	for _, f := range e.forwarders {
		d, err := e.newForwardDispatcher(ctx, f)
		if err != nil {
			return fmt.Errorf("forwarder %q: %w", f.Name, err)
		}
		all = append(all, d)
	}
	e.outbox.Replace(all)
	return nil
}

// newForwardDispatcher makes a dispatcher for a forwarder, whose subscriptions it registers in the
// database.
func (e *Engine) newForwardDispatcher(ctx context.Context, f *Forwarder) (*outbox.Dispatcher, error) {
	d := e.outbox.NewDispatcher(&outbox.Forwarder{Name: f.Name, Func: f.Func}, f.Batch)
	for _, s := range f.Subscriptions {
		to := outbox.Subscriber{Name: s.Name, MaxAttempts: f.MaxAttempts}
		var err error
		if s.Existing {
			err = d.Attach(ctx, to)
		} else {
			err = d.Subscribe(ctx, to, e.numbered(s.params(e.handle)))
		}
		if err != nil {
			return nil, fmt.Errorf("register subscription %q: %w", s.Name, err)
		}
	}
	return d, nil
}

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	ID         int64
	Handler    string // or the subscription of a forwarder
	Transition Transition
	Attempts   int
	Error      string // of the last attempt
}

// DeadLetters goes through the deliveries that were given up, the oldest first, those of buckets
// that are not defined any more among them: those of the handlers and subscriptions with the given
// names, or all. After an error there are no more.
func (g *Outbox) DeadLetters(ctx context.Context, handlers ...string) iter.Seq2[DeadLetter, error] {
	e := (*Engine)(g)
	return pages(func(p Page) ([]DeadLetter, int64, error) { return e.Outbox().DeadLettersPage(ctx, p, handlers...) })
}

// DeadLettersPage returns a page of what [Outbox.DeadLetters] goes through.
func (g *Outbox) DeadLettersPage(ctx context.Context, p Page, handlers ...string) ([]DeadLetter, int64, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, 0, fmt.Errorf("dead letters: %w", err)
	}
	rows, err := e.store.Queries(e.pool).DeliveriesDead(ctx, db.DeliveriesDeadParams{AfterID: p.After, Subscriptions: handlers, Size: p.limit()})
	if err != nil {
		return nil, 0, fmt.Errorf("dead letters: %w", err)
	}
	letters := make([]DeadLetter, len(rows))
	for i, row := range rows {
		t := store.Recorded(row.BucketgenTransition, row.BucketID, row.BucketName, row.UserID, row.Email)
		letters[i] = DeadLetter{ID: row.ID, Handler: row.Subscription, Transition: t, Attempts: int(row.Attempts), Error: deref(row.Error)}
	}
	return letters, p.next(len(rows), func() int64 { return rows[len(rows)-1].ID }), nil
}

// Replay delivers transitions again that were given up: those with the given ids, or all. It
// returns how many there were. They are marked as replayed, and come after whatever has been
// delivered of their user and bucket since.
func (g *Outbox) Replay(ctx context.Context, ids ...int64) (int64, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	n, err := e.store.Queries(e.pool).DeliveriesReplay(ctx, db.DeliveriesReplayParams{Ids: ids, Now: store.Timestamp(e.config.Now().Truncate(time.Microsecond))})
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	e.outbox.Wake()
	return n, nil
}

// Backlog is what waits in the outbox for a subscription: of a handler, or of a forwarder.
type Backlog = bucketgen.Backlog

// Backlogs returns what waits in the outbox, by the names of subscriptions, those of other programs
// on the database among them. The time that it takes grows with what waits.
func (g *Outbox) Backlogs(ctx context.Context) ([]Backlog, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("backlogs: %w", err)
	}
	rows, err := e.store.Queries(e.pool).DeliveriesBacklog(ctx)
	if err != nil {
		return nil, fmt.Errorf("backlogs: %w", err)
	}
	all := make([]Backlog, len(rows))
	for i, row := range rows {
		all[i] = Backlog{Subscription: row.Name, BucketID: deref(row.BucketID), Waiting: row.Waiting, Dead: row.Dead}
		if row.Oldest.Valid {
			all[i].Oldest = row.Oldest.Time.UTC()
		}
	}
	return all, nil
}
