package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/internal/rollout"
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

// Processes returns the engines that run on the database, the oldest first.
func (g *Deployments) Processes(ctx context.Context) ([]Process, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	last, _, err := e.Deployments().ListPage(ctx, Page{Size: 1})
	if err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	rows, err := e.heartbeat.Running(ctx)
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

// newHeartbeat returns the heartbeat of this process.
func (e *Engine) newHeartbeat() *rollout.Heartbeat {
	return rollout.NewHeartbeat(rollout.HeartbeatDeps{
		Pool: e.pool, Log: e.log, Store: func() *store.Store { return e.store }, Now: e.config.Now, Health: e.health,
		Answering: e.link.Answering, Process: e.processID, Fingerprint: e.registry.Fingerprint,
	})
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
