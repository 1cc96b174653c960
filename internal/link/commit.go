package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/store"
)

// CommitStatus finds out whether a transaction was committed whose connection was lost at that
// moment. It returns nil if it was, and the server has confirmed it since; and the error that lost
// it if it was not committed. A transaction that is still in progress is ended. While the database
// is away it waits; a transaction that waits for long is Held.
func (l *Link) CommitStatus(ctx context.Context, xid string, token store.CommitToken, lost error) error {
	r := &health.Attempts{}
	defer l.deps.Health.Finish(r)
	attempt, began := 0, time.Now()
	for {
		over, committed, err := l.ask(ctx, xid, token, time.Since(began))
		if committed {
			err = l.confirm(ctx, xid, token)
		}
		switch {
		case committed && err == nil:
			if time.Since(began) > askTimeout {
				l.Answered(context.DeadlineExceeded) // it was slow
			}
			return nil
		case over && !committed:
			return lost
		case err == nil:
			err = fmt.Errorf("transaction %s is still in progress on the server: %w", xid, lost)
		}
		l.deps.Health.Fail(r, err)
		l.deps.Health.Shun(err)
		if attempt++; attempt%8 == 1 {
			l.deps.Log.WarnContext(ctx, "connection lost at COMMIT, asking for its outcome", "component", "commit",
				"attempt", attempt, "transaction", xid, "retry_in", r.Peek(), "reason", blame.Reason(err), "error", err)
		}
		if time.Since(began) > l.deps.AnswerTimeout {
			l.deps.Held(ctx)
		}
		if err := r.Sleep(ctx); err != nil {
			return errors.Join(lost, fmt.Errorf("whether transaction %s was committed is not known: %w", xid, err))
		}
	}
}

// confirm waits for the answer to a later COMMIT of the server that has a committed transaction.
// The answer to the COMMIT of the transaction itself is lost. If it waited for a synchronous
// standby, the driver's cancel request, a restart of the server or an ended session has kept it on
// the primary alone, and a failover would lose it. A later COMMIT that was not answered in time
// proves nothing for the same reason. One at a time leaves the connections of the pool to
// everything else.
func (l *Link) confirm(ctx context.Context, xid string, token store.CommitToken) error {
	release, err := l.confirmSlot(ctx)
	if err != nil {
		return fmt.Errorf("wait to confirm transaction %s: %w", xid, err)
	}
	defer release()
	ctx, cancel := l.Answering(ctx)
	defer cancel()
	confirmed, err := l.deps.Store().ConfirmCommit(ctx, l.deps.Pool, token, l.deps.Now())
	switch {
	case err != nil:
		l.Answered(err) // a standby may be slow, too
		return fmt.Errorf("transaction %s is committed, but a later COMMIT is not answered, as when a synchronous standby is away: %w", xid, err)
	case !confirmed:
		return fmt.Errorf("transaction %s was committed by another server, or its token was deleted", xid)
	}
	return nil
}

// confirmSlot waits for the slot of confirm, as long as for an answer of the database.
func (l *Link) confirmSlot(ctx context.Context) (release func(), err error) {
	ctx, cancel := l.Answering(ctx)
	defer cancel()
	return l.confirms.Acquire(ctx)
}

// ask asks once what became of a transaction, and ends it if it is still in progress.
func (l *Link) ask(ctx context.Context, xid string, token store.CommitToken, lasts time.Duration) (over, committed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	over, committed, err = l.deps.Store().CommitStatus(ctx, l.deps.Pool, xid, token)
	if over || err != nil {
		return over, committed, err
	}
	// A COMMIT that has arrived gets a moment to finish. One that waits for a standby is committed
	// already, and has nothing to gain from the end of its session.
	ended, err := l.deps.Store().Queries(l.deps.Pool).TransactionEnd(ctx, db.TransactionEndParams{Xid: xid, Busy: lasts > busyFor})
	if err != nil {
		return false, false, fmt.Errorf("end transaction %s: %w", xid, err)
	}
	if ended > 0 && lasts > busyFor {
		l.Answered(context.DeadlineExceeded) // it was slow, and gets more time at the next attempt
	}
	if ended > 0 {
		l.deps.Log.WarnContext(ctx, "COMMIT did not arrive, transaction ended", "component", "commit", "transaction", xid)
	}
	return false, false, nil
}
