package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
)

const (
	tallyEvery  = time.Minute
	tallyAgain  = time.Second // while somebody is still writing what is to be added up
	tallyChunk  = 50_000      // transitions, added up by one transaction
	tallyBehind = 10_000      // that many transitions are rather read from the log than added up first
)

// Tally adds up what happened to buckets since the last time, hour by hour, so that [Engine.SizeOverTime] and
// [Engine.BucketStats] have less to read; what they say is the same. The engine does it by itself every minute; this is
// for engines that run without a clock. If another process is at it, it leaves the work to that one.
func (e *Engine) Tally(ctx context.Context) error {
	if err := e.ready(); err != nil {
		return fmt.Errorf("tally: %w", err)
	}
	if _, err := e.tally(ctx); err != nil {
		return fmt.Errorf("tally: %w", err)
	}
	return nil
}

// tallying returns the loop that adds up what happened.
func (e *Engine) tallying() *service.Loop {
	return &service.Loop{
		Component: "rollup", Log: e.log, Backoff: retry.Backoff{Min: time.Second, Max: tallyEvery},
		Turn: func(ctx context.Context) (time.Duration, error) {
			if waits, err := e.tally(ctx); waits || err != nil {
				return tallyAgain, err
			}
			return tallyEvery, nil
		},
	}
}

// tally adds up all that is known to be complete, then looks what is there now, and adds that up too if nobody is writing.
// It reports whether it has to wait for somebody who is.
func (e *Engine) tally(ctx context.Context) (waits bool, err error) {
	t := tally{engine: e}
	for more := true; more && err == nil; {
		more, err = t.turn(ctx)
	}
	return t.waits, err
}

// tally is one run through the log.
type tally struct {
	engine *Engine
	looked bool // what is there now was noted
	waits  bool // for somebody who is writing
}

// turn does one step, in a short transaction, and reports whether there may be more to do.
func (t *tally) turn(ctx context.Context) (more bool, err error) {
	e := t.engine
	// Read before the transaction has a number: whoever may yet commit a smaller id has one that is smaller, too.
	last, err := e.store.Queries(e.pool).TransitionsLast(ctx)
	if err != nil {
		return false, fmt.Errorf("read the last transition: %w", err)
	}
	err = pgx.BeginTxFunc(ctx, e.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		more, err = t.within(ctx, e.store.Queries(tx), last)
		return err
	})
	return more, err
}

func (t *tally) within(ctx context.Context, q *db.Queries, last int64) (more bool, err error) {
	at, err := q.TalliedTake(ctx)
	switch {
	case noRow(err):
		return false, nil // somebody else is at it
	case err != nil:
		return false, fmt.Errorf("read how far the log is added up: %w", err)
	case at.UpTo < at.Known && at.Complete && !at.Strange:
		upTo := min(at.UpTo+tallyChunk, at.Known)
		if err := q.TalliesAdd(ctx, db.TalliesAddParams{AfterID: at.UpTo, UpTo: upTo}); err != nil {
			return false, fmt.Errorf("add up transitions: %w", err)
		}
		if err := q.TalliedAdvance(ctx, upTo); err != nil {
			return false, fmt.Errorf("note how far the log is added up: %w", err)
		}
		return true, nil
	case at.UpTo < at.Known && !at.Strange:
		t.waits = true
		return false, nil
	case t.looked, at.Known >= last && !at.Strange:
		return false, nil
	}
	t.looked = true
	if err := q.TalliedKnow(ctx, last); err != nil {
		return false, fmt.Errorf("note what is in the log: %w", err)
	}
	return true, nil
}
