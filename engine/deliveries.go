package engine

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	ID         int64
	Handler    string // or the subscription of a forwarder
	Transition Transition
	Attempts   int
	Error      string // of the last attempt
}

// DeadLetters goes through the deliveries that were given up, the oldest first, those of buckets that are not defined any
// more among them: those of the handlers and subscriptions with the given names, or all. After an error there are no more.
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

// Replay delivers transitions again that were given up: those with the given ids, or all. It returns how many there
// were. They are marked as replayed, and come after whatever has been delivered of their user and bucket since.
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
