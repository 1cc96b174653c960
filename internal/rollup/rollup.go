// Package rollup adds up the log of transitions hour by hour, and answers from that how the size of
// a bucket changed over time.
package rollup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Deps is what a rollup needs.
type Deps struct {
	Pool   *pgxpool.Pool
	Reader *pgxpool.Pool // Reader is that of histories, whose database may be behind
	Schema string        // Schema has the tables
	Log    *slog.Logger
}

// Rollup adds up the log of transitions. It is safe for concurrent use.
type Rollup struct {
	deps Deps

	mu      sync.Mutex
	checked time.Time // checked is when the length of the log's tail was last read
}

// New returns a rollup.
func New(d Deps) *Rollup { return &Rollup{deps: d} }

const (
	runEvery = time.Minute
	runAgain = time.Second // runAgain is the wait for a transaction that has yet to commit a part of the log
	chunk    = 50_000      // chunk is how many transitions one transaction adds up
	maxTail  = 10_000      // maxTail is how many transitions a query reads from the log, rather than adding them up first
	tailFor  = time.Second // tailFor is for how long the length of the tail counts as known
)

// Loop returns the loop that adds up the log.
func (r *Rollup) Loop() *service.Loop {
	return &service.Loop{
		Component: "rollup", Log: r.deps.Log, Backoff: retry.Backoff{Min: time.Second, Max: runEvery},
		Turn: func(ctx context.Context) (time.Duration, error) {
			if incomplete, err := r.Run(ctx); incomplete || err != nil {
				return runAgain, err
			}
			return runEvery, nil
		},
	}
}

// Run adds up everything that is known to be complete. Then it reads the end of the log, and adds
// up that, too, if no transaction is writing. It reports whether the log is incomplete because one
// is. While another process runs, it does nothing.
func (r *Rollup) Run(ctx context.Context) (incomplete bool, err error) {
	p := pass{rollup: r}
	for more := true; more && err == nil; {
		more, err = p.step(ctx)
	}
	return p.incomplete, err
}

// catchUp adds up the log if its tail is long: the process may have run without a clock for a
// while. A query is right with a long tail, too, but slower, so the length is read once a second
// for all queries.
func (r *Rollup) catchUp(ctx context.Context) error {
	if r.checking(time.Now()) {
		return nil
	}
	behind, err := r.queries(r.deps.Pool).RollupProgressBehind(ctx)
	if err != nil {
		return fmt.Errorf("read how far the log is added up: %w", err)
	}
	if behind < maxTail {
		return nil
	}
	_, err = r.Run(ctx)
	return err
}

// checking reports whether another query reads the length of the tail, or did a moment ago. If not,
// the caller must.
func (r *Rollup) checking(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.checked.IsZero() && now.Sub(r.checked) < tailFor {
		return true
	}
	r.checked = now
	return false
}

// queries returns the queries in the schema of the rollup, run on a connection.
func (r *Rollup) queries(conn db.DBTX) *db.Queries { return store.QueriesIn(conn, r.deps.Schema) }

// pass is one pass through the log.
type pass struct {
	rollup     *Rollup
	extended   bool // extended says that the end of the log was read
	incomplete bool // incomplete says that a transaction is writing what comes next
}

// step does a part of the pass, in a short transaction, and reports whether there may be more to
// do.
func (p *pass) step(ctx context.Context) (more bool, err error) {
	pool := p.rollup.deps.Pool
	// The id is read before the transaction has a number: a transaction that may yet commit a
	// smaller id has a smaller number, too.
	last, err := p.rollup.queries(pool).TransitionsLast(ctx)
	if err != nil {
		return false, fmt.Errorf("read the last transition: %w", err)
	}
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		more, err = p.advance(ctx, p.rollup.queries(tx), last)
		return err
	})
	return more, err
}

func (p *pass) advance(ctx context.Context, q *db.Queries, last int64) (more bool, err error) {
	at, err := q.RollupProgressTake(ctx)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil // another process runs
	case err != nil:
		return false, fmt.Errorf("read how far the log is added up: %w", err)
	}
	taken, err := q.SizesTake(ctx, chunk)
	if err != nil {
		return false, fmt.Errorf("add up deletions: %w", err)
	}
	switch {
	case at.UpTo < at.Known && at.Complete && !at.Strange:
		upTo := min(at.UpTo+chunk, at.Known)
		if err := q.RollupsAdd(ctx, db.RollupsAddParams{AfterID: at.UpTo, UpTo: upTo}); err != nil {
			return false, fmt.Errorf("add up transitions: %w", err)
		}
		if err := q.RollupProgressAdvance(ctx, upTo); err != nil {
			return false, fmt.Errorf("record how far the log is added up: %w", err)
		}
		return true, nil
	case at.UpTo < at.Known && !at.Strange:
		p.incomplete = true
		return taken == chunk, nil
	case p.extended, at.Known >= last && !at.Strange:
		return taken == chunk, nil
	}
	p.extended = true
	if err := q.RollupProgressKnow(ctx, last); err != nil {
		return false, fmt.Errorf("record the end of the log: %w", err)
	}
	return true, nil
}
