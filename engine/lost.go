package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/store"
)

// What becomes of transactions whose connection is lost: a network may swallow a COMMIT, or the answer to it, without ending
// the connection. The server then holds the locks of the users for as long as it takes the session to be alive.

const (
	rollbackTimeout = 5 * time.Second
	maxAnswer       = time.Minute
	askTimeout      = 2 * time.Second // of a question about a lost transaction
	busyFor         = time.Second     // that a statement whose connection is lost may go on
)

// answers is how much longer than Config.AnswerTimeout the engine waits for an answer of the database at present.
type answers struct {
	least atomic.Int64 // 0: no longer
}

func (e *Engine) answerTimeout() time.Duration {
	return max(e.config.AnswerTimeout, time.Duration(e.answers.least.Load()))
}

// answered adapts to whether an answer came: a database that is slow gets more time, until it is not.
func (e *Engine) answered(err error) {
	least := time.Duration(e.answers.least.Load())
	switch {
	case err == nil && least == 0:
	case err == nil:
		if least /= 2; least < e.config.AnswerTimeout {
			least = 0
		}
		e.answers.least.Store(int64(least))
	case errors.Is(err, context.DeadlineExceeded):
		e.answers.least.Store(int64(min(2*e.answerTimeout(), max(e.config.AnswerTimeout, maxAnswer))))
	}
}

// answering returns a context for what the database is to answer in time.
func (e *Engine) answering(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, e.answerTimeout())
}

// rollback ends a transaction that failed, and returns the error that made it fail. Where the connection is lost, the server
// may not know that yet: its session is ended.
func (e *Engine) rollback(ctx context.Context, conn *pgxpool.Conn, err error) error {
	e.answered(err)
	if conn.Conn().IsClosed() {
		pid := conn.Conn().PgConn().PID()
		conn.Release()
		e.endSession(ctx, pid)
		return err
	}
	// The context may be what failed. What cannot be rolled back is closed with its connection by Release.
	ending, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	if _, rollback := conn.Exec(ending, "rollback"); rollback != nil {
		return errors.Join(err, conn.Conn().Close(ending))
	}
	return err
}

// endSession ends the session of a connection that was lost within a transaction, if the server still has it. Behind a pooler
// the number of the session is not known, and the pooler ends it.
func (e *Engine) endSession(ctx context.Context, pid uint32) {
	if e.pooled {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	ended, err := store.QueriesIn(e.pool, e.config.Schema).SessionEnd(ctx, int32(pid))
	if err == nil && ended > 0 {
		e.log.WarnContext(ctx, "connection lost within a transaction, session ended", "component", "ingest", "pid", pid)
	}
}

// commitStatus finds out whether a transaction was committed whose connection was lost at that moment. It returns nil if it
// was, and the server has confirmed it since; and the error that lost it if it was not committed. A transaction that is still in
// progress is ended. While the database is away it waits; a flusher that waits for long is replaced by another.
func (e *Engine) commitStatus(ctx context.Context, xid string, token store.CommitToken, lost error) error {
	r := &health.Attempts{}
	defer e.health.Finish(r)
	attempt, began := 0, time.Now()
	for {
		over, committed, err := e.askCommitStatus(ctx, xid, token, time.Since(began))
		if committed {
			err = e.confirmCommit(ctx, xid, token)
		}
		switch {
		case committed && err == nil:
			if time.Since(began) > askTimeout {
				e.answered(context.DeadlineExceeded) // it was slow
			}
			return nil
		case over && !committed:
			return lost
		case err == nil:
			err = fmt.Errorf("transaction %s is still in progress on the server: %w", xid, lost)
		}
		e.health.Fail(r, err)
		e.health.Shun(err)
		if attempt++; attempt%8 == 1 {
			e.log.WarnContext(ctx, "connection lost at COMMIT, asking for its outcome", "component", "commit",
				"attempt", attempt, "transaction", xid, "retry_in", r.Peek(), "reason", blame.Reason(err), "error", err)
		}
		if time.Since(began) > e.config.AnswerTimeout {
			replace(ctx)
		}
		if err := r.Sleep(ctx); err != nil {
			return errors.Join(lost, fmt.Errorf("whether transaction %s was committed is not known: %w", xid, err))
		}
	}
}

// confirmCommit waits for the answer to a later COMMIT of the server that has a committed transaction. The answer to the COMMIT
// of the transaction itself is lost. If it waited for a synchronous standby, the driver's cancel request, a restart of the server
// or an ended session has kept it on the primary alone, and a failover would lose it. A later COMMIT that was not answered in time
// proves nothing for the same reason. One at a time leaves the connections of the pool to everything else.
func (e *Engine) confirmCommit(ctx context.Context, xid string, token store.CommitToken) error {
	end, err := e.confirmTurn(ctx)
	if err != nil {
		return fmt.Errorf("wait to confirm transaction %s: %w", xid, err)
	}
	defer end()
	ctx, cancel := e.answering(ctx)
	defer cancel()
	confirmed, err := e.store.ConfirmCommit(ctx, e.pool, token, e.now())
	switch {
	case err != nil:
		e.answered(err) // a standby may be slow, too
		return fmt.Errorf("transaction %s is committed, but a later COMMIT is not answered, as when a synchronous standby is away: %w", xid, err)
	case !confirmed:
		return fmt.Errorf("transaction %s was committed by another server, or its token was deleted", xid)
	}
	return nil
}

// confirmTurn waits for a turn of confirmCommit, as long as for an answer of the database.
func (e *Engine) confirmTurn(ctx context.Context) (end func(), err error) {
	ctx, cancel := e.answering(ctx)
	defer cancel()
	return e.confirms.take(ctx)
}

// askCommitStatus asks once what became of a transaction, and ends it if it is still in progress.
func (e *Engine) askCommitStatus(ctx context.Context, xid string, token store.CommitToken, lasts time.Duration) (over, committed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	over, committed, err = e.store.CommitStatus(ctx, e.pool, xid, token)
	if over || err != nil {
		return over, committed, err
	}
	// A COMMIT that has arrived gets a moment to finish. One that waits for a standby is committed already, and has nothing to
	// gain from the end of its session.
	ended, err := e.store.Queries(e.pool).TransactionEnd(ctx, db.TransactionEndParams{Xid: xid, Busy: lasts > busyFor})
	if err != nil {
		return false, false, fmt.Errorf("end transaction %s: %w", xid, err)
	}
	if ended > 0 && lasts > busyFor {
		e.answered(context.DeadlineExceeded) // it was slow, and gets more time at the next attempt
	}
	if ended > 0 {
		e.log.WarnContext(ctx, "COMMIT did not arrive, transaction ended", "component", "commit", "transaction", xid)
	}
	return false, false, nil
}

// flusherKey is the key of a context's value that says how to replace the flusher whose context it is.
type flusherKey struct{}

// replace lets another flusher take the place of the one that has the context, if it is one.
func replace(ctx context.Context) {
	if another, ok := ctx.Value(flusherKey{}).(func()); ok {
		another()
	}
}

// flusher runs a flusher until there are no more batches. Where one is held by a transaction whose fate is not known, another
// takes its place, and it ends with its batch; so there are few more than Config.Flushers.
func (e *Engine) flusher(ctx context.Context) {
	var replaced atomic.Bool
	another := func() {
		if e.replaced.Add(1) > int64(maxReplaced*e.config.Flushers) || replaced.Swap(true) {
			e.replaced.Add(-1)
			return
		}
		e.flushes.Go(func() { e.flusher(ctx) })
	}
	e.flushLoop(context.WithValue(ctx, flusherKey{}, another), &replaced)
	if replaced.Load() {
		e.replaced.Add(-1)
	}
}

// maxReplaced bounds how many flushers are held at once, for each that there is.
const maxReplaced = 3
