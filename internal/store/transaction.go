package store

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/pipeline"
)

// connection is kept with a connection between its transactions.
type connection struct {
	token  pgtype.UUID
	serial int64 // serial numbers the commit tokens of the connection
	uses   uint  // uses counts calls of Replan
}

// stateOf returns what is kept with a connection.
func stateOf(conn *pgconn.PgConn) *connection {
	const key = "bucketgen"
	if c, known := conn.CustomData()[key].(*connection); known {
		return c
	}
	c := &connection{token: pgtype.UUID{Valid: true}}
	_, _ = rand.Read(c.token.Bytes[:]) // it never fails
	conn.CustomData()[key] = c
	return c
}

// Replan counts a use of a connection and reports whether its statements need new plans: at the
// first, second, fourth, eighth use, and so on. PostgreSQL keeps a plan until a table of it is
// analysed, which may be a million rows later. While a table is empty all its indexes are alike,
// and a plan made then may use the wrong one.
func Replan(conn *pgconn.PgConn) bool {
	c := stateOf(conn)
	c.uses++
	return c.uses&(c.uses-1) == 0
}

// batch returns an empty batch of statements.
func (s *Store) batch() *pipeline.Batch { return pipeline.New(s.SQL) }

// begin starts a transaction that writes a commit token. No statement in it waits longer than
// timeout for a lock; 0 is for ever.
func (s *Store) begin(q *pipeline.Batch, timeout time.Duration, token CommitToken, xid *string) {
	q.Add("begin isolation level read committed")
	patience := fmt.Sprintf("%dms", timeout.Milliseconds())
	q.Add(db.TransactionBegun, patience, token.serial, timestamp(token.at), token.token).QueryRow(func(row pgx.Row) error {
		var begun db.TransactionBegunRow
		err := row.Scan(&begun.Xid, &begun.ServerStart, &begun.Lasts)
		*xid = begun.Xid
		if s.cache.ServerStarted(begun.ServerStart.Time, begun.Lasts) {
			s.names.forget()
		}
		return err
	})
}
