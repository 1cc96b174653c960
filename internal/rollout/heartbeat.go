package rollout

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// A process records a heartbeat every so often, and one that has not for a while counts as dead.
const (
	beatEvery = 10 * time.Second
	deadAfter = time.Minute
	forgetAll = 24 * time.Hour
)

// HeartbeatDeps is what a heartbeat needs of an engine.
type HeartbeatDeps struct {
	Pool *pgxpool.Pool
	Log  *slog.Logger

	// Store returns the store of the engine. It is called after the engine opened it.
	Store func() *store.Store

	// Now is the clock of the process.
	Now func() time.Time

	// Health hears of writes that fail, and of those that succeed.
	Health *health.Health

	// Answering returns a context for statements that the database has to answer in time.
	Answering func(context.Context) (context.Context, context.CancelFunc)

	// Process identifies the process, Fingerprint its definitions, of which it has a number.
	Process     pgtype.UUID
	Fingerprint string
	Buckets     int

	// Figures returns the present figures of the process.
	Figures func() Figures
}

// Figures are how a process is doing.
type Figures struct {
	Events   int64         // Events is the number of events stored since the start
	Waiting  int           // Waiting is the number of events that wait to be written
	ClockLag time.Duration // ClockLag is how long the earliest due instant has been waiting
}

// Heartbeat shows other processes that this one runs, until it stops. As that is a write, it is
// also how an engine without events finds out whether the database takes writes: more often while
// it does not. It is safe for concurrent use.
type Heartbeat struct {
	deps  HeartbeatDeps
	loop  service.Loop
	ahead atomic.Int64 // of the database's clock, in nanoseconds, at the last heartbeat

	events int64     // events were stored at the last heartbeat
	beat   time.Time // beat is when that was; zero: there was none yet
}

// NewHeartbeat returns the heartbeat of a process.
func NewHeartbeat(d HeartbeatDeps) *Heartbeat {
	h := &Heartbeat{deps: d}
	h.loop = service.Loop{
		Component: "heartbeat", Log: d.Log, Turn: h.turn, Backoff: retry.Backoff{Min: retry.Max}, Last: h.deregister,
		Failed: func(err error) {
			d.Health.Fail(nil, err)
			d.Health.Shun(err)
		},
	}
	return h
}

// Loop returns the loop that records heartbeats.
func (h *Heartbeat) Loop() *service.Loop { return &h.loop }

// Wake makes a heartbeat follow soon.
func (h *Heartbeat) Wake() { h.loop.Wake() }

// Ahead returns by how much the clock of the process was ahead of the database's at the last
// heartbeat, negative if it was behind; 0 before the first.
func (h *Heartbeat) Ahead() time.Duration { return time.Duration(h.ahead.Load()) }

func (h *Heartbeat) turn(ctx context.Context) (time.Duration, error) {
	if h.deps.Health.Began() {
		_ = retry.Sleep(ctx, health.FailingFor) // most failures are over by then
	}
	if err := h.register(ctx); err != nil {
		return 0, err
	}
	if !h.deps.Health.SucceedAlone() {
		return retry.Max, nil
	}
	return beatEvery, nil
}

// register records that this process runs. It goes by the time of the world, as the life of a
// process does.
func (h *Heartbeat) register(ctx context.Context) error {
	ctx, cancel := h.deps.Answering(ctx)
	defer cancel()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	before, now, figures := h.deps.Now(), time.Now(), h.deps.Figures()
	at, err := h.queries().ProcessesNote(ctx, db.ProcessesNoteParams{
		ID: h.deps.Process, Host: host, Pid: int32(os.Getpid()), Fingerprint: h.deps.Fingerprint, Now: store.Timestamp(now),
		OwnClock: store.Timestamp(before), Version: version(), Buckets: int32(h.deps.Buckets), LagUs: figures.ClockLag.Microseconds(),
		Waiting: int32(figures.Waiting), Rate: h.rate(figures.Events, now),
	})
	if err != nil {
		return fmt.Errorf("record the heartbeat: %w", err)
	}
	h.events, h.beat = figures.Events, now
	h.measure(before, h.deps.Now(), at.Time)
	return nil
}

// rate returns how many events were stored each second since the last heartbeat.
func (h *Heartbeat) rate(events int64, now time.Time) float64 {
	if h.beat.IsZero() {
		return 0
	}
	return float64(events-h.events) / max(now.Sub(h.beat).Seconds(), time.Millisecond.Seconds())
}

// measure notes that a statement which ran from one time to another by the clock of the process
// read the database's clock.
func (h *Heartbeat) measure(before, after, database time.Time) {
	h.ahead.Store(int64(before.Add(after.Sub(before) / 2).Sub(database)))
}

// deregister records that this process has stopped.
func (h *Heartbeat) deregister(ctx context.Context) error {
	return h.queries().ProcessesForget(ctx, db.ProcessesForgetParams{ID: h.deps.Process, Before: store.Timestamp(time.Now().Add(-forgetAll))})
}

func (h *Heartbeat) queries() *db.Queries { return h.deps.Store().Queries(h.deps.Pool) }

// Running returns the processes that run on the database, the oldest first.
func (h *Heartbeat) Running(ctx context.Context) ([]db.BucketgenProcess, error) {
	return h.queries().ProcessesSeen(ctx, store.Timestamp(time.Now().Add(-deadAfter)))
}
