package pipeline

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Conn is a connection, pool or transaction that a batch is sent on.
type Conn interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Batch is a list of statements that are sent together. A batch is used by one goroutine, and sent
// once.
type Batch struct {
	rewrite func(sql string) string
	batch   pgx.Batch
}

// New returns an empty batch. It sends what rewrite makes of each statement.
func New(rewrite func(sql string) string) *Batch { return &Batch{rewrite: rewrite} }

// Add adds a statement. The caller sets a callback for the rows on the result.
func (b *Batch) Add(sql string, args ...any) *pgx.QueuedQuery {
	for i, arg := range args {
		args[i] = asArray(arg)
	}
	return b.batch.Queue(b.rewrite(sql), args...)
}

// Len returns the number of statements.
func (b *Batch) Len() int { return b.batch.Len() }

// Send runs the statements by one round trip, and their callbacks. It returns the first error.
func (b *Batch) Send(ctx context.Context, conn Conn) error {
	b.makeRoom(conn)
	return conn.SendBatch(ctx, &b.batch).Close()
}

// Exec adds a statement. With Query and QueryRow it makes the batch a connection for generated
// queries.
func (b *Batch) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	b.Add(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Query returns an error: the rows come when the batch is sent.
func (b *Batch) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errUnsent }

// QueryRow returns a row whose Scan returns an error: it comes when the batch is sent.
func (b *Batch) QueryRow(context.Context, string, ...any) pgx.Row { return unsentRow{} }

var errUnsent = errors.New("a query in a batch has no rows before the batch is sent")

type unsentRow struct{}

// Scan is part of [pgx.Row].
func (unsentRow) Scan(...any) error { return errUnsent }
