package blame_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen/internal/blame"
)

// TestSQLSTATE lists errors of PostgreSQL and poolers, and whether they blame the event or the
// moment.
func TestSQLSTATE(t *testing.T) {
	t.Parallel()
	const event, moment, crowded = "event", "moment", "moment, smaller batches"
	for _, c := range []struct {
		code string
		want string
		of   pgconn.PgError
	}{
		{code: "22001", want: event}, // string data right truncation
		{code: "22003", want: event}, // numeric value out of range
		{code: "22008", want: event}, // datetime field overflow
		{code: "22021", want: event}, // character not in repertoire
		{code: "22P02", want: event}, // invalid text representation
		{code: "22P05", want: event}, // untranslatable character: \u0000 in jsonb
		{code: "23514", want: event, of: pgconn.PgError{TableName: "events", ConstraintName: "small"}},
		{code: "23502", want: event, of: pgconn.PgError{TableName: "contacts", ColumnName: "email"}},
		{code: "54000", want: event}, // index row size exceeds maximum
		{code: "54001", want: event}, // stack depth limit exceeded
		{code: "P0001", want: event}, // a trigger of the host

		{code: "22P03", want: moment},                                          // of a pooler
		{code: "23514", want: moment, of: pgconn.PgError{TableName: "events"}}, // no partition for a row
		{code: "23514", want: moment, of: pgconn.PgError{TableName: "rollup_progress", ConstraintName: "rollup_progress_one"}}, // an invariant
		{code: "23505", want: moment, of: pgconn.PgError{TableName: "memberships", ConstraintName: "memberships_once"}},        // an invariant
		{code: "25006", want: moment}, // read-only
		{code: "53100", want: moment}, // disk full
		{code: "53300", want: moment}, // too many connections
		{code: "42501", want: moment}, // insufficient privilege
		{code: "42P01", want: moment}, // undefined table
		{code: "57P01", want: moment}, // admin shutdown
		{code: "57P02", want: moment}, // crash shutdown
		{code: "57P03", want: moment}, // cannot connect now
		{code: "57P04", want: moment}, // database dropped
		{code: "57P05", want: moment}, // idle session timeout
		{code: "40001", want: moment},
		{code: "40P01", want: moment},
		{code: "08000", want: moment},
		{code: "08003", want: moment},
		{code: "08006", want: moment},
		{code: "08P01", want: moment}, // protocol violation: PgBouncer uses it for most errors
		{code: "26000", want: moment}, // a prepared statement is not there
		{code: "42P05", want: moment}, // a prepared statement is there already
		{code: "0A000", want: moment}, // a cached plan must not change its result type
		{code: "28P01", want: moment}, // invalid password
		{code: "3D000", want: moment},
		{code: "58030", want: moment}, // I/O error
		{code: "F0001", want: moment},
		{code: "12345", want: moment},

		{code: "55P03", want: crowded}, // lock not available
		{code: "57014", want: crowded}, // statement_timeout, pg_cancel_backend
		{code: "25P03", want: crowded},
		{code: "25P04", want: crowded},
		{code: "53200", want: crowded},
		{code: "XX000", want: crowded},
		{code: "XX001", want: crowded},
	} {
		of := c.of
		of.Code = c.code
		err := fmt.Errorf("write: %w", errors.Join(&of, errors.New("rollback")))
		got := moment
		switch {
		case blame.Event(err):
			got = event
		case blame.Crowded(err):
			got = crowded
		}
		if got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.code, of.TableName, got, c.want)
		}
		if reason := blame.Reason(err); !strings.Contains(reason, c.code) {
			t.Errorf("%s: the reason is %q", c.code, reason)
		}
	}
}

// TestOtherErrors covers errors from other sources than PostgreSQL: they never blame the event.
func TestOtherErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err            error
		known, crowded bool
	}{
		{io.EOF, true, false},
		{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true, false},
		{net.ErrClosed, true, false},
		{context.DeadlineExceeded, true, false},
		{&pgconn.ConnectError{Config: &pgconn.Config{}}, true, false},
		{errors.New("unable to encode store.roomy into binary format"), false, true},
		{errors.New("a decision still lacks facts"), false, true},
	} {
		if blame.Event(c.err) {
			t.Errorf("%T blames the event", c.err)
		}
		if got := blame.Known(c.err); got != c.known {
			t.Errorf("%T: got known %t, want %t", c.err, got, c.known)
		}
		if got := blame.Crowded(c.err); got != c.crowded {
			t.Errorf("%T: got crowded %t, want %t", c.err, got, c.crowded)
		}
		if blame.Reason(c.err) == "" {
			t.Errorf("%T has no reason", c.err)
		}
	}
}
