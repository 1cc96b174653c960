package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Mark is what a transaction leaves behind if it commits, by which it can be recognised afterwards: it is noted as the
// transaction begins, see [BeginAndLock]. The zero value is none.
type CommitToken struct {
	token  pgtype.UUID // of the connection
	serial int64
	at     table.Instant
}

// NewMark returns a mark for the next transaction of a connection.
func NewCommitToken(conn *pgconn.PgConn, at table.Instant) CommitToken {
	c := stateOf(conn)
	c.serial++
	return CommitToken{c.token, c.serial, at}
}

// CommitStatus finds out what became of a transaction whose connection was lost: whether it is over, and whether it was
// committed.
func (s *Store) CommitStatus(ctx context.Context, conn db.DBTX, xid string, token CommitToken) (over, committed bool, err error) {
	status, err := s.Queries(conn).TransactionStatus(ctx, xid)
	switch {
	case HasCode(err, "22023"): // a transaction of the future
	case err != nil:
		return false, false, fmt.Errorf("ask about transaction %s: %w", xid, err)
	case status == "in progress":
		return false, false, nil
	}
	serial, err := s.Queries(conn).WritersSerial(ctx, token.token)
	if err != nil {
		return false, false, fmt.Errorf("ask what was committed: %w", err)
	}
	return true, serial == token.serial, nil
}
