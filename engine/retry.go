package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	minRetry = 5 * time.Millisecond
	maxRetry = time.Second
)

// Transient reports whether an error of the engine is about the moment, not about what was to be done: the database does not
// answer, or the engine is about to stop. The same call may succeed later.
func Transient(err error) bool {
	return errors.Is(err, ErrStopped) || transient(err) || errors.Is(err, context.DeadlineExceeded)
}

// transient reports whether an error is about the moment, not about what was to be done: the connection was lost, the
// server is restarting, somebody else held a lock for too long.
func transient(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch refused.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"55P03",                            // lock not available
			"53300",                            // too many connections
			"57P01", "57P02", "57P03", "57P05": // shutdown, crash, starting up, idle too long
			return true
		}
		return strings.HasPrefix(refused.Code, "08") // connection exceptions
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || pgconn.SafeToRetry(err) ||
		errors.Is(err, net.ErrClosed) || isEOF(err)
}

// pause waits, or returns the error of the context if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
