// Package blame decides what an error of the database is about: the event to be written, or the
// moment. It is the one place that knows SQLSTATE codes for that.
//
// An error blames the event only if it is on a short list. Every other error is about the moment,
// also an unforeseen one: a refused event is lost, a retried one is not.
package blame

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen"
)

// refusals are the errors that answer a call: the same call fails again until its input or the
// state that it names has changed.
var refusals = []error{
	bucketgen.ErrDeleted, bucketgen.ErrNotDeployed, bucketgen.ErrPaused, bucketgen.ErrUnknownBucket, bucketgen.ErrUnknownSubscription,
	bucketgen.ErrUnknownUser, bucketgen.ErrCursor, bucketgen.ErrIsolation, bucketgen.ErrMergeNotAllowed, bucketgen.ErrShared, bucketgen.ErrNotManual,
	bucketgen.ErrSuppressed, bucketgen.ErrNoSecret,
}

// Transient reports whether an error is about the moment, not about what was to be done: the same
// call may succeed later. It is false for a [*bucketgen.InvalidError], for sentinels such as
// [bucketgen.ErrDeleted], and for what PostgreSQL refuses because of what an event says. An
// unforeseen error is transient.
func Transient(err error) bool {
	if err == nil || Event(err) {
		return false
	}
	if _, invalid := errors.AsType[*bucketgen.InvalidError](err); invalid {
		return false
	}
	return !slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) })
}

// ownRows are the tables whose rows come from an event. The constraints of other tables guard
// invariants of the engine, which the content of an event cannot violate.
var ownRows = []string{"changes", "contacts", "event_names", "events", "groups", "idempotency_keys", "identities", "occurrences", "sums", "totals"}

// Event reports whether PostgreSQL refused a row because of its content, so that the same event
// fails at any time.
func Event(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch refused.Code {
	case "22P03", // invalid binary representation: a pooler mixed up two prepared statements
		"22023": // invalid parameter value: of a setting, or of a function that the engine calls
		return false
	case "23502", "23514", "23P01": // not null, check, exclusion
		// A row without a partition is a check violation without a name. Then the partition is
		// missing.
		named := refused.ConstraintName != "" || refused.ColumnName != ""
		return named && slices.Contains(ownRows, refused.TableName)
	case "54000", "54001": // a row too large for an index, a value too deep for the stack
		return true
	case "P0001": // a trigger of the host refuses the row by RAISE EXCEPTION
		return true
	}
	return strings.HasPrefix(refused.Code, "22") // data exceptions
}

// Known reports whether databases and networks usually return an error. Others, such as an argument
// that pgx cannot encode, may never pass.
func Known(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return !strings.HasPrefix(refused.Code, "XX")
	}
	return disconnected(err) || errors.Is(err, context.DeadlineExceeded)
}

// Crowded reports whether a transaction with fewer events may pass where a larger one fails: it was
// too slow or too large, or the error is unknown.
func Crowded(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return !Known(err)
	}
	switch refused.Code {
	case "57014", // query canceled, also by statement_timeout
		"25P03", "25P04", // idle in transaction for too long, transaction too long
		"53200": // out of memory
		return true
	}
	return LockTimeout(err) || strings.HasPrefix(refused.Code, "XX")
}

// LockTimeout reports whether a transaction waited too long for a lock.
func LockTimeout(err error) bool { return has(err, "55P03") }

// Starting reports whether the server is starting up, or another starting process was in the way.
func Starting(err error) bool { return has(err, "57P03", "40001", "40P01") }

// Pooler reports whether a pooler lost a prepared statement, or confused those of two clients.
func Pooler(err error) bool { return has(err, "26000", "42P05", "08P01") }

// Sticky reports whether an error may come from a setting that a session keeps for its lifetime, so
// that only another connection can succeed: a session that began read-only, or with a short
// timeout, stays so.
func Sticky(err error) bool {
	return has(err, "25006", "57014", "25P03", "25P04", "26000", "42P05", "08P01", "42501", "0A000")
}

// Reason describes in a few words why the database failed. It names no host, role or value, so it
// may be shown to everyone.
func Reason(err error) string {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return "the database does not answer in time"
		case disconnected(err):
			return "the database cannot be reached"
		}
		return "the database refuses writes; the log says why"
	}
	if reason, known := reasons[refused.Code]; known {
		return reason + " (SQLSTATE " + refused.Code + ")"
	}
	if reason, known := reasons[refused.Code[:min(2, len(refused.Code))]]; known {
		return reason + " (SQLSTATE " + refused.Code + ")"
	}
	return "the database refuses writes (SQLSTATE " + refused.Code + ")"
}

// reasons are by SQLSTATE, or by class.
var reasons = map[string]string{
	"25006": "the database is read-only",
	"25P03": "transactions are ended by idle_in_transaction_session_timeout",
	"25P04": "transactions are ended by transaction_timeout",
	"42501": "the role lacks a privilege on the tables",
	"53100": "the database is out of disk space",
	"53200": "the database is out of memory",
	"53300": "the database is out of connections",
	"55P03": "a lock on the tables is held for too long",
	"57014": "statements are canceled, by statement_timeout or by hand",
	"57P01": "the database ends its connections",
	"57P02": "the database has crashed",
	"57P03": "the database is starting up, or shutting down",
	"26000": "a pooler loses prepared statements",
	"42P05": "a pooler mixes up prepared statements",
	"08":    "the connection to the database is lost",
	"28":    "the database does not let the role in",
	"3D":    "the database is not there",
	"53":    "the database is out of resources",
	"57":    "the database is interrupted",
	"58":    "the database has trouble with its system",
}

func has(err error, codes ...string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, refused.Code)
}

// disconnected reports whether the connection was lost, or could not be made.
func disconnected(err error) bool {
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || pgconn.SafeToRetry(err) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
