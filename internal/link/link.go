// Package link decides how long an engine waits for its database, and what becomes of a transaction
// whose connection is lost. A network may swallow a COMMIT, or the answer to it, without ending the
// connection. The server then holds the locks of the users for as long as it takes the session to
// be alive.
package link

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/slots"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	rollbackTimeout = 5 * time.Second
	maxAnswer       = time.Minute
	askTimeout      = 2 * time.Second // of a question about a lost transaction
	busyFor         = time.Second     // that a statement whose connection is lost may go on
)

// Deps is what a link needs of an engine.
type Deps struct {
	Pool   *pgxpool.Pool
	Schema string
	Log    *slog.Logger

	// Store returns the store of the engine. It is called after the engine opened it.
	Store func() *store.Store

	// Now is the clock by which users are decided on.
	Now func() table.Instant

	// Health hears of transactions whose outcome is not known.
	Health *health.Health

	// AnswerTimeout is how long to wait for an answer at least.
	AnswerTimeout time.Duration

	// Confirms is how many transactions may wait to be confirmed.
	Confirms int

	// Held is called with the context of a transaction whose outcome has been unknown for longer
	// than AnswerTimeout, again and again.
	Held func(context.Context)
}

// Link is the policy of an engine for its connections to the database. It is safe for concurrent
// use.
type Link struct {
	deps     Deps
	longer   atomic.Int64 // what an answer may take at present, in nanoseconds; 0: AnswerTimeout
	confirms *slots.Slots // of confirm
	pooled   bool         // a pooler is between the engine and the database: its sessions are not those of the server
}

var _ transact.Links = (*Link)(nil)

// New returns a link to a database that answers in time. [Link.Check] finds out about poolers.
func New(d Deps) *Link { return &Link{deps: d, confirms: slots.New(1, d.Confirms)} }

// Pooled reports whether a pooler is between the engine and the database.
func (l *Link) Pooled() bool { return l.pooled }

func (l *Link) answerTimeout() time.Duration {
	return max(l.deps.AnswerTimeout, time.Duration(l.longer.Load()))
}

// Answered adapts to whether an answer came: a database that is slow gets more time, until it is
// not.
func (l *Link) Answered(err error) {
	longer := time.Duration(l.longer.Load())
	switch {
	case err == nil && longer == 0:
	case err == nil:
		if longer /= 2; longer < l.deps.AnswerTimeout {
			longer = 0
		}
		l.longer.Store(int64(longer))
	case errors.Is(err, context.DeadlineExceeded):
		l.longer.Store(int64(min(2*l.answerTimeout(), max(l.deps.AnswerTimeout, maxAnswer))))
	}
}

// Answering returns a context for what the database is to answer in time.
func (l *Link) Answering(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, l.answerTimeout())
}

// Rollback ends a transaction that failed, and returns the error that made it fail. Where the
// connection is lost, the server may not know that yet: its session is ended.
func (l *Link) Rollback(ctx context.Context, conn *pgxpool.Conn, err error) error {
	l.Answered(err)
	if conn.Conn().IsClosed() {
		pid := conn.Conn().PgConn().PID()
		conn.Release()
		l.endSession(ctx, pid)
		return err
	}
	// The context may be what failed. What cannot be rolled back is closed with its connection by
	// Release.
	ending, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	if _, rollback := conn.Exec(ending, "rollback"); rollback != nil {
		return errors.Join(err, conn.Conn().Close(ending))
	}
	return err
}

// endSession ends the session of a connection that was lost within a transaction, if the server
// still has it. Behind a pooler the number of the session is not known, and the pooler ends it.
func (l *Link) endSession(ctx context.Context, pid uint32) {
	if l.pooled {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	ended, err := store.QueriesIn(l.deps.Pool, l.deps.Schema).SessionEnd(ctx, int32(pid))
	if err == nil && ended > 0 {
		l.deps.Log.WarnContext(ctx, "connection lost within a transaction, session ended", "component", "ingest", "pid", pid)
	}
}
