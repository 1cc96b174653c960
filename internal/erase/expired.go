package erase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// The bounds of a batch of contacts that have expired: how many there are, how long their
// deliveries may wait, and how often they are checked.
const (
	expiredBatch = 2000
	expiredKept  = 30 * 24 * time.Hour
	expiredPoll  = 10 * time.Minute
)

// Sweep is what is left of contacts that have expired. The zero value begins with the first.
type Sweep struct {
	from time.Time // from is where the next batch begins, if there may be more; else zero
}

// Sweep deletes the rows of some anonymous contacts that have expired, and returns how long it can
// wait then: 0 if there were any. Those with deliveries wait until these are made, but no longer
// than 30 days. Several processes may call it.
func (e *Eraser) Sweep(ctx context.Context, s *Sweep) (time.Duration, error) {
	now := e.Now()
	if s.from.IsZero() {
		switch first, err := e.queries().ExpiredFirst(ctx); {
		case errors.Is(err, pgx.ErrNoRows):
			return expiredPoll, nil
		case err != nil:
			return 0, fmt.Errorf("find contacts that have expired: %w", err)
		case first.Time.After(now):
			return first.Time.Sub(now), nil // a database in which nothing happens is not written to
		default:
			s.from = first.Time
		}
	}
	from := s.from
	s.from = time.Time{}
	wait := expiredPoll // other processes have locked them all
	err := e.Runner.Do(ctx, func(q *db.Queries) error {
		all, err := q.ExpiredNext(ctx, db.ExpiredNextParams{
			From: store.Timestamp(from), Now: store.Timestamp(now), Most: expiredBatch, KeptSince: store.Timestamp(now.Add(-expiredKept)), Later: store.Timestamp(now.Add(expiredPoll)),
		})
		if err != nil {
			return fmt.Errorf("find contacts that have expired: %w", err)
		}
		if len(all) > 0 {
			wait = 0
		}
		p := person{Eraser: e, now: store.Timestamp(now)}
		var known []int64 // those that were ever in a bucket
		last := from
		for _, c := range all {
			if c.EraseAt.Time.After(last) {
				last = c.EraseAt.Time
			}
			if !c.Busy {
				p.ids = append(p.ids, c.ID)
			}
			if !c.Busy && c.Known {
				known = append(known, c.ID)
			}
		}
		if len(all) == expiredBatch {
			s.from = last
		}
		if len(p.ids) == 0 {
			return nil
		}
		more, err := p.sweep(ctx, q, known)
		if more {
			s.from = from
		}
		return err
	})
	if err != nil {
		s.from = time.Time{}
	}
	return wait, err
}

// sweep deletes all rows of contacts, or some if there are many: then there are more.
func (p *person) sweep(ctx context.Context, q *db.Queries, known []int64) (more bool, err error) {
	row, err := q.EraseLog(ctx, db.EraseLogParams{Ids: p.ids, Most: int32(p.Most)})
	if err != nil {
		return false, fmt.Errorf("delete the log: %w", err)
	}
	if row.More {
		return true, nil
	}
	if len(known) > 0 {
		if err := (&person{Eraser: p.Eraser, ids: known, now: p.now}).addTallies(ctx, q); err != nil {
			return false, err
		}
		if _, err := q.EraseDeliveries(ctx, known); err != nil {
			return false, fmt.Errorf("delete deliveries: %w", err)
		}
	}
	if _, err := q.EraseStays(ctx, db.EraseStaysParams{Ids: p.ids, Now: p.now}); err != nil {
		return false, fmt.Errorf("delete stays: %w", err)
	}
	if _, err := q.EraseContacts(ctx, p.ids); err != nil {
		return false, fmt.Errorf("delete contacts: %w", err)
	}
	return false, nil
}
