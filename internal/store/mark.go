package store

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry"
)

// Mark is what a transaction leaves behind if it commits, by which it can be recognised afterwards: it is noted as the
// transaction begins, see [BeginAndLock]. The zero value is none.
type Mark struct {
	token  pgtype.UUID // of the connection
	serial int64
	at     registry.Instant
}

// connection is what is known of a connection from one use to the next.
type connection struct {
	token  pgtype.UUID
	serial int64
	uses   uint
	roomy  bool // it knows how to write what makes room
}

// stateOf returns what is known of a connection.
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

// NewMark returns a mark for the next transaction of a connection.
func NewMark(conn *pgconn.PgConn, at registry.Instant) Mark {
	c := stateOf(conn)
	c.serial++
	return Mark{c.token, c.serial, at}
}

// Fate finds out what became of a transaction whose connection was lost: whether it is over, and whether it was
// committed.
func (s *Store) Fate(ctx context.Context, conn db.DBTX, xid string, m Mark) (over, committed bool, err error) {
	status, err := s.Queries(conn).TransactionStatus(ctx, xid)
	switch {
	case HasCode(err, "22023"): // a transaction of the future
	case err != nil:
		return false, false, fmt.Errorf("ask about transaction %s: %w", xid, err)
	case status == "in progress":
		return false, false, nil
	}
	serial, err := s.Queries(conn).WritersSerial(ctx, m.token)
	if err != nil {
		return false, false, fmt.Errorf("ask what was committed: %w", err)
	}
	return true, serial == m.serial, nil
}
