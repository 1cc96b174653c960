package httpapi

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// notices logs why requests fail that are not to blame: while the database is away, each of them
// does. Of each kind there is one line in each interval, with the number of lines that were left
// out since the one before. Safe for concurrent use.
type notices struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	kinds map[string]*notice // by message
}

// notice is a kind of line.
type notice struct {
	at         time.Time // of the last line
	suppressed int       // lines since then
}

// noticePace is how often a line of a kind is logged, at most.
const noticePace = 10 * time.Second

func newNotices(log *slog.Logger, now func() time.Time) *notices {
	return &notices{log: log, now: now, kinds: map[string]*notice{}}
}

// failed logs that a request failed: as a warning if the error is about the moment. message is one
// of a few constants.
func (n *notices) failed(ctx context.Context, message string, err error) {
	suppressed, due := n.due(message)
	if !due {
		return
	}
	level := slog.LevelError
	if engine.Transient(err) {
		level = slog.LevelWarn
	}
	n.log.Log(ctx, level, message, "component", "http", "error", err, "suppressed", suppressed)
}

// due reports whether a line of a kind is due now, and how many were left out before it.
func (n *notices) due(message string) (suppressed int, due bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now, k := n.now(), n.kinds[message]
	if k == nil {
		n.kinds[message] = &notice{at: now}
		return 0, true
	}
	if now.Sub(k.at) < noticePace {
		k.suppressed++
		return 0, false
	}
	suppressed = k.suppressed
	*k = notice{at: now}
	return suppressed, true
}
