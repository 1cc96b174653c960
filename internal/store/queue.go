package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen/gen/db"
)

// queue collects statements that go to the database together.
type queue struct {
	store *Store
	batch pgx.Batch
}

func (q *queue) add(sql string, args ...any) *pgx.QueuedQuery {
	for i, arg := range args {
		args[i] = asArray(arg)
	}
	return q.batch.Queue(q.store.SQL(sql), args...)
}

// Replan reports whether the plans of a connection are to be made anew: when it is used the first, second, fourth, eighth
// time, and so on. A plan that was made while a table was empty may use any index, since all are alike then, and
// PostgreSQL keeps it until the table is analysed, which may be a million rows later.
func Replan(conn *pgconn.PgConn) bool {
	c := stateOf(conn)
	c.uses++
	return c.uses&(c.uses-1) == 0
}

// begin starts a transaction that leaves a mark and in which no statement waits longer than a timeout for a lock, or for ever if
// that is 0.
func (q *queue) begin(timeout time.Duration, mark Mark, xid *string) {
	q.add("begin isolation level read committed")
	q.add(db.TransactionBegun, fmt.Sprintf("%dms", timeout.Milliseconds()), mark.serial, timestamp(mark.at), mark.token).QueryRow(func(row pgx.Row) error {
		var begun db.TransactionBegunRow
		err := row.Scan(&begun.Xid, &begun.ServerStart, &begun.Lasts)
		*xid = begun.Xid
		if q.store.cache.ServerStarted(begun.ServerStart.Time, begun.Lasts) {
			q.store.names.forget()
		}
		return err
	})
}

// send runs the statements by one round trip.
func (q *queue) send(ctx context.Context, conn Conn) error {
	q.makeRoom(conn)
	return conn.SendBatch(ctx, &q.batch).Close()
}

// Exec queues a statement instead of running it, which lets the generated queries fill a queue.
func (q *queue) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	q.add(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Query and QueryRow are there to satisfy the generated code. What is queued has no rows yet.
func (q *queue) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errQueued
}

func (q *queue) QueryRow(context.Context, string, ...any) pgx.Row { return noRow{} }

var errQueued = errors.New("a query that is queued has no rows yet")

type noRow struct{}

func (noRow) Scan(...any) error { return errQueued }

// each calls visit with every row of a result.
func each[T any](visit func(T)) func(pgx.Rows) error {
	return tryEach(func(row T) error {
		visit(row)
		return nil
	})
}

// tryEach calls visit with every row of a result, until it fails.
func tryEach[T any](visit func(T) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		row, none := new(T), *new(T)
		into := targets(row)
		for rows.Next() {
			*row = none // a list that was scanned belongs to whoever got it
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if err := visit(*row); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// targets returns what a row is scanned into: the fields of a struct in their order, or the one value that a row is.
func targets(row any) []any {
	v := reflect.ValueOf(row).Elem()
	if v.Kind() != reflect.Struct {
		return []any{row}
	}
	into := make([]any, v.NumField())
	for i := range into {
		into[i] = v.Field(i).Addr().Interface()
	}
	return into
}
