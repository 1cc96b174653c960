package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/erase"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
)

// EraseOptions say how a person is erased.
type EraseOptions = bucketgen.EraseOptions

// Erasure is the record of an erasure.
type Erasure = bucketgen.Erasure

// Erase deletes everything that the database has about a person, by any of their ids: the user, the
// users who were merged into them, all names, properties, events, stays, transitions and
// deliveries. Nothing is announced, and no read finds anything of them from then on. Sizes of
// buckets in the past stay as they were.
//
// What has left the database cannot be recalled: deliveries that were made or are under way,
// mirrors, logs, backups. A lookup forgets the person within its MaxStale. The ids stay in the
// table hidings for an hour, by which other processes learn of it.
//
// Of a person with more than 100,000 events the log is deleted in the background, under a name that
// no read finds. An unknown person gives [ErrUnknownUser], and an id that cannot be one an
// [*InvalidError].
func (g *People) Erase(ctx context.Context, id string, o EraseOptions) (Erasure, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(id); err != nil {
		return Erasure{}, fmt.Errorf("erase: %w", err)
	}
	if err := event.EraseOptions(&o); err != nil {
		return Erasure{}, fmt.Errorf("erase: %w", err)
	}
	if o.Suppress && e.store.Suppressor == nil {
		return Erasure{}, fmt.Errorf("erase: %w", ErrNoSecret)
	}
	out, err := e.eraser().Erase(ctx, e.attempts("erase"), id, o)
	if err != nil {
		return Erasure{}, fmt.Errorf("erase: %w", err)
	}
	if out.FinishedAt.IsZero() && e.erasing != nil {
		e.erasing.Wake()
	}
	return out, nil
}

// Erasures returns a page of the records of erasures, the newest first. They are kept for
// [Config].AuditAge.
func (g *People) Erasures(ctx context.Context, p Page) ([]Erasure, int64, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, 0, fmt.Errorf("erasures: %w", err)
	}
	all, err := e.eraser().Page(ctx, p.After, p.limit())
	if err != nil {
		return nil, 0, fmt.Errorf("erasures: %w", err)
	}
	return all, p.next(len(all), func() int64 { return all[len(all)-1].ID }), nil
}

// maxErased is how many rows of a log one transaction deletes.
const maxErased = 100_000

func (e *Engine) eraser() *erase.Eraser {
	return &erase.Eraser{Pool: e.pool, Store: e.store, Now: e.Now, Most: maxErased, Wake: e.feed.Wake}
}

// erasingLoop returns the loop that deletes long logs of persons who were erased.
func (e *Engine) erasingLoop() *service.Loop {
	const poll = 10 * time.Second
	return &service.Loop{
		Component: "erasure", Log: e.log, Backoff: retry.Backoff{Min: time.Second, Max: time.Minute},
		Turn: func(ctx context.Context) (time.Duration, error) {
			worked, err := e.eraser().Continue(ctx)
			if worked && err == nil {
				return 0, nil
			}
			return poll, err
		},
	}
}
