package engine

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Process is an engine that runs on the database.
type Process struct {
	Host        string    `json:"host"`
	PID         int       `json:"pid"`
	Fingerprint string    `json:"fingerprint"` // of its definitions
	Deployed    bool      `json:"deployed"`    // they are what is deployed
	StartedAt   time.Time `json:"startedAt"`
	SeenAt      time.Time `json:"seenAt"`

	// ClockAheadMs is by how many milliseconds its clock was ahead of the database's at its last heartbeat, negative if it
	// was behind.
	ClockAheadMs int64 `json:"clockAheadMs"`
}

// An engine shows itself every so often, and one that has not for a while is taken to be dead.
const (
	showEvery = 10 * time.Second
	deadAfter = time.Minute
	forgetAll = 24 * time.Hour
)

// Processes returns the engines that run on the database, the oldest first.
func (g *Deployments) Processes(ctx context.Context) ([]Process, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	last, err := e.Deployments().List(ctx, 1)
	if err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	rows, err := e.store.Queries(e.pool).ProcessesSeen(ctx, store.Timestamp(time.Now().Add(-deadAfter)))
	if err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	all := make([]Process, len(rows))
	for i, row := range rows {
		all[i] = Process{
			Host: row.Host, PID: int(row.Pid), Fingerprint: row.Fingerprint, StartedAt: row.StartedAt.Time.UTC(), SeenAt: row.SeenAt.Time.UTC(),
			ClockAheadMs: row.AheadUs / 1000,
			Deployed:     len(last) > 0 && last[0].Fingerprint == row.Fingerprint,
		}
	}
	return all, nil
}

// heartbeats returns the loop that shows others that this process runs, until it stops. As that is a write, it is also how an
// engine without events finds out whether the database takes writes: more often while it does not.
func (e *Engine) heartbeats() *service.Loop {
	return &service.Loop{
		Component: "heartbeat", Log: e.log, Turn: e.heartbeat, Backoff: steady, Last: e.hide,
		Failed: func(err error) {
			e.health.fail(nil, err)
			e.shun(err)
		},
	}
}

func (e *Engine) heartbeat(ctx context.Context) (time.Duration, error) {
	if e.health.began.Swap(false) {
		_ = retry.Sleep(ctx, failingFor) // most failures are over by then
	}
	if err := e.show(ctx); err != nil {
		return 0, err
	}
	e.health.recover(false)
	if e.health.failing.Load() {
		return retry.Max, nil
	}
	return showEvery, nil
}

// show lets others see that this process runs. It goes by the time of the world, as the life of a process does.
func (e *Engine) show(ctx context.Context) error {
	ctx, cancel := e.answering(ctx)
	defer cancel()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	before := e.config.Now()
	at, err := e.store.Queries(e.pool).ProcessesNote(ctx, db.ProcessesNoteParams{
		ID: e.processID, Host: host, Pid: int32(os.Getpid()), Fingerprint: e.registry.Fingerprint, Now: store.Timestamp(time.Now()),
		OwnClock: store.Timestamp(before),
	})
	if err != nil {
		return fmt.Errorf("record the heartbeat: %w", err)
	}
	e.skew.measure(before, e.config.Now(), at.Time)
	return nil
}

// hide lets others see that this process does not run any more.
func (e *Engine) hide(ctx context.Context) error {
	return e.store.Queries(e.pool).ProcessesForget(ctx, db.ProcessesForgetParams{ID: e.processID, Before: store.Timestamp(time.Now().Add(-forgetAll))})
}

// Definition is what a bucket was defined as for a while.
type Definition struct {
	BucketID    string    `json:"bucketId"`
	Name        string    `json:"name"`
	Fingerprint string    `json:"fingerprint"`
	Words       []string  `json:"words"` // its criteria and its policy
	Since       int       `json:"since"` // the number of the deployment that brought it
	SinceAt     time.Time `json:"sinceAt"`
	Until       int       `json:"until,omitempty"` // that of the one that ended it; 0: it is deployed
	UntilAt     time.Time `json:"untilAt,omitzero"`
}

// Definitions returns what was ever deployed, by bucket and time.
func (g *Deployments) Definitions(ctx context.Context) ([]Definition, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	rows, err := e.store.Queries(e.pool).DefinitionsHistory(ctx)
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	all := make([]Definition, len(rows))
	for i, row := range rows {
		all[i] = Definition{
			BucketID: row.ID, Name: row.Name, Fingerprint: row.Fingerprint, Words: row.Words, Since: int(row.SinceNo), SinceAt: row.Since.Time.UTC(),
		}
		if row.UntilNo != nil {
			all[i].Until, all[i].UntilAt = int(*row.UntilNo), row.Until.Time.UTC()
		}
	}
	return all, nil
}
