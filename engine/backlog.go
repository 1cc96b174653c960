package engine

import (
	"context"
	"fmt"
	"time"
)

// Backlog is what waits in the outbox for a subscription: of a handler, or of a forwarder.
type Backlog struct {
	Subscription string    `json:"subscription"`
	BucketID     string    `json:"bucketId,omitempty"` // empty: all buckets
	Waiting      int64     `json:"waiting"`            // deliveries to be made, or tried again
	Dead         int64     `json:"dead"`               // deliveries that were given up; see Engine.DeadLetters
	Oldest       time.Time `json:"oldest,omitzero"`    // when the oldest that waits was decided; zero if none waits
}

// Backlogs tells what waits in the outbox, by the names of subscriptions, those of other programs on the database among them.
// The time that it takes grows with what waits.
func (e *Engine) Backlogs(ctx context.Context) ([]Backlog, error) {
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("backlogs: %w", err)
	}
	rows, err := e.store.Queries(e.pool).DeliveriesBacklog(ctx)
	if err != nil {
		return nil, fmt.Errorf("backlogs: %w", err)
	}
	all := make([]Backlog, len(rows))
	for i, row := range rows {
		all[i] = Backlog{Subscription: row.Name, BucketID: deref(row.BucketID), Waiting: row.Waiting, Dead: row.Dead}
		if row.Oldest.Valid {
			all[i].Oldest = row.Oldest.Time.UTC()
		}
	}
	return all, nil
}
