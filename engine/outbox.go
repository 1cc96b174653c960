package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5/pgtype"
	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen"
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
	Notice     *Notice // what was to be delivered, if that is no transition
	Attempts   int
	Error      string // of the last attempt
}

// DeadLetterFilter says which dead letters are meant. The zero value is all.
type DeadLetterFilter = bucketgen.DeadLetterFilter

// DeadLetters goes through the deliveries that were given up, the oldest first, those of buckets
// that are not defined any more among them: those of the handlers and subscriptions with the given
// names, or all. After an error there are no more.
func (g *Outbox) DeadLetters(ctx context.Context, handlers ...string) iter.Seq2[DeadLetter, error] {
	return pages(func(p Page) ([]DeadLetter, int64, error) {
		return g.DeadLettersPage(ctx, DeadLetterFilter{Subscriptions: handlers}, p)
	})
}

// DeadLettersPage returns a page of the deliveries that were given up and a filter takes, the
// oldest or the newest first.
func (g *Outbox) DeadLettersPage(ctx context.Context, f DeadLetterFilter, p Page) ([]DeadLetter, int64, error) {
	l, err := g.letters()
	if err != nil {
		return nil, 0, fmt.Errorf("dead letters: %w", err)
	}
	rows, err := l.Dead(ctx, f, p.After, p.limit())
	if err != nil {
		return nil, 0, fmt.Errorf("dead letters: %w", err)
	}
	letters := make([]DeadLetter, len(rows))
	for i, row := range rows {
		t := store.Recorded(row.BucketgenTransition, row.BucketID, row.BucketName, row.UserID, row.Email)
		letters[i] = DeadLetter{
			ID: row.ID, Handler: row.Subscription, Transition: t, Notice: store.Noticed(&row.BucketgenTransition), Attempts: int(row.Attempts), Error: deref(row.Error),
		}
	}
	return letters, p.next(len(rows), func() int64 { return rows[len(rows)-1].ID }), nil
}

// CountDead returns how many dead letters a filter takes, and the id of the last of them.
func (g *Outbox) CountDead(ctx context.Context, f DeadLetterFilter) (n, last int64, err error) {
	err = g.eachDead(ctx, "count dead letters", f, func(_ outbox.Letters, ids []int64) error {
		n, last = n+int64(len(ids)), ids[len(ids)-1]
		return nil
	})
	return n, last, err
}

// Replay delivers transitions again that were given up: those with the given ids, or all. It
// returns how many there were. They are marked as replayed, and come after whatever has been
// delivered of their user and bucket since.
func (g *Outbox) Replay(ctx context.Context, ids ...int64) (int64, error) {
	l, err := g.letters()
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	n, err := l.Replay(ctx, ids)
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	g.outbox.Wake()
	return n, nil
}

// ReplayDead is [Outbox.Replay] of the dead letters that a filter takes.
func (g *Outbox) ReplayDead(ctx context.Context, f DeadLetterFilter) (n int64, err error) {
	err = g.eachDead(ctx, "replay", f, func(l outbox.Letters, ids []int64) error {
		more, err := l.Replay(ctx, ids)
		n += more
		return err
	})
	if n > 0 {
		g.outbox.Wake()
	}
	return n, err
}

// Discard deletes the dead letters with some ids, for good, and returns how many there were.
func (g *Outbox) Discard(ctx context.Context, ids ...int64) (int64, error) {
	l, err := g.letters()
	if err != nil {
		return 0, fmt.Errorf("discard: %w", err)
	}
	n, err := l.Queries.DeliveriesDiscard(ctx, ids)
	if err != nil {
		return 0, fmt.Errorf("discard: %w", err)
	}
	return n, nil
}

// DiscardDead is [Outbox.Discard] of the dead letters that a filter takes.
func (g *Outbox) DiscardDead(ctx context.Context, f DeadLetterFilter) (n int64, err error) {
	err = g.eachDead(ctx, "discard", f, func(l outbox.Letters, ids []int64) error {
		more, err := l.Queries.DeliveriesDiscard(ctx, ids)
		n += more
		return err
	})
	return n, err
}

// eachDead calls do with the ids of the dead letters that a filter takes, some at a time.
func (g *Outbox) eachDead(ctx context.Context, what string, f DeadLetterFilter, do func(outbox.Letters, []int64) error) error {
	l, err := g.letters()
	if err == nil {
		err = l.Each(ctx, f, func(ids []int64) error { return do(l, ids) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// WaitingDelivery is a delivery that is still to be made.
type WaitingDelivery = bucketgen.WaitingDelivery

// WaitingPage returns a page of what waits for a subscription, in the order in which it was put
// into the outbox. The time that it takes grows with what waits.
func (g *Outbox) WaitingPage(ctx context.Context, subscription string, p Page) ([]WaitingDelivery, int64, error) {
	l, err := g.letters()
	if err != nil {
		return nil, 0, fmt.Errorf("deliveries: %w", err)
	}
	all, err := l.Waiting(ctx, subscription, p.After, p.limit())
	if err != nil {
		return nil, 0, fmt.Errorf("deliveries: %w", err)
	}
	return all, p.next(len(all), func() int64 { return all[len(all)-1].ID }), nil
}

// letters returns the deliveries for operators, of an engine that runs.
func (g *Outbox) letters() (outbox.Letters, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return outbox.Letters{}, err
	}
	return e.lettersNow(), nil
}

// lettersNow is for loops of the engine, which may begin before it is ready.
func (e *Engine) lettersNow() outbox.Letters {
	return outbox.Letters{Queries: e.store.Queries(e.pool), Now: e.config.Now()}
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
