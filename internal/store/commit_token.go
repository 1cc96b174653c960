package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry/table"
)

// CommitToken is a row that a transaction writes as it begins. If the connection is lost at COMMIT,
// the row says whether the transaction was committed. The zero value writes none.
type CommitToken struct {
	token  pgtype.UUID // token is that of the connection
	serial int64
	at     table.Instant
}

// NewCommitToken returns the token of the next transaction of a connection.
func NewCommitToken(conn *pgconn.PgConn, at table.Instant) CommitToken {
	c := stateOf(conn)
	c.serial++
	return CommitToken{c.token, c.serial, at}
}

// CommitStatus reports whether a transaction whose connection was lost is over, and whether it was
// committed.
func (s *Store) CommitStatus(ctx context.Context, conn db.DBTX, xid string, token CommitToken) (over, committed bool, err error) {
	status, err := s.Queries(conn).TransactionStatus(ctx, xid)
	switch {
	case HasCode(err, "22023"): // the server has not given that number yet
	case err != nil:
		return false, false, fmt.Errorf("read the status of transaction %s: %w", xid, err)
	case status == "in progress":
		return false, false, nil
	}
	serial, err := s.Queries(conn).WritersSerial(ctx, token.token)
	if err != nil {
		return false, false, fmt.Errorf("read the commit token: %w", err)
	}
	return true, serial == token.serial, nil
}

// ConfirmCommit writes the token of a committed transaction again, in a transaction of its own. If
// the server answers, whatever a COMMIT waits for, such as a synchronous standby, has both. It
// returns false if the server lacks the committed transaction, for example after a failover. An
// error says nothing about the transaction.
func (s *Store) ConfirmCommit(ctx context.Context, conn db.DBTX, token CommitToken, at table.Instant) (bool, error) {
	found, err := s.Queries(conn).WritersConfirm(ctx, db.WritersConfirmParams{At: timestamp(at), Token: token.token, Serial: token.serial})
	if err != nil {
		return false, fmt.Errorf("confirm the commit token: %w", err)
	}
	return found > 0, nil
}
