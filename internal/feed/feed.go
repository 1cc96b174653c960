// Package feed reads the log of transitions as it grows. One connection polls the log for all
// readers of a process, and keeps the latest transitions in memory. A reader that falls behind
// reads what it has missed from the database.
package feed

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Deps is what a feed needs.
type Deps struct {
	// Pool gives the connection that polls, and those on which readers catch up.
	Pool *pgxpool.Pool

	// Schema has the tables, and names the channel of notifications.
	Schema string

	// Poll is how often the log is polled at least while there are readers.
	Poll time.Duration

	// Age is how long the log of deleted and restored users is kept. A reader that is further
	// behind than that learns nothing of them.
	Age time.Duration

	// Pooled says that a pooler is between the process and the server. Its sessions belong to all
	// clients, so the feed does not listen for notifications and only polls.
	Pooled bool

	// Log takes a line for each connection that is lost.
	Log *slog.Logger
}

// Feed polls the log of transitions while it has readers. It is safe for concurrent use.
type Feed struct {
	deps     Deps
	poller   service.Loop
	notifier service.Loop

	mu        sync.Mutex
	readers   map[time.Duration]int // readers are their numbers by the pace that they accept
	cancel    context.CancelFunc    // cancel ends the connection that polls; nil while there was none yet
	interrupt context.CancelFunc    // interrupt ends the wait for the next poll; nil during a poll
	woken     bool                  // woken says that the next poll follows at the pace of the readers
	urgent    bool                  // urgent says that it follows at once
	paced     bool                  // paced says that the wait is for the pace, which only what is urgent ends

	now     position
	batches []*batch    // batches are the latest, the oldest first
	size    int         // size is what batches hold together
	covers  time.Time   // covers is from when on batches have everything
	held    *time.Timer // held ends the polling for live figures; nil before the first
}

// New returns a feed whose loops are not started.
func New(d Deps) *Feed {
	f := &Feed{deps: d, readers: map[time.Duration]int{}, now: position{next: make(chan struct{})}}
	f.poller = service.Loop{Component: "feed", Log: d.Log, First: service.Idle, Interrupt: true, Turn: f.turn}
	f.notifier = service.Loop{Component: "notifier", Log: d.Log, First: service.Idle, Turn: f.notify}
	return f
}

// Loops returns what the feed does in the background. Once they are stopped, readers end with
// bucketgen.ErrStopped.
func (f *Feed) Loops() []*service.Loop { return []*service.Loop{&f.poller, &f.notifier} }

// Wake makes feeds poll the log at once, here and in other processes, after a transaction was
// committed that changes memberships.
func (f *Feed) Wake() {
	f.wakePoller()
	f.notifier.Wake()
}

// wakePoller makes the feed poll at the pace of its readers.
func (f *Feed) wakePoller() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.woken = true
	if f.interrupt != nil && !f.paced {
		f.interrupt()
	}
}

// hurry makes the feed poll at once.
func (f *Feed) hurry() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.urgent = true
	if f.interrupt != nil {
		f.interrupt()
	}
}

// pace returns the least time between two polls that all readers accept.
func (f *Feed) pace() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	least := maxPace
	for pace := range f.readers {
		least = min(least, pace)
	}
	return max(least, pollGap)
}

// join adds a reader, which accepts a pace. The feed polls until the last reader has left.
func (f *Feed) join(pace time.Duration) (leave func(), err error) {
	select {
	case <-f.poller.Stopping():
		return nil, bucketgen.ErrStopped
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	pace = min(pace, maxPace)
	if f.readers[pace]++; len(f.readers) == 1 && f.readers[pace] == 1 {
		f.now = position{no: f.now.no + 1, next: f.now.next}
		f.batches, f.size, f.covers = nil, 0, time.Time{}
		f.poller.Wake()
	}
	return sync.OnceFunc(func() { f.leave(pace) }), nil
}

func (f *Feed) leave(pace time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers[pace]--; f.readers[pace] == 0 {
		delete(f.readers, pace)
	}
	if len(f.readers) == 0 && f.cancel != nil {
		f.cancel()
	}
}

// fresh returns the position after a poll that begins after the call.
func (f *Feed) fresh(ctx context.Context) (position, error) {
	asked := time.Now()
	f.hurry()
	for {
		_, now, _ := f.since(0)
		if now.began.After(asked) {
			return now, nil
		}
		select {
		case <-now.next:
		case <-ctx.Done():
			return position{}, ctx.Err()
		case <-f.poller.Stopping():
			return position{}, bucketgen.ErrStopped
		}
	}
}

// queries returns the queries in the schema of the feed, run on a connection.
func (f *Feed) queries(conn db.DBTX) *db.Queries { return store.QueriesIn(conn, f.deps.Schema) }

// Prune removes deletions and restorations of users that every feed has seen by now.
func (f *Feed) Prune(ctx context.Context, now time.Time) error {
	return f.queries(f.deps.Pool).HidingsForget(ctx, store.Timestamp(now.Add(-f.deps.Age)))
}
